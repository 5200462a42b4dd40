"""The map as a plotly figure: zones, reference cells, uploaded cells; leaves placing cells to the atlas.

Only the uploaded cells are points to plotly, which draws all of them anew at every change: what never changes
is a picture below them, and the ring lies above. Ink and paper follow the theme by the style sheet.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Collection, Sequence
from functools import reduce
from html import escape
from typing import Any

import numpy as np

from blood_lib.atlas import Atlas, Zones
from blood_lib.bundle import Bundle
from blood_lib.dashboard.glyphs import describe_groups, name_groups, plotly_symbols, svg_shape
from blood_lib.dashboard.messages import Messages
from blood_lib.dashboard.neighbourhood import thin_out
from blood_lib.dashboard.pictures import parse_colour, to_png
from blood_lib.dashboard.state import EXCLUDED, Cell

__all__ = [
    "CONFIG",
    "build_layout",
    "build_traces",
    "build_widget",
    "describe_cells",
    "draw_plane",
    "draw_zones",
    "find_changes",
    "load_widget_class",
]

MOST_REFERENCE = 4000  # marks drawn
ZONE_OPACITY = 0.22
INK = "#1a2330"
REVIEWED = "#1f5fbf"  # the outline of what a person has looked at; style.css knows it too
OUTLINE, REVIEWED_OUTLINE = 1.8, 3.2  # px
SIZE, MARKED_SIZE = 13, 21  # px
EXCLUDED_OPACITY = 0.3
MARGIN = 0.12  # of the map around its outermost reference cells
PICTURE = 1000  # units a side of the picture of the reference cells

CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "zoom2d", "pan2d"],
    "toImageButtonOptions": {"filename": "map", "scale": 2},
}


def load_widget_class() -> type:
    """plotly's FigureWidget, which takes half a second to import.

    Without this detour it would take twice that: jsonschema, which comes with nbformat, which comes with
    plotly, compiles a grammar of web addresses that nothing here uses.
    """
    missing = "rfc3987_syntax" not in sys.modules
    if missing:
        sys.modules["rfc3987_syntax"] = None
    try:
        from plotly.graph_objs._figurewidget import FigureWidget
    finally:
        if missing:
            del sys.modules["rfc3987_syntax"]
    return FigureWidget


def build_widget(traces: list[dict[str, Any]], layout: dict[str, Any]) -> Any:
    """The figure as a widget, of which the page hears only when there is all in it.

    plotly's own tells the page of an empty figure first and fills it in by further messages: a page that
    draws it in between shows empty axes for good.
    """

    class Figure(load_widget_class()):
        complete = False

        def open(self) -> None:
            if self.complete:
                super().open()

        def restyle(self, changes: dict[str, Any]) -> None:
            """Change the one trace by what `find_changes` has found.

            plotly's own way checks each value of each list: a tenth of a second for a thousand cells.
            """
            for path, value in changes.items():
                *parents, name = path.split(".")
                props = reduce(lambda above, parent: above.setdefault(parent, {}), parents, self._data[0])
                props[name] = value
            self._send_restyle_msg({path: [value] for path, value in changes.items()}, trace_indexes=[0])

    figure = Figure(data=traces, layout=layout)
    figure._config = figure._config | CONFIG
    figure.complete = True
    figure.open()
    return figure


def build_traces(bundle: Bundle, messages: Messages) -> list[dict[str, Any]]:
    """The trace of the uploaded cells, still without any.

    plotly fades what its latest lasso left out and cannot be told to forget it; here marks look otherwise.
    """
    even = {"unselected": {"marker": {"opacity": 1}}}
    return [{"type": "scatter", "mode": "markers", **even, **describe_cells([], bundle, messages)}]


def describe_cells(
    cells: Sequence[Cell], bundle: Bundle, messages: Messages, marked: Collection[int] = ()
) -> dict[str, Any]:
    """What their trace shows: place, colour and shape by group, outline by review, text when pointed at.

    marked: ids of the cells that are shown larger.
    """
    chosen = set(marked)
    index = {name: i for i, name in enumerate(name_groups(bundle))}
    looks, symbols = describe_groups(bundle, messages), plotly_symbols(bundle)
    kinds = [index[cell.label] for cell in cells]
    return {
        "x": np.array([cell.place[0] for cell in cells], np.float32),
        "y": np.array([cell.place[1] for cell in cells], np.float32),
        "marker": {
            "size": [MARKED_SIZE if cell.id in chosen else SIZE for cell in cells],
            "color": [looks[kind]["colour"] for kind in kinds],
            "symbol": [symbols[kind] for kind in kinds],
            "opacity": [EXCLUDED_OPACITY if cell.label == EXCLUDED else 1 for cell in cells],
            "line": {
                "width": [REVIEWED_OUTLINE if cell.reviewed else OUTLINE for cell in cells],
                "color": [REVIEWED if cell.reviewed else INK for cell in cells],
            },
        },
        "hovertext": [
            _hover(cell, looks[kind]["label"], messages) for cell, kind in zip(cells, kinds, strict=True)
        ],
        "hoverinfo": "text",
    }


def find_changes(before: dict[str, Any], after: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Path in the trace ("marker.line.color") -> value, of what `after` has otherwise than `before`."""
    changes = {}
    for name, value in after.items():
        if isinstance(value, dict):
            changes |= find_changes(before.get(name, {}), value, f"{path}{name}.")
        elif name not in before or not np.array_equal(before[name], value):
            changes[path + name] = value
    return changes


