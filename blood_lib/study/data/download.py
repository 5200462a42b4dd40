"""A downloader for pooch that goes on where an interrupted download stopped: pooch's own begin anew.

Where the file goes is left to pooch; what it is, and whether its content is right, to `fetch`.
"""

import errno
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError, ReadTimeoutError

from blood_lib import __version__
from blood_lib.files.errors import BloodError

__all__ = ["Patience", "Refused", "ResumingDownloader", "disk_errors", "disk_full"]

_CHUNK = 1 << 16
_GONE = (404, 410)


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to try again."""

    stall: float = 30.0
    """Without an answer, or below `slowest` bytes in all for so long, the server counts as stalled."""
    slowest: int = 10_000
    retries: int = 5
    """Attempts in a row that may bring less than `progress` bytes each before the download is given up."""
    progress: int = 1_000_000
    pause: float = 1.0
    """The first wait before another attempt; it doubles each time."""
    longest: float = 120.0
    """The longest wait that a server may ask for (`Retry-After`)."""


class Refused(BloodError):
    """This address does not give the file, now or later; another one may."""


class _Interrupted(Exception):
    """One attempt ended early; another may go on. `wait`: seconds the server asked for."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turns what a disk can refuse below `folder` into a BloodError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from error
        reason = error.strerror or error
        raise BloodError(f"{folder} cannot be written: {reason}; choose another folder.") from error


def disk_full(folder: Path, needed: int = 0) -> BloodError:
    """The error to raise when the disk with `folder` has no room for `needed` bytes more."""
    room = f"{_megabytes(needed)} are needed" if needed else "it cannot take more"
    return BloodError(
        f"The disk with {folder} is full ({room}): make room and give the same command again, "
        "it goes on where it stopped; or choose a folder on another disk."
    )


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB"


