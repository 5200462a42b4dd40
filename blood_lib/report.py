"""Results become files for people and spreadsheets.

What the results say is for `inference.py`; where they are shown on a screen, for the dashboard.
"""

import os
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from blood_lib import BloodError
from blood_lib.archives import printable

if TYPE_CHECKING:
    from blood_lib.inference import Result

__all__ = [
    "COLUMNS",
    "REVIEW_COLUMNS",
    "Reviewed",
    "open_whole",
    "write_csv",
    "write_reviewed",
    "write_whole",
    "writing",
]

COLUMNS = ("file", "status", "reason", "label", "confidence")
REVIEW_COLUMNS = ("group", "reviewed")

_PLAIN = re.compile(r"[\w ./:()-]*")  # what no spreadsheet of any country parts a row at
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the same four in full width


class Reviewed(NamedTuple):
    """A result, and what became of it in a review."""

    result: "Result"
    group: str = ""  # where it stands: a class, or a group that does not count
    reviewed: bool = False  # a person has said so


def write_csv(
    results: "Iterable[Result]", class_names: Sequence[str], file: TextIO, *, where: str = "the table"
) -> Counter[str]:
    """Write a row per result as it comes; returns how many there were of each status.

    Columns: file, status, reason, label, confidence, and p_CLASS per class. Texts that a spreadsheet would
    run as a formula get an apostrophe, and quotes keep a text with a `;` in its cell
    (https://owasp.org/www-community/attacks/CSV_Injection). `where`: what a complaint calls the file.
    """
    _write_row(_list_columns(class_names), file, where)
    statuses: Counter[str] = Counter()
    for result in results:
        _write_row(_to_row(result, len(class_names)), file, where)
        statuses[result.status] += 1
    return statuses


def write_reviewed(rows: Iterable[Reviewed], class_names: Sequence[str], file: TextIO) -> None:
    """The same table with two columns more at its end: group, and reviewed (yes or no)."""
    where = "the table"
    _write_row([*_list_columns(class_names), *REVIEW_COLUMNS], file, where)
    for row in rows:
        texts = [_harmless(row.group), "yes" if row.reviewed else "no"]
        _write_row(_to_row(row.result, len(class_names)) + texts, file, where)


def _list_columns(class_names: Sequence[str]) -> list[str]:
    return [*COLUMNS, *(f"p_{name}" for name in class_names)]


def _write_row(texts: Iterable[str], file: TextIO, where: str) -> None:
    with writing(where):
        file.write(",".join(map(_quote, texts)) + "\n")


def _to_row(result: "Result", n_classes: int) -> list[str]:
    texts = [_harmless(text) for text in (result.name, result.status, result.reason, result.label or "")]
    if result.probs is None:
        return texts + [""] * (1 + n_classes)
    return texts + [f"{value:.6f}" for value in (result.confidence, *result.probs)]


def _harmless(text: str) -> str:
    text = printable(text)  # one line, no control characters
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else '"' + text.replace('"', '""') + '"'


@contextmanager
def writing(where: object) -> Iterator[None]:
    """What goes wrong while `where` is written becomes a sentence, except for a reader who has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BloodError(f"{where} cannot be written: {error.strerror}; choose another place.") from None


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """Open a text file for writing that appears under its name only when it is whole; raises BloodError.

    What goes wrong inside the `with` leaves nothing behind, and an older file of that name as it was. A
    device or a pipe is written to directly.
    """
    target = Path(os.path.realpath(path))
    is_device = target.exists() and not target.is_file()
    part = target if is_device else target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    with writing(path):
        file = part.open("w" if is_device else "x", encoding="utf-8", newline="")
    try:
        yield file
        with writing(path):
            file.close()
    except BaseException:
        with suppress(OSError):
            file.close()
        if not is_device:
            part.unlink(missing_ok=True)
        raise
    if not is_device:
        _put_in_place(part, target)


def write_whole(path: Path, text: str) -> None:
    """`Path.write_text` by `open_whole`: whoever is killed meanwhile leaves the older file, or none."""
    with open_whole(path) as file:
        file.write(text)


def _put_in_place(part: Path, target: Path) -> None:
    try:
        part.replace(target)
    except OSError as error:  # on Windows, while a program shows the older file
        raise BloodError(
            f"{target} cannot be replaced: {error.strerror}; the table is kept as {part}."
        ) from None
