"""The command line: `blood COMMAND`, or `python -m blood_lib COMMAND`.

What a command does is left to the room it belongs to; nothing heavy is imported before a command needs it.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from blood_lib import __version__
from blood_lib.cli import adapt, card, classify, find
from blood_lib.files.errors import BloodError

__all__ = ["build_parser", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 when the work was done, 1 when it could not be, 2 for wrong usage."""
    args = build_parser().parse_args(argv)
    try:
        return args.run(args)
    except BloodError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "blood_lib").startswith("blood_lib"):
            raise
        return _fail(f"this needs {error.name}, which is not installed: pip install '.[study]'")
    except BrokenPipeError:  # the reader of the output has stopped
        _drop_output()
        return 1
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of `blood` with all its commands; it loads nothing heavy."""
    from blood_lib.dashboard.server import serve
    from blood_lib.study.cli import data, evaluate, refit, study, train

    parser = argparse.ArgumentParser(
        prog="blood",
        description="Name blood cells in images. For research and teaching, not for diagnosis.",
    )
    parser.add_argument("--version", action="version", version=f"blood {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (classify, find, card, adapt, serve, data, train, refit, evaluate, study):
        command.add_parser(subparsers)
    return parser


def _fail(message: str) -> int:
    print(f"blood: {message}", file=sys.stderr)
    _drop_output()
    return 1


def _drop_output() -> None:
    """Drop what can no longer be written, or Python would complain about it at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
