"""Results become a table for people and spreadsheets.

What the results say is for `classifier.py`; where they are shown on a screen, for the dashboard.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TextIO

from blood_lib.files.archives import printable
from blood_lib.files.output import writing
from blood_lib.files.reasons import Reason
from blood_lib.inference.results import Result

__all__ = [
    "COLUMNS",
    "PLACE",
    "REVIEW_COLUMNS",
    "Reviewed",
    "harmless",
    "write_csv",
    "write_reviewed",
    "write_row",
]

PLACE = ("x", "y", "width", "height")
COLUMNS = ("file", "cell", *PLACE, "diameter_um", "status", "reason", "label", "confidence")
REVIEW_COLUMNS = ("group", "reviewed")

Say = Callable[[Reason | None], str]  # a reason's sentence, "" for None

_PLAIN = re.compile(r"[\w ./:()-]*")  # what no spreadsheet of any country parts a row at
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the same four in full width


class Reviewed(NamedTuple):
    """A result, and what became of it in a review."""

    result: Result
    group: str = ""  # where it stands: a class, or a group that does not count
    reviewed: str = "no"  # "person": a person has decided; "bulk": accepted with many others; "no"


def write_csv(
    results: Iterable[Result],
    class_names: Sequence[str],
    file: TextIO,
    *,
    where: str = "the table",
    further: Mapping[str, Callable[[Result], str]] | None = None,
) -> Counter[str]:
    """Write a row per result as it comes; returns how many there were of each status.

    further: names of more columns at the end, and what a result has there.

    Columns: COLUMNS, and p_CLASS per class. Where a cell lies is empty for a picture of one cell. Texts that
    a spreadsheet would run as a formula get an apostrophe, and quotes keep a text with a `;` in its cell
    (https://owasp.org/www-community/attacks/CSV_Injection). `where`: what a complaint calls the file.
    """
    further = further or {}
    write_row([*_list_columns(class_names), *further], file, where)
    statuses: Counter[str] = Counter()
    for result in results:
        texts = [harmless(tell(result)) for tell in further.values()]
        write_row(_to_row(result, len(class_names), _say) + texts, file, where)
        statuses[result.status] += 1
    return statuses


def write_reviewed(
    rows: Iterable[Reviewed], class_names: Sequence[str], file: TextIO, *, say: Say | None = None
) -> None:
    """The same table with two more columns at its end: group, and reviewed.

    say: gives the sentence for a reason, in the reader's language; English by default.
    """
    where = "the table"
    write_row([*_list_columns(class_names), *REVIEW_COLUMNS], file, where)
    for row in rows:
        texts = [harmless(row.group), row.reviewed]
        write_row(_to_row(row.result, len(class_names), say or _say) + texts, file, where)


def _list_columns(class_names: Sequence[str]) -> list[str]:
    return [*COLUMNS, *(f"p_{name}" for name in class_names)]


def write_row(texts: Iterable[str], file: TextIO, where: str) -> None:
    with writing(where):
        file.write(",".join(map(_quote, texts)) + "\n")


def _say(reason: Reason | None) -> str:
    return "" if reason is None else str(reason)


def _to_row(result: Result, n_classes: int, say: Say) -> list[str]:
    texts = [harmless(result.name), "" if result.cell is None else str(result.cell)]
    texts += [f"{value:.1f}" for value in result.box] if result.box else [""] * len(PLACE)
    texts += ["" if result.diameter_um is None else f"{result.diameter_um:.2f}"]
    texts += [harmless(text) for text in (result.status, say(result.reason), result.label or "")]
    if result.probs is None:
        return texts + [""] * (1 + n_classes)
    return texts + [f"{value:.6f}" for value in (result.confidence, *result.probs)]


def harmless(text: str) -> str:
    text = printable(text)  # one line, no control characters
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else '"' + text.replace('"', '""') + '"'
