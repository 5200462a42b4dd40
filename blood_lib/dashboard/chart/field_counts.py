"""What only whole fields tell, as people have left their cells; counting is left to `blood_lib.counts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from blood_lib.bundle import NAMED, Bundle
from blood_lib.counts.fields import FieldCounts, compute_field_counts
from blood_lib.dashboard.state import Cell, Field

__all__ = ["count_fields", "find_named"]


def count_fields(fields: Sequence[Field], cells: Iterable[Cell], bundle: Bundle) -> FieldCounts | None:
    """The counts of all fields, without the cells that people excluded or removed; None without fields."""
    named, info = find_named(bundle), bundle.detector
    if not fields or info is None or named is None:
        return None
    left = Counter(cell.field for cell in cells if cell.counts and cell.field is not None)
    counts = [field.reading.counts | {named: left[field.id]} for field in fields]
    return compute_field_counts(counts, {each.name: each.role for each in info.classes})


def find_named(bundle: Bundle) -> str | None:
    """The detector's class whose cells the page names; None where it has several of these."""
    classes = bundle.detector.classes if bundle.detector else ()
    found = [info.name for info in classes if info.role == NAMED]
    return found[0] if len(found) == 1 else None
