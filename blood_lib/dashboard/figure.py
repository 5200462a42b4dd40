"""The map as a plotly figure: zones, reference cells, uploaded cells; leaves placing cells to the atlas.

All traces exist from the start: plotly's widget does not draw what is added before the page has connected.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle
from blood_lib.dashboard.glyphs import plotly_symbol
from blood_lib.dashboard.messages import Messages
from blood_lib.dashboard.pictures import parse_colour, to_png
from blood_lib.dashboard.state import Cell

__all__ = [
    "CONFIG",
    "build_layout",
    "build_traces",
    "describe_cells",
    "draw_zones",
    "draw_ring",
    "load_widget_class",
]

MOST_REFERENCE = 4000  # points drawn; an SVG of more is slow to pan
ZONE_OPACITY = 0.22
INK = "#1a2330"
MARGIN = 0.12  # of the map around its outermost reference cells

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


def build_traces(atlas: Atlas, bundle: Bundle, messages: Messages) -> list[dict[str, Any]]:
    """A trace of reference cells per class, then the uploaded cells, then the ring around the selected."""
    shown = _thin_out(len(atlas.target), MOST_REFERENCE)
    traces = []
    for index, info in enumerate(bundle.classes):
        mine = shown[atlas.target[shown] == index]
        x, y = atlas.embedding[mine].T
        marker = {"size": 5, "color": info.colour, "symbol": plotly_symbol(index), "opacity": 0.6}
        traces.append(_scatter(messages.pick(info.label), marker, x, y, hoverinfo="skip"))
    traces.append(_scatter(messages("map.yours"), describe_cells([], bundle, messages)["marker"]))
    ring = {"size": 24, "color": INK, "symbol": "circle-open", "line": {"width": 3, "color": INK}}
    traces.append(_scatter(messages("map.selected"), ring, hoverinfo="skip"))
    return traces


def _scatter(name: str, marker: dict, x: Any = (), y: Any = (), **more: Any) -> dict[str, Any]:
    numbers = {"x": np.asarray(x, np.float32), "y": np.asarray(y, np.float32)}
    return {"type": "scatter", "mode": "markers", "name": name, "marker": marker, **numbers, **more}


def _thin_out(n: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def describe_cells(cells: Sequence[Cell], bundle: Bundle, messages: Messages) -> dict[str, Any]:
    """What the trace of uploaded cells shows: place, colour and shape by type, text when pointed at."""
    index = {name: i for i, name in enumerate(bundle.names)}
    kinds = [index[cell.label] for cell in cells]
    return {
        "x": np.array([cell.place[0] for cell in cells], np.float32),
        "y": np.array([cell.place[1] for cell in cells], np.float32),
        "marker": {
            "size": 13,
            "color": [bundle.classes[kind].colour for kind in kinds],
            "symbol": [plotly_symbol(kind) for kind in kinds],
            "line": {"width": 1.8, "color": INK},
            "opacity": 1,
        },
        "hovertext": [
            _hover(cell, bundle.classes[kind], messages) for cell, kind in zip(cells, kinds, strict=True)
        ],
        "hoverinfo": "text",
    }


def _hover(cell: Cell, info: Any, messages: Messages) -> str:
    """Plotly understands some tags here, so the file's name is escaped and cut."""
    name = cell.name if len(cell.name) <= 60 else f"…{cell.name[-59:]}"
    mark = "" if cell.status == "ok" else f", {messages(f'state.{cell.status}')}"
    return f"{escape(messages.pick(info.label))} {100 * cell.confidence:.0f} %{mark}<br>{escape(name)}"


def draw_ring(cell: Cell | None) -> dict[str, Any]:
    """What the ring's trace shows around the selected cell, or nothing."""
    places = [cell.place] if cell is not None and cell.place is not None else []
    return {axis: np.array([place[i] for place in places], np.float32) for i, axis in enumerate("xy")}


def build_layout(atlas: Atlas, bundle: Bundle) -> dict[str, Any]:
    """Axes without ticks and of one scale, the zones as a picture below everything."""
    zones = atlas.zones()
    (left, bottom), (right, top) = zones.low, zones.high
    picture = base64.b64encode(draw_zones(zones.raster, bundle)).decode()
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
                "source": f"data:image/png;base64,{picture}",
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


def draw_zones(raster: np.ndarray, bundle: Bundle) -> bytes:
    """A PNG of the zones, raster (n, n) as in Atlas.zones: pale class colours, nothing far from any cell."""
    colours = np.array(
        [(*parse_colour(info.colour), round(255 * ZONE_OPACITY)) for info in bundle.classes] + [(0,) * 4]
    )
    return to_png(colours[raster[::-1]].astype(np.uint8), 3 * raster.shape[0])
