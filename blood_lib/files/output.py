"""Writes files whole or not at all; an error is a BloodError with one sentence.

The content is left to the caller.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from blood_lib.files.errors import BloodError

__all__ = ["STANDARD_OUTPUT", "open_output", "open_whole", "write_whole", "writing"]

STANDARD_OUTPUT = "standard output"  # what a complaint calls it


@contextmanager
def writing(where: object) -> Iterator[None]:
    """An error while `where` is written becomes a BloodError, except when the reader of a pipe has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BloodError(f"{where} cannot be written: {error.strerror}; choose another place.") from None


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """Open a text file for writing that appears under its name only when it is whole; raises BloodError.

    After an error inside the `with` nothing new is left, and an older file is as it was. A device or a pipe
    is written to directly.
    """
    target = Path(os.path.realpath(path))
    is_device = target.exists() and not target.is_file()
    temporary = target if is_device else target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    with writing(path):
        file = temporary.open("w" if is_device else "x", encoding="utf-8", newline="")
    try:
        yield file
        with writing(path):
            file.close()
    except BaseException:
        with suppress(OSError):
            file.close()
        if not is_device:
            temporary.unlink(missing_ok=True)
        raise
    if not is_device:
        _put_in_place(temporary, target)


def write_whole(path: Path, text: str) -> None:
    """`Path.write_text` by `open_whole`: a process killed meanwhile leaves the older file, or none."""
    with open_whole(path) as file:
        file.write(text)


def _put_in_place(temporary: Path, target: Path) -> None:
    try:
        temporary.replace(target)
    except OSError as error:  # on Windows, while a program shows the older file
        raise BloodError(
            f"{target} cannot be replaced: {error.strerror}; the table is kept as {temporary}."
        ) from None


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears only when it is whole."""
    if path is not None:
        with open_whole(path) as file:
            yield file
        return
    if sys.stdout is None:
        raise BloodError(f"{STANDARD_OUTPUT} is closed: give --out FILE.")
    if hasattr(sys.stdout, "reconfigure"):  # in a notebook it is no file
        sys.stdout.reconfigure(encoding="utf-8")  # whatever the locale
    yield sys.stdout
    with writing(STANDARD_OUTPUT):
        sys.stdout.flush()