def _hover(cell: Cell, label: str, messages: Messages) -> str:
    """Plotly understands some tags here, so the file's name is escaped and cut."""
    name = cell.name if len(cell.name) <= 60 else f"…{cell.name[-59:]}"
    if cell.reviewed:
        said = messages("map.moved" if cell.moved else "map.confirmed")
    else:
        doubt = "" if cell.status == "ok" else f", {messages(f'state.{cell.status}')}"
        said = f"{100 * cell.confidence:.0f} %{doubt}"
    return f"{escape(label)}, {escape(said)}<br>{escape(name)}"


def build_layout(atlas: Atlas, bundle: Bundle) -> dict[str, Any]:
    """Axes without ticks and of one scale, zones and reference cells as a picture below everything."""
    zones = atlas.zones()
    (left, bottom), (right, top) = zones.low, zones.high
    # "domain": drawn in a hidden tab of another shape, the ranges would be widened for good
    axis = {"visible": False, "fixedrange": False, "constrain": "domain"}
    (x0, y0), (x1, y1) = atlas.embedding.min(axis=0) - MARGIN, atlas.embedding.max(axis=0) + MARGIN
    return {
        "autosize": True,
        "template": "none",  # nothing here needs plotly's own, which costs a quarter of a second
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "xaxis": axis | {"range": [float(x0), float(x1)]},
        "yaxis": axis | {"range": [float(y0), float(y1)], "scaleanchor": "x"},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": "pan",
        "newselection": {"mode": "immediate"},
        "uirevision": "keep",
        "modebar": {"bgcolor": "rgba(255,255,255,0.8)", "color": "#566273", "activecolor": INK},
        "hoverlabel": {
            "bgcolor": "#ffffff",
            "bordercolor": INK,
            "font": {"color": INK, "size": 13},
            "align": "left",
        },
        "images": [
            {
                "source": _to_url("image/svg+xml", draw_plane(atlas, zones, bundle).encode()),
                "xref": "x",
                "yref": "y",
                "x": left,
                "y": top,
                "sizex": right - left,
                "sizey": top - bottom,
                "sizing": "stretch",
                "layer": "below",
            }
        ],
    }


def _to_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def draw_plane(atlas: Atlas, zones: Zones, bundle: Bundle) -> str:
    """An SVG of the plane: the zones, and each reference cell (thinned out) as the mark of its class."""
    shown = thin_out(len(atlas.target), MOST_REFERENCE)
    low, high = np.array(zones.low), np.array(zones.high)
    places = PICTURE * (atlas.embedding[shown] - low) / (high - low)
    marks = [
        f'<use href="#m{kind}" x="{x:.1f}" y="{PICTURE - y:.1f}"/>'
        for kind, (x, y) in zip(atlas.target[shown], places, strict=True)
    ]
    shapes = [
        f'<path id="m{i}" d="{svg_shape(i)}" fill="{info.colour}" transform="translate(-4 -4) scale(.5)"/>'
        for i, info in enumerate(bundle.classes)
    ]
    ground = _to_url("image/png", draw_zones(zones.raster, bundle))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PICTURE} {PICTURE}" width="{PICTURE}" '
        f'height="{PICTURE}"><defs>{"".join(shapes)}</defs><image href="{ground}" width="{PICTURE}" '
        f'height="{PICTURE}"/><g opacity=".6">{"".join(marks)}</g></svg>'
    )


def draw_zones(raster: np.ndarray, bundle: Bundle) -> bytes:
    """A PNG of the zones, raster (n, n) as in Atlas.zones: pale class colours, nothing far from any cell."""
    colours = np.array(
        [(*parse_colour(info.colour), round(255 * ZONE_OPACITY)) for info in bundle.classes] + [(0,) * 4]
    )
    return to_png(colours[raster[::-1]].astype(np.uint8), 3 * raster.shape[0])
