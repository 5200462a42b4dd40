"""A mark per class: a shape that plotly and SVG both can draw, so that colour is never the only sign."""

from __future__ import annotations

from typing import Any

from blood_lib.bundle import Bundle
from blood_lib.dashboard.messages import Messages

__all__ = ["describe_types", "plotly_symbol", "svg_mark"]

# plotly's name, and the same shape as an SVG path in a box of 16 x 16
SHAPES = (
    ("circle", "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13Z"),
    ("square", "M2.5 2.5h11v11h-11Z"),
    ("diamond", "M8 .8 15.2 8 8 15.2.8 8Z"),
    ("triangle-up", "M8 1.2 15 14H1Z"),
    ("cross", "M5.6 1.2h4.8v4.4h4.4v4.8h-4.4v4.4H5.6v-4.4H1.2V5.6h4.4Z"),
    ("triangle-down", "M8 14.8 1 2h14Z"),
    ("pentagon", "M8 1 15.2 6.2 12.4 14.6H3.6L.8 6.2Z"),
    ("star", "M8 .7 10.2 5.6 15.5 6.2 11.5 9.7 12.7 15 8 12.2 3.3 15 4.5 9.7.5 6.2 5.8 5.6Z"),
    ("x", "M4.6 1.4 8 4.8l3.4-3.4 3.2 3.2L11.2 8l3.4 3.4-3.2 3.2L8 11.2l-3.4 3.4-3.2-3.2L4.8 8 1.4 4.6Z"),
    ("hexagon", "M8 .9 14.2 4.5v7L8 15.1 1.8 11.5v-7Z"),
    ("hourglass", "M2 1.5h12L8 8l6 6.5H2L8 8Z"),
    ("bowtie", "M1.5 2 8 8l6.5-6v12L8 8l-6.5 6Z"),
)


def plotly_symbol(index: int) -> str:
    """The plotly symbol of class number `index`; shapes repeat after a dozen classes, colours need not."""
    return SHAPES[index % len(SHAPES)][0]


def svg_mark(index: int, colour: str, size: int = 14) -> str:
    """An inline SVG of the mark of class number `index`; colour: "#rrggbb"."""
    path = SHAPES[index % len(SHAPES)][1]
    return (
        f'<svg class="dash-mark" viewBox="0 0 16 16" width="{size}" height="{size}" aria-hidden="true">'
        f'<path d="{path}" fill="{colour}"/></svg>'
    )


def describe_types(bundle: Bundle, messages: Messages) -> list[dict[str, Any]]:
    """label, colour and shape of each class, in the bundle's order, as the scripts need them."""
    return [
        {"label": messages.pick(info.label), "colour": info.colour, "shape": SHAPES[i % len(SHAPES)][1]}
        for i, info in enumerate(bundle.classes)
    ]
