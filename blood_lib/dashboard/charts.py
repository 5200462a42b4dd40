"""Bar chart and pie as SVG text; leaves counting to `counts.py` and where they are shown to `views.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from blood_lib.dashboard.glyphs import SHAPES

__all__ = ["Bar", "draw_bars", "draw_pie"]

ROW, LABEL, TRACK, WIDTH = 38, 172, 300, 640


@dataclass(frozen=True)
class Bar:
    """One class: how many in all, and how many of these somebody should look at."""

    index: int
    label: str
    colour: str
    n: int
    to_check: int
    share: float  # of all, in [0, 1]
    interval: tuple[float, float]


def draw_bars(bars: Sequence[Bar], title: str) -> str:
    """Horizontal bars with number, share and interval; striped where somebody should look."""
    most = max((bar.n for bar in bars), default=0) or 1
    rows = [_draw_bar(bar, i * ROW, TRACK / most) for i, bar in enumerate(bars)]
    return _svg(WIDTH, ROW * len(bars), title, bars, _STRIPES + "".join(rows))


def _draw_bar(bar: Bar, y: float, scale: float) -> str:
    length, sure = bar.n * scale, (bar.n - bar.to_check) * scale
    top, height, middle = y + 8, ROW - 16, y + ROW / 2 + 4.5
    low, high = bar.interval
    stripes = (
        _rect(LABEL + sure, top, length - sure, height, 'fill="url(#dash-stripes)"') if bar.to_check else ""
    )
    numbers = (
        f'<text x="{LABEL + length + 10:.1f}" y="{middle:.1f}"><tspan font-weight="650">{bar.n:,}</tspan>'
        f'<tspan class="dash-soft" dx="8">{_percent(bar.share)} ({_percent(low, 0)}–{_percent(high, 0)})</tspan></text>'
        if bar.n
        else f'<text class="dash-soft" x="{LABEL + 6}" y="{middle:.1f}">0</text>'
    )
    return (
        f'{_shape(bar, 2, y + ROW / 2 - 7)}<text x="24" y="{middle:.1f}">{escape(bar.label)}</text>'
        f"{_rect(LABEL, top, length, height, f'fill={chr(34)}{bar.colour}{chr(34)}')}{stripes}{numbers}"
    )


def draw_pie(bars: Sequence[Bar], title: str, middle: str, below: str) -> str:
    """A ring with the total in its middle and each class's number beside its slice."""
    total = sum(bar.n for bar in bars)
    slices, labels, start = [], [], 0.0
    for bar in (bar for bar in bars if bar.n):
        end = start + bar.n / total
        slices.append(f'<path class="dash-slice" d="{_ring(start, end)}" fill="{bar.colour}"/>')
        if bar.n / total >= 0.035:
            labels.append(_slice_label(bar, (start + end) / 2))
        start = end
    center = (
        f'<text class="dash-center" x="180" y="178" text-anchor="middle">{escape(middle)}</text>'
        f'<text class="dash-soft" x="180" y="200" text-anchor="middle">{escape(below)}</text>'
    )
    return _svg(360, 356, title, bars, "".join(slices + labels) + center)


def _slice_label(bar: Bar, turn: float) -> str:
    x, y = _point(turn, 146)
    return (
        f"{_shape(bar, x - 7, y - 15)}"
        f'<text x="{x:.1f}" y="{y + 13:.1f}" text-anchor="middle">{_percent(bar.share, 0)}</text>'
    )


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
    path = SHAPES[bar.index % len(SHAPES)][1]
    return (
        f'<path class="dash-shape" transform="translate({x:.1f} {y:.1f}) scale(.875)" d="{path}" '
        f'fill="{bar.colour}"/>'
    )


def _rect(x: float, y: float, width: float, height: float, paint: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="3" {paint}/>'


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _svg(width: int, height: int, title: str, bars: Sequence[Bar], content: str) -> str:
    words = f"{title}: " + ", ".join(f"{bar.label} {bar.n}" for bar in bars)
    return (
        f'<svg class="dash-chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(words)}">'
        f"{content}</svg>"
    )


_STRIPES = (
    '<defs><pattern id="dash-stripes" width="8" height="8" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="dash-stripes" d="M2 0V8"/></pattern></defs>'
)
