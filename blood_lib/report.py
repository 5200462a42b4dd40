"""Results become files for people and spreadsheets.

What the results say is for `inference.py`; where they are shown on a screen, for the dashboard.
"""

import csv
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from blood_lib.archives import printable

if TYPE_CHECKING:
    from blood_lib.inference import Result

__all__ = ["COLUMNS", "open_whole", "write_csv"]

COLUMNS = ("file", "status", "reason", "label", "confidence")


def write_csv(results: "Iterable[Result]", class_names: Sequence[str], file: TextIO) -> Counter[str]:
    """Write a row per result as it comes; returns how many there were of each status.

    Columns: file, status, reason, label, confidence, and p_CLASS per class. Texts that a spreadsheet would
    run as a formula get an apostrophe (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, *(f"p_{name}" for name in class_names)])
    statuses: Counter[str] = Counter()
    for result in results:
        writer.writerow(_to_row(result, len(class_names)))
        statuses[result.status] += 1
    return statuses


def _to_row(result: "Result", n_classes: int) -> list[str]:
    texts = [_harmless(text) for text in (result.name, result.status, result.reason, result.label or "")]
    if result.probs is None:
        return texts + [""] * (1 + n_classes)
    return texts + [f"{value:.6f}" for value in (result.confidence, *result.probs)]


def _harmless(text: str) -> str:
    text = printable(text)  # one line, no control characters
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """Open a text file for writing that appears under its name only when it is whole; raises OSError.

    What goes wrong inside the `with` leaves nothing behind, and an older file of that name as it was. A
    device or a pipe is written to directly.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
