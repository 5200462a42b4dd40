"""How groups and statuses are marked: by a shape or a sign, so that colour is never the only one."""

from __future__ import annotations

from typing import Any

from blood_lib.bundle import EXCLUDED, UNIDENTIFIED, Bundle
from blood_lib.dashboard.state.messages import Messages

__all__ = [
    "CELL_SIGNS",
    "describe_groups",
    "describe_types",
    "name_groups",
    "svg_marker",
    "svg_shape",
]

# of a status other than "ok", and of what people have done with a cell
CELL_SIGNS = {
    "uncertain": "?",
    "unfamiliar": "!",
    "rejected": "×",
    "confirmed": "✓",
    "moved": "→",
    "bulk": "»",
    "drawn": "✎",
}
# in a box of 16 x 16
SHAPES = (
    "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13Z",
    "M2.5 2.5h11v11h-11Z",
    "M8 .8 15.2 8 8 15.2.8 8Z",
    "M8 1.2 15 14H1Z",
    "M5.6 1.2h4.8v4.4h4.4v4.8h-4.4v4.4H5.6v-4.4H1.2V5.6h4.4Z",
    "M8 14.8 1 2h14Z",
    "M8 1 15.2 6.2 12.4 14.6H3.6L.8 6.2Z",
    "M8 .7 10.2 5.6 15.5 6.2 11.5 9.7 12.7 15 8 12.2 3.3 15 4.5 9.7.5 6.2 5.8 5.6Z",
    "M4.6 1.4 8 4.8l3.4-3.4 3.2 3.2L11.2 8l3.4 3.4-3.2 3.2L8 11.2l-3.4 3.4-3.2-3.2L4.8 8 1.4 4.6Z",
    "M8 .9 14.2 4.5v7L8 15.1 1.8 11.5v-7Z",
    "M2 1.5h12L8 8l6 6.5H2L8 8Z",
    "M1.5 2 8 8l6.5-6v12L8 8l-6.5 6Z",
)
# of the groups that are no classes: (name, colour, path)
OTHERS = (
    (UNIDENTIFIED, "#7d8896", "M5.3 1.5h5.4L14.5 5.3v5.4L10.7 14.5H5.3L1.5 10.7V5.3Z"),
    (EXCLUDED, "#7d8896", "M0 8 8 3.2 16 8 8 12.8Z"),
)


def svg_shape(index: int) -> str:
    """The shape of class number `index`; shapes repeat after a dozen classes, colours need not."""
    return SHAPES[index % len(SHAPES)]


def svg_marker(index: int, colour: str, size: int = 14) -> str:
    """An inline SVG of the marker of class number `index`; colour: "#rrggbb"."""
    return (
        f'<svg class="dash-mark" viewBox="0 0 16 16" width="{size}" height="{size}" aria-hidden="true">'
        f'<path d="{svg_shape(index)}" fill="{colour}"/></svg>'
    )


def describe_types(bundle: Bundle, messages: Messages) -> list[dict[str, Any]]:
    """label, colour and shape of each class, in the bundle's order, as the scripts need them."""
    return [
        {"label": messages.pick(info.label), "colour": info.colour, "shape": svg_shape(i)}
        for i, info in enumerate(bundle.classes)
    ]


def name_groups(bundle: Bundle) -> list[str]:
    """All groups that a cell can stand in: the classes, then what is no class."""
    return [*bundle.names, *(name for name, *_ in OTHERS)]


def describe_groups(bundle: Bundle, messages: Messages) -> list[dict[str, Any]]:
    """The same for all groups, in the order of `name_groups`."""
    others = [
        {"label": messages(f"group.{name}"), "colour": colour, "shape": path} for name, colour, path in OTHERS
    ]
    described = describe_types(bundle, messages) + others
    return [{"name": name, **one} for name, one in zip(name_groups(bundle), described, strict=True)]
