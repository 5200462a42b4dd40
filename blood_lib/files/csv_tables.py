"""Tables of text as spreadsheets write them: comma, semicolon or tab, with or without a byte order mark.

What the columns mean is for others.
"""

import codecs
import csv
import posixpath
from dataclasses import dataclass
from pathlib import Path

from blood_lib.files.errors import BloodError

__all__ = ["Row", "read_csv_table", "tidy_path"]

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One row: its line in the file, and the text of each column, stripped."""

    line: int
    texts: dict[str, str]


def read_csv_table(table: Path) -> tuple[list[str], list[Row]]:
    """The names of the columns, small letters, and the rows that hold anything. Raises BloodError.

    Excel's first line `sep=;` names the delimiter; otherwise it is the commonest in the first line.
    """
    try:
        lines = _decode(table.read_bytes()).splitlines(keepends=True)
        skipped, delimiter = _find_delimiter(lines)
        reader = csv.reader(lines[skipped:], delimiter=delimiter, strict=True)
        names = [name.strip().casefold() for name in next(reader, [])]
        rows = [(skipped + reader.line_num, row) for row in reader if any(text.strip() for text in row)]
    except (OSError, ValueError, csv.Error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BloodError(f"{table} cannot be read ({why}): give a CSV table in UTF-8.") from None
    for line, row in rows:
        if len(row) > len(names):
            raise BloodError(
                f"{table}, line {line}: it has {len(row)} columns, the first line {len(names)}; "
                "put quotes around a text that holds the delimiter."
            )
    return names, [Row(line, {n: t.strip() for n, t in zip(names, row, strict=False)}) for line, row in rows]


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")


def _find_delimiter(lines: list[str]) -> tuple[int, str]:
    """How many lines come before the names of the columns, and what parts these."""
    first = lines[0].strip() if lines else ""
    if first.casefold().startswith("sep=") and len(first) == len("sep=") + 1:
        return 1, first[-1]
    return 0, max(_DELIMITERS, key=first.count)


def tidy_path(file: str) -> str:
    """One spelling for each file: `./a//b` and Windows' `a\\b` are `a/b`."""
    return posixpath.normpath(file.replace("\\", "/"))
