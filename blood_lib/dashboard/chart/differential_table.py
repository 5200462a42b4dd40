"""The differential in figures and words, as the Chart tab and the report show it.

Counting is left to `blood_lib.counts`, where the words stand to `view.py` and to the
report.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blood_lib.bundle import NAMED, RULER, Bundle
from blood_lib.counts import Count
from blood_lib.counts.differential import Differential, Ratio, compute_differential, judge
from blood_lib.counts.fields import FieldCounts
from blood_lib.dashboard.chart.field_counts import count_fields, find_named
from blood_lib.dashboard.state import DECIDED, EXCLUDED, UNIDENTIFIED, Cell, Field
from blood_lib.dashboard.state.messages import Messages

__all__ = [
    "SIGNS",
    "Group",
    "Row",
    "DifferentialTable",
    "build_differential_table",
    "parse_range",
    "show_limit",
    "show_range",
]

SIGNS = {"inside": "✓", "below": "▼", "above": "▲", "maybe_below": "▽", "maybe_above": "△"}
MOST_UNKNOWN = 0.5  # of the cells in the differential; with more that are unfamiliar, nothing is assessed
MOST_PER_HUNDRED = 1000  # an interval that reaches further says nothing
ENOUGH = 200  # cells for a differential count
Range = tuple[float, float]
_NUMBER = re.compile(r"\d{1,3}([.,]\d{1,4})?")


@dataclass(frozen=True)
class Row:
    """One line of the table: texts as they are shown, "" where there is nothing to say."""

    name: str  # of the class or group
    label: str  # what people read
    n: int
    index: int | None = None  # of the class; None: no class
    share: str = ""
    interval: str = ""
    limits: Range | None = None  # the reference range in per cent
    flag: str = ""  # one of SIGNS


@dataclass(frozen=True)
class Group:
    """Lines that are counted alike."""

    kind: str  # "shares", "ratios", "apart", "outside", "by_field" or "by_thousand"
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class DifferentialTable:
    """Everything that is said about the numbers."""

    title: str
    differential: Differential
    groups: tuple[Group, ...]
    notes: str  # how to read the table
    unjudged: str  # why nothing is assessed; "" where it is
    caution: str  # what the number of cells allows to say; "" where it is enough
    doubtful: int  # cells that the model is not sure of and nobody has looked at
    decided: str  # how many stand where they do on a person's word, how many in bulk, how many on the model's


def build_differential_table(
    cells: Sequence[Cell],
    n_rejected: int,
    bundle: Bundle,
    ranges: Mapping[str, Range],
    t: Messages,
    fields: Sequence[Field] = (),
) -> DifferentialTable:
    """Count `cells` by the groups in which they stand; ranges: class name -> per cent."""
    labels = (cell.label if cell.counts else None for cell in cells)
    found = compute_differential(labels, bundle.classes)
    unknown = count_unknown(cells, bundle) if bundle.differential else 0
    is_judged = unknown <= MOST_UNKNOWN * found.n
    words = _Words(bundle, ranges if bundle.differential else {}, t, is_judged=is_judged)
    counted = count_fields(fields, cells, bundle)
    groups = (
        words.shares(found),
        words.ratios(found),
        words.apart(found),
        words.outside(cells, n_rejected),
        *(words.in_fields(counted) if counted else ()),
    )
    return DifferentialTable(
        title=t("chart.differential" if bundle.differential else "chart.title"),
        differential=found,
        groups=tuple(group for group in groups if group.rows),
        notes=" ".join([words.notes(bundle), *(words.notes_on_fields(counted) if counted else ())]),
        unjudged="" if is_judged else t("chart.unjudged", k=unknown, n=found.n),
        caution=words.caution(found) if bundle.differential else "",
        doubtful=sum(cell.doubtful for cell in cells),
        decided=words.decided(cells),
    )


def count_unknown(cells: Sequence[Cell], bundle: Bundle) -> int:
    """How many of those in the differential the model does not know, and no person has decided."""
    counted = {info.name for info in bundle.classes if info.in_differential}
    return sum(cell.label in counted and cell.status == "unfamiliar" and not cell.reviewed for cell in cells)


class _Words:
    """Turns numbers into rows, in the words of one bundle and one language."""

    def __init__(self, bundle: Bundle, ranges: Mapping[str, Range], t: Messages, *, is_judged: bool):
        self.t, self.is_judged = t, is_judged
        self.ranges = ranges
        self.index = {name: i for i, name in enumerate(bundle.names)}
        self.labels = {info.name: t.pick(info.label) for info in bundle.classes}
        self.bundle = bundle
        classes = bundle.detector.classes if bundle.detector else ()
        self.found = {info.name: t.pick(info.labels) for info in classes}  # of what is found in fields
        self.found_labels = {info.role: t.pick(info.labels) for info in classes}

    def shares(self, found: Differential) -> Group:
        rows = tuple(self._share(row, known=found.n > 0) for row in found.shares)
        return Group("shares", self.t("chart.counted", n=found.n), rows)

    def _share(self, row: Count, *, known: bool) -> Row:
        limits = self.ranges.get(row.name)
        return Row(
            name=row.name,
            label=self.labels[row.name],
            n=row.n,
            index=self.index[row.name],
            share=self.t.percent(row.share) if known else "",
            interval=f"{self._interval(100 * row.low, 100 * row.high)} %" if known else "",
            limits=limits,
            flag=judge(row, limits) if known and limits and self.is_judged else "",
        )

    def ratios(self, found: Differential) -> Group:
        rows = tuple(self._ratio(row) for row in found.ratios)
        return Group("ratios", self.t("chart.per_hundred"), rows)

    def _ratio(self, row: Ratio) -> Row:
        per_hundred = row.per_hundred
        return Row(
            name=row.name,
            label=self.labels[row.name],
            n=row.n,
            index=self.index[row.name],
            share="" if per_hundred is None else self.t.number(per_hundred, 1),
            interval="" if per_hundred is None else self._interval_of_ratio(row),
        )

    def _interval_of_ratio(self, row: Ratio) -> str:
        return self._interval(row.low, row.high) if row.high <= MOST_PER_HUNDRED else self.t("chart.too_few")

    def _interval(self, low: float, high: float) -> str:
        return f"{self.t.number(low, 1)}–{self.t.number(high, 1)}"

    def apart(self, found: Differential) -> Group:
        rows = (Row(name, self.labels[name], n, self.index[name]) for name, n in found.apart.items())
        return Group("apart", self.t("chart.apart"), tuple(rows))

    def outside(self, cells: Sequence[Cell], n_rejected: int) -> Group:
        """What was uploaded and is counted nowhere."""
        labels = [cell.label for cell in cells]
        rows = [Row(name, self.t(f"group.{name}"), labels.count(name)) for name in (UNIDENTIFIED, EXCLUDED)]
        rows.append(Row("rejected", self.t("chart.rejected"), n_rejected))
        return Group("outside", self.t("chart.outside"), tuple(rows))

    def decided(self, cells: Sequence[Cell]) -> str:
        who = Counter(cell.decided for cell in cells)
        counts = {name: who[name] for name in DECIDED}
        return self.t("chart.decided", n=len(cells), moved=sum(cell.moved for cell in cells), **counts)

    def in_fields(self, counted: FieldCounts) -> tuple[Group, Group]:
        """Cells of each of the detector's classes for a field, and for a thousand of the ruler's."""
        per_field = tuple(
            self._rate(row.name, row.n, row.mean, row.low, row.high) for row in counted.per_field
        )
        per_thousand = tuple(
            self._rate(row.name, row.n, row.value, row.low, row.high) for row in counted.per_thousand
        )
        return (
            Group("by_field", self.t("chart.per_field", n=counted.n_fields), per_field),
            Group("by_thousand", self.t("chart.per_thousand", rulers=self.found_labels[RULER]), per_thousand),
        )

    def _rate(self, name: str, n: int, value: float | None, low: float, high: float) -> Row:
        label = self.found[name]
        if value is None:
            return Row(name, label, n)
        return Row(name, label, n, share=self.t.number(value, 1), interval=self._interval(low, high))

    def notes_on_fields(self, counted: FieldCounts) -> list[str]:
        """How many fields more it takes to count enough, and what all these numbers do not mean."""
        named = find_named(self.bundle)
        missing = counted.count_missing(named, ENOUGH) if named else None
        notes = [self.t("chart.no_volume")]
        if missing is None or not missing[0]:
            return notes
        likely, best, worst = missing
        values = {"labels": self.found_labels[NAMED], "target": ENOUGH, "n": likely, "best": best}
        key = "chart.more_fields" if worst is not None else "chart.more_fields_at_least"
        return [self.t(key, **values, worst=worst), *notes]

    def notes(self, bundle: Bundle) -> str:
        """What an interval is and, where shares are judged, how, and whose the reference ranges are."""
        judged = (self.t("chart.perhaps"), self.t.pick(bundle.card.get("reference_ranges")))
        sentences = [self.t("chart.interval"), *(judged if bundle.differential else ())]
        return " ".join(sentence for sentence in sentences if sentence)

    def caution(self, found: Differential) -> str:
        """In plain words, how far from the truth a share may be when so few are counted."""
        if found.too_few is None:
            return ""
        if (row := found.widest) is None:
            return self.t("chart.none_counted")
        share, low, high = (self.t.percent(value, 0) for value in (row.share, row.low, row.high))
        values = {"type": self.labels[row.name], "share": share, "low": low, "high": high}
        return self.t(f"chart.below_{found.too_few}", n=found.n, **values)


def parse_range(low: object, high: object) -> Range | None:
    """The reference range that a person typed, in per cent; None for two empty texts.

    A comma is a decimal point too. ValueError unless 0 <= low <= high <= 100.
    """
    texts = [text.strip() if isinstance(text, str) else "no text" for text in (low, high)]
    if texts == ["", ""]:
        return None
    if not all(_NUMBER.fullmatch(text) for text in texts):
        raise ValueError("a range needs two numbers")
    least, most = (float(text.replace(",", ".")) for text in texts)
    if not least <= most <= 100:
        raise ValueError("a range goes up, and no further than 100")
    return least, most


def show_limit(value: float, t: Messages) -> str:
    """A limit of a reference range, with no more decimals than it has."""
    return t.number(value, len(f"{value:g}".partition(".")[2]))


def show_range(limits: Range | None, t: Messages) -> str:
    """A reference range in per cent; "" where there is none."""
    return "–".join(show_limit(value, t) for value in limits) + " %" if limits else ""
