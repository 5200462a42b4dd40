"""Starts `blood serve` for a test, and ends it as Ctrl-C would.

What the page then shows is for the tests in browser/.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import ROOT

PATIENCE = 120  # seconds, on a busy machine


@dataclass
class Running:
    """A server that answers."""

    process: subprocess.Popen
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def list_kernels(self) -> dict[int, str]:
        """The process ids of its kernels, and the command of each."""
        found = subprocess.run(["ps", "-eww", "-o", "pid,ppid,args"], capture_output=True, text=True).stdout
        rows = [line.split(None, 2) for line in found.splitlines()[1:]]
        mine = str(self.process.pid)
        return {int(pid): args for pid, parent, args in rows if parent == mine and "ipykernel" in args}

    def kernels(self) -> list[int]:
        """The process ids of its kernels."""
        return list(self.list_kernels())

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(folder: Path, *options: str, bundle: Path | None = None) -> Iterator[Running]:
    """`blood serve` with these options; `folder` takes its log."""
    port, log = _pick_port(), folder / "serve.log"
    command = [sys.executable, "-u", "-m", "blood_lib", "serve", "--port", str(port), *options]
    if bundle is not None:
        command += ["--bundle", str(bundle)]
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, preexec_fn=_listen_to_ctrl_c
        )
    server = Running(process, port, log)
    try:
        wait_for(
            lambda: re.search(r"The dashboard is at (\S+)", log.read_text()) or process.poll() is not None
        )
        assert process.poll() is None, log.read_text()
        yield server
    finally:
        if process.poll() is None:
            server.interrupt()


def _pick_port() -> int:
    """A port that the system has just found free: another run of the tests beside this one gets another."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _listen_to_ctrl_c() -> None:
    """A shell's background job ignores SIGINT, and its children with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(true: object, seconds: float = PATIENCE, what: str = "what was waited for") -> None:
    """Until `true()` is, or an AssertionError that says what."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split()[2] != "Z"
