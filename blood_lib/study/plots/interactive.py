"""Interactive maps by plotly: in JupyterLab, and in a page that holds all it needs.

The other modules of this room draw with matplotlib. The notebook computes the points and their texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from blood_lib.study.cells import CELL_TYPES

__all__ = ["MIME_TYPE", "InteractiveFigure", "build_map", "to_html"]

MIME_TYPE = "application/vnd.plotly.v1+json"
"""JupyterLab draws it with plotly's extension, which is installed with the package and asks no other host."""

_SYMBOLS = (  # a second sign beside the colour, the same as on paper
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "triangle-down",
    "triangle-left",
    "triangle-right",
    "cross",
)
_CONFIG = {"displaylogo": False, "responsive": True, "showSendToCloud": False, "plotlyServerURL": ""}


@dataclass(frozen=True, eq=False)
class InteractiveFigure:
    """What a notebook shows: a figure, and a sentence where it cannot be drawn."""

    figure: Mapping[str, Any]
    """data, layout and config, as plotly's script takes them."""
    sentence: str

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, Any]:
        return {MIME_TYPE: self.figure, "text/plain": self.sentence}


def build_map(
    points: np.ndarray,
    labels: Sequence[str] | np.ndarray,
    told: pd.DataFrame,
    *,
    ringed: np.ndarray,
    title: str,
) -> InteractiveFigure:
    """Points (N, 2) coloured and marked by cell type, a black ring around those of the mask `ringed` (N,).

    Under the pointer a point says its label and each column of `told` (N rows).
    """
    import plotly.graph_objects as go

    labels = np.asarray(labels, dtype=object)
    points = np.round(points, 2)  # a hundredth of the map's unit is less than a pixel
    lines = "".join(f"<br>{name}: %{{customdata[{i}]}}" for i, name in enumerate(told))
    traces = [
        go.Scatter(
            _place(points[labels == cell_type.name]),
            name=cell_type.name,
            marker={"color": cell_type.colour, "symbol": symbol, "size": 7, "opacity": 0.75},
            customdata=told[labels == cell_type.name].astype(str).to_numpy().tolist(),
            hovertemplate=f"label: {cell_type.name}{lines}<extra></extra>",
        )
        for cell_type, symbol in zip(CELL_TYPES, _SYMBOLS, strict=True)
        if cell_type.name in labels
    ]
    ring = {"color": "black", "symbol": "circle-open", "size": 13, "line": {"width": 1.5}}
    name = f"in doubt ({ringed.sum():,})"
    traces.append(go.Scatter(_place(points[ringed]), name=name, marker=ring, hoverinfo="skip"))
    axis = {"showgrid": False, "zeroline": False, "showticklabels": False}  # a map's units mean nothing
    figure = go.Figure(traces, {"title": {"text": title}, "template": "none", "height": 620})
    figure.update_layout(xaxis=axis, yaxis=axis | {"scaleanchor": "x"}, margin={"l": 20, "r": 20, "b": 20})
    sentence = f"A map of {len(points):,} points that tells of each under the pointer: open it in JupyterLab."
    return InteractiveFigure(figure.to_plotly_json() | {"config": _CONFIG}, sentence)


def _place(points: np.ndarray) -> dict[str, Any]:
    """A trace of points alone; as lists, since plotly's own encoding of arrays cannot be read in a diff."""
    return {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "mode": "markers"}


def to_html(figure: Mapping[str, Any], *, with_script: bool) -> str:
    """`InteractiveFigure.figure` as a part of a page; `with_script`: plotly's script with it, once a page."""
    import plotly.io

    parts = {key: figure[key] for key in ("data", "layout")}
    return plotly.io.to_html(
        parts, config=figure["config"], include_plotlyjs=with_script, full_html=False, validate=False
    )
