"""`blood serve`, the command that starts the dashboard's server; leaves its settings to `config.py`.

Imports nothing heavy, so that `blood --help` stays instant.
"""

from __future__ import annotations

import argparse
import os
import socket
from pathlib import Path

from blood_lib.files.errors import BloodError

__all__ = ["add_parser", "find_free_port", "find_notebook"]

DEFAULT_PORT = 8866


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Register `blood serve`."""
    parser = subparsers.add_parser(
        "serve",
        help="open the dashboard in a browser, served from this machine",
        description="Serve the dashboard on http://localhost:PORT until Ctrl-C. Nothing is written to disk, "
        "and no request leaves this machine.",
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="default %(default)s")
    parser.add_argument(
        "--bundle", type=Path, metavar="DIR", help="the model to use, a folder or a ZIP of it"
    )
    parser.add_argument(
        "--open", action="store_true", help="open the page in a browser as soon as it answers"
    )
    parser.add_argument(
        "--ready", type=int, default=1, metavar="N", help="keep N visitors' places warm (default %(default)s)"
    )
    parser.add_argument(
        "--visitors", type=int, default=24, metavar="N", help="most visitors at a time (default %(default)s)"
    )
    parser.add_argument(
        "--public-name",
        metavar="NAME",
        help="host name under which a reverse proxy on this machine shows the page",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C; exit code 0."""
    from blood_lib.bundle import load_bundle

    bundle = load_bundle(args.bundle)
    check_port(args.port)
    print(f"Starting the dashboard with the model in {bundle.path} ...", flush=True)
    from blood_lib.dashboard.server.server import serve

    serve(
        find_notebook(),
        port=args.port,
        bundle=bundle.path.resolve(),
        open_browser=args.open,
        n_ready=max(0, args.ready),
        max_visitors=max(1, args.visitors),
        public_name=args.public_name,
    )
    return 0


def find_notebook() -> Path:
    """dashboard.ipynb: in the dashboard's folder when installed, at the top of the checkout otherwise."""
    here = Path(__file__).resolve().parents[1]
    for folder in (here, here.parent.parent):
        if (folder / "dashboard.ipynb").is_file():
            return folder / "dashboard.ipynb"
    raise BloodError("dashboard.ipynb is missing from this installation: install the package again.")


def check_port(port: int) -> None:
    """Raise a BloodError that names a free port when `port` cannot be used."""
    try:
        _bind(port)
    except PermissionError:
        raise BloodError(
            f"port {port} is not allowed here: try --port {find_free_port(DEFAULT_PORT)}."
        ) from None
    except OSError:
        free = find_free_port(port + 1)
        raise BloodError(f"port {port} is in use: try --port {free}, which is free.") from None


def find_free_port(start: int) -> int:
    """The first port from `start` that can be used, or any."""
    for port in range(start, min(start + 100, 65536)):
        try:
            return _bind(port)
        except OSError:
            continue
    return _bind(0)


def _bind(port: int) -> int:
    """Take `port` on localhost for a moment, as the server will; raises OSError."""
    with socket.socket() as probe:
        if os.name == "posix":  # a port that a server has just left is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return probe.getsockname()[1]


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return port
