"""Bar chart and pie as SVG inside HTML text; leaves the numbers in words to `differential_table.py`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from blood_lib.bundle import Bundle
from blood_lib.dashboard.state import Cell
from blood_lib.dashboard.state.messages import Messages
from blood_lib.dashboard.widgets.markers import svg_marker, svg_shape

__all__ = ["Bar", "draw_bars", "draw_charts", "draw_pie"]


@dataclass(frozen=True)
class Bar:
    """One class: how many in all, and how many of these somebody should look at."""

    index: int
    label: str
    colour: str
    n: int
    to_check: int
    number: str  # n as the page writes numbers


def draw_charts(cells: Sequence[Cell], bundle: Bundle, t: Messages) -> str:
    """Two sections: bars of all types, and a pie of those in the differential."""
    numbers: Counter[str] = Counter()
    to_check: Counter[str] = Counter()
    for cell in cells:
        numbers[cell.label] += 1
        to_check[cell.label] += cell.doubtful
    bars = [
        Bar(i, t.pick(info.label), info.colour, n, to_check[info.name], t.number(n))
        for i, info in enumerate(bundle.classes)
        for n in [numbers[info.name]]
    ]
    counted = [bar for bar, info in zip(bars, bundle.classes, strict=True) if info.in_differential]
    total = t.number(sum(bar.n for bar in counted))
    bar_chart = draw_bars(bars, (t("chart.type"), t("chart.number"))) + _draw_key(bars, t)
    pie = draw_pie(counted, t("chart.pie"), total, t.words["counted"])
    parts = ((t("chart.bar"), bar_chart), (t("chart.pie"), pie))
    sections = (
        f'<section class="dash-surface"><h2>{escape(title)}</h2>{drawn}</section>' for title, drawn in parts
    )
    return f'<div class="dash-charts">{"".join(sections)}</div>'


def _draw_key(bars: Sequence[Bar], t: Messages) -> str:
    if not any(bar.to_check for bar in bars):
        return ""
    return (
        f'<p class="dash-key"><span><i class="dash-swatch"></i>{escape(t("chart.solid"))}</span>'
        f'<span><i class="dash-swatch dash-swatch-striped"></i>{escape(t("chart.hatched"))}</span></p>'
    )


def draw_bars(bars: Sequence[Bar], heads: tuple[str, str]) -> str:
    """A table with a bar in each row, striped where somebody should look; heads: of type and number."""
    most = max((bar.n for bar in bars), default=0) or 1
    names = [heads[0], "", heads[1]]
    head = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in names)
    rows = "".join(_draw_row(bar, most) for bar in bars)
    return f'<table class="dash-bars"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _draw_row(bar: Bar, most: int) -> str:
    return (
        f'<tr><th scope="row">{svg_marker(bar.index, bar.colour)}{escape(bar.label)}</th>'
        f'<td class="dash-bar-cell">{_draw_bar(bar, most)}</td><td class="dash-count">{bar.number}</td></tr>'
    )


def _draw_bar(bar: Bar, most: int) -> str:
    """Widths in per cent, so that the bar fits any screen; the count beside it says the same in words."""
    length, sure = 100 * bar.n / most, 100 * (bar.n - bar.to_check) / most
    parts = [_rect(0, 100, 'class="dash-track"'), _rect(0, length, f'fill="{bar.colour}"')]
    if bar.to_check:
        parts.append(_rect(sure, length - sure, f'fill="url(#dash-stripes-{bar.index})"'))
        parts.insert(0, _STRIPES.format(bar.index))
    return f'<svg aria-hidden="true">{"".join(parts)}</svg>'


def _rect(x: float, width: float, paint: str) -> str:
    return f'<rect x="{x:.2f}%" width="{width:.2f}%" height="100%" rx="3" {paint}/>'


def draw_pie(bars: Sequence[Bar], title: str, middle: str, below: str) -> str:
    """A ring with a number and a word in its middle, and each class's share beside its slice."""
    total = sum(bar.n for bar in bars)
    slices, labels, start = [], [], 0.0
    for bar in (bar for bar in bars if bar.n):
        end = start + bar.n / total
        slices.append(f'<path class="dash-slice" d="{_ring(start, end)}" fill="{bar.colour}"/>')
        if bar.n / total >= 0.035:
            labels.append(_slice_label(bar, bar.n / total, (start + end) / 2))
        start = end
    center = (
        f'<text class="dash-center" x="180" y="178" text-anchor="middle">{escape(middle)}</text>'
        f'<text class="dash-soft" x="180" y="200" text-anchor="middle">{escape(below)}</text>'
    )
    words = f"{title}: " + ", ".join(f"{bar.label} {bar.n}" for bar in bars)
    return (
        f'<svg class="dash-pie" viewBox="0 0 360 356" role="img" aria-label="{escape(words)}">'
        f"{''.join(slices + labels)}{center}</svg>"
    )


def _slice_label(bar: Bar, share: float, turn: float) -> str:
    x, y = _point(turn, 146)
    return (
        f"{_shape(bar, x - 7, y - 15)}"
        f'<text x="{x:.1f}" y="{y + 13:.1f}" text-anchor="middle">{_percent(share)}</text>'
    )


def _percent(share: float) -> str:
    """In whole per cent; never all for what is only close to it."""
    return "&gt; 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def _ring(start: float, end: float, outer: float = 124, inner: float = 72) -> str:
    """Path of a ring's part; `start` and `end` in turns from the top, clockwise."""
    end = min(end, start + 0.99999)  # a whole turn would begin where it ends and vanish
    large = int(end - start > 0.5)
    (x0, y0), (x1, y1) = _point(start, outer), _point(end, outer)
    (x2, y2), (x3, y3) = _point(end, inner), _point(start, inner)
    return (
        f"M{x0:.2f} {y0:.2f}A{outer} {outer} 0 {large} 1 {x1:.2f} {y1:.2f}"
        f"L{x2:.2f} {y2:.2f}A{inner} {inner} 0 {large} 0 {x3:.2f} {y3:.2f}Z"
    )


def _point(turn: float, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * turn
    return 180 + radius * math.sin(angle), 180 - radius * math.cos(angle)


def _shape(bar: Bar, x: float, y: float) -> str:
    path = svg_shape(bar.index)
    return (
        f'<path class="dash-shape" transform="translate({x:.1f} {y:.1f}) scale(.875)" d="{path}" '
        f'fill="{bar.colour}"/>'
    )


_STRIPES = (
    '<defs><pattern id="dash-stripes-{}" width="8" height="8" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="dash-stripes" d="M2 0V8"/></pattern></defs>'
)