class ResumingDownloader:
    """Called as pooch calls its downloaders; keeps what came in `tmp_file` until the file is complete.

    Beside `tmp_file` lies `tmp_file` + `.json`: the address, the size, and the server's mark of the version
    (ETag or date), so that two versions of a file are never mixed. `spare`: bytes that must stay free on the
    disk.
    """

    def __init__(self, tmp_file: Path, *, patience: Patience | None = None, spare: int = 0) -> None:
        self.tmp_file, self.patience, self.spare = Path(tmp_file), patience or Patience(), spare
        self._state_file = self.tmp_file.with_name(self.tmp_file.name + ".json")
        self._reached = False  # has the server ever answered?

    def __call__(self, url: str, output_file: str, pooch: object = None) -> None:
        """Downloads `url` to `output_file`; raises BloodError with what to do when it cannot."""
        with disk_errors(self.tmp_file.parent):
            self._download(url)
            os.replace(self.tmp_file, output_file)
            self._state_file.unlink(missing_ok=True)

    def _download(self, url: str) -> None:
        failures, best, wait = 0, self._size(), self.patience.pause
        while True:
            try:
                return self._attempt(url)
            except _Interrupted as stop:
                if self._size() >= best + self.patience.progress:
                    failures, wait = 0, self.patience.pause
                failures, best = failures + 1, max(best, self._size())
                if failures > self.patience.retries:
                    raise self._give_up(stop, failures) from stop
                self._pause(stop, wait)
                wait *= 2

    def _give_up(self, stop: _Interrupted, failures: int) -> BloodError:
        times = f", {failures} times in a row" if failures > 1 else ""
        return BloodError(
            f"The download stopped after {_megabytes(self._size())}: {stop}{times}. "
            "Give the same command again later, it goes on where it stopped."
        )

    def _pause(self, stop: _Interrupted, wait: float) -> None:
        wait = min(stop.wait if stop.wait is not None else wait, self.patience.longest)
        note = f"{stop}; trying again in {wait:.0f} s, going on after {_megabytes(self._size())}"
        tqdm.write(note[0].upper() + note[1:], file=sys.stderr)
        time.sleep(wait)

    def _attempt(self, url: str) -> None:
        state = self._load_state(url)
        have = self._size() if state else 0
        if state and have and have == state["total"]:
            return
        with self._open(url, _range_headers(have, state)) as response:
            self._reached = True
            self._check_status(response)
            start, total = _place(response)
            if response.status_code == 206 and not _continues(response, have, state):
                self._start_over()
            if response.status_code == 200:
                self._discard()  # before the new state, lest it ever describe the old bytes
            self._check_room(total, start)
            self._save_state({"url": url, "validator": _validator(response), "total": total})
            self._receive(response, start, total)

    def _open(self, url: str, headers: dict[str, str]) -> requests.Response:
        host = urlsplit(url).hostname or url
        try:
            return requests.get(url, headers=headers, stream=True, timeout=self.patience.stall)
        except requests.exceptions.SSLError as error:
            raise Refused(
                f"The certificate of {host} is not trusted: check this machine's clock; if the network opens "
                f"encrypted connections, name its certificate in REQUESTS_CA_BUNDLE. ({error})"
            ) from error
        except requests.exceptions.ReadTimeout as error:
            raise _Interrupted(f"{host} did not answer for {self.patience.stall:.0f} s") from error
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
            if not self._reached:
                raise Refused(
                    f"{host} cannot be reached: check the network, and HTTPS_PROXY if it needs a proxy."
                ) from error
            raise _Interrupted(f"{host} cannot be reached") from error
        except requests.exceptions.RequestException as error:
            raise Refused(f"{url} cannot be downloaded ({error}).") from error

    def _check_status(self, response: requests.Response) -> None:
        """Raises for every answer that is neither the file nor a part of it."""
        status, host = response.status_code, urlsplit(response.url).hostname
        if status in (200, 206):
            return
        if status == 416:  # nothing comes after what we have: it is not the file that we began with
            self._start_over()
        if status in _GONE:
            raise Refused(f"The address {response.url} is gone ({status}).")
        if status == 429 or status >= 500:
            wait = _retry_after(response)
            if wait is not None and wait > self.patience.longest:
                raise BloodError(
                    f"{host} is busy ({status}) and asks to come back in {wait / 60:.0f} minutes."
                )
            raise _Interrupted(f"{host} is busy ({status})", wait)
        raise Refused(f"{host} refuses to give {response.url} ({status}).")

    def _check_room(self, total: int | None, start: int) -> None:
        needed = (total or 0) - start + self.spare
        if shutil.disk_usage(self.tmp_file.parent).free < needed:
            raise disk_full(self.tmp_file.parent, needed)

    def _receive(self, response: requests.Response, start: int, total: int | None) -> None:
        with (
            self.tmp_file.open("ab") as file,
            tqdm(
                total=total, initial=start, unit="B", unit_scale=True, desc="Downloading", disable=None
            ) as bar,
        ):
            try:
                for chunk in self._chunks(response):
                    file.write(chunk)
                    bar.update(len(chunk))
            except ReadTimeoutError as error:
                raise _Interrupted(f"the server sent nothing for {self.patience.stall:.0f} s") from error
            except HTTPError as error:
                raise _Interrupted("the connection was cut") from error
        if total is not None and self._size() < total:
            raise _Interrupted("the connection was cut")

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        """What arrives, as it arrives; raises when next to nothing has arrived for too long."""
        mark, received = time.monotonic(), 0
        while chunk := response.raw.read1(_CHUNK):
            yield chunk
            received += len(chunk)
            if time.monotonic() - mark > self.patience.stall:
                if received < self.patience.slowest:
                    raise _Interrupted(
                        f"the server sent only {received} bytes in {self.patience.stall:.0f} s"
                    )
                mark, received = time.monotonic(), 0

    def _size(self) -> int:
        return self.tmp_file.stat().st_size if self.tmp_file.exists() else 0

    def _load_state(self, url: str) -> dict[str, Any] | None:
        """What is known of the file begun in `tmp_file`; None without one, or for another address."""
        try:
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) and state.get("url") == url and "total" in state else None

    def _save_state(self, state: dict[str, Any]) -> None:
        self._state_file.write_text(json.dumps(state), encoding="utf-8")

    def _start_over(self) -> NoReturn:
        self._discard()
        raise _Interrupted("the file on the server has changed", wait=0)

    def _discard(self) -> None:
        self.tmp_file.unlink(missing_ok=True)
        self._state_file.unlink(missing_ok=True)


def _range_headers(have: int, state: dict[str, Any] | None) -> dict[str, str]:
    """Ask for the rest only, and only of the same version (RFC 9110, sections 13.1.5 and 14.2)."""
    headers = {"User-Agent": f"blood-cells/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if state and state.get("validator"):
            headers["If-Range"] = state["validator"]
    return headers


def _validator(response: requests.Response) -> str | None:
    """The server's mark of this version that If-Range accepts: a strong ETag, or else the date."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _place(response: requests.Response) -> tuple[int, int | None]:
    """(where in the file the answer begins, -1 if untold; the size of the whole file, None if untold)."""
    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        return (int(found[1]), int(found[2])) if found else (-1, None)
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _continues(response: requests.Response, have: int, state: dict[str, Any] | None) -> bool:
    """Does the answer go on exactly where we stopped, in the same version of the file?"""
    start, total = _place(response)
    if state is None or _validator(response) not in (None, state["validator"]):
        return False
    return start == have and total == state["total"]


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait; None when it does not say, or gives a date."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None
