"""What is measured, in which unit, and the bar: the most that each figure may be."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["ROWS", "Row", "describe"]


@dataclass(frozen=True)
class Row:
    """One line of the table. bar: None where none is set."""

    title: str
    unit: str
    bar: float | None = None


ROWS: Mapping[str, Row] = {
    "warm": Row("page asked for to ready, warm kernel", "s", 2),
    "cold": Row("page asked for to ready, cold", "s", 5),
    "few": Row("22 images dropped to everything shown", "s", 1.5),
    "first": Row("1,000 images dropped to first results", "s", 3),
    "thousand": Row("1,000 images dropped to everything shown", "s", 15),
    "many": Row("5,000 images dropped to everything shown", "s"),
    "tab_meanwhile": Row("tab click to tab drawn, while 5,000 come in", "ms"),
    "tab_after": Row("tab click to tab drawn, 5,000 images", "ms"),
    "click_few": Row("click on the map to cell shown, 22 images", "ms", 150),
    "click_thousand": Row("click on the map to cell shown, 1,000 images", "ms", 150),
    "move_here": Row("50 of 1,000 cells moved to the gallery right", "ms"),
    "move": Row("50 of 1,000 cells moved to all tabs right", "ms", 300),
    "loaded": Row("scripts and styles, files of the page", "MB"),
    "sent": Row("scripts and styles, sent by widgets", "MB"),
    "both": Row("scripts and styles, both together", "MB", 8),
    "travelled": Row("the same as they travel, files compressed", "MB"),
    "foreign": Row("requests to other hosts", "", 0),
    "idle_rss": Row("kernel's memory, idle, RSS", "MB", 250),
    "idle_uss": Row("kernel's memory, idle, USS", "MB", 250),
    "full_rss": Row("kernel's memory, after 1,000 images, RSS", "MB", 500),
    "full_uss": Row("kernel's memory, after 1,000 images, USS", "MB", 500),
    "growth": Row("highest RSS after an upload against the first's", "%", 5),
}


def describe(name: str, found: Sequence[float]) -> str:
    """A line with median, lowest to highest, n, and the bar beside it: missed if the median is above it."""
    row, middle = ROWS[name], statistics.median(found)
    spread = f"({min(found):.2f} to {max(found):.2f})"
    line = f"{row.title:52} {middle:8.2f} {row.unit:2} {spread:22} n = {len(found):<4}"
    if row.bar is None:
        return line.rstrip()
    return f"{line} bar {row.bar:g} {row.unit}".rstrip() + (" MISSED" if middle > row.bar else "")
