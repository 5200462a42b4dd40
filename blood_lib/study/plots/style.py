"""What all figures share: colour and marker of each cell type, the note below, and intervals.

Numbers are computed elsewhere. The caller saves and shows the figures.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from blood_lib.study.cells import CELL_TYPES

__all__ = ["COLOURS", "MARKERS", "add_legend", "plot_intervals", "stamp"]


COLOURS = {cell_type.name: cell_type.colour for cell_type in CELL_TYPES}
"""Cell type to `#rrggbb`, in the order of the table."""

MARKERS = dict(zip(COLOURS, "os^Dv<>P", strict=True))
"""Cell type to matplotlib's marker: for readers who cannot tell the colours apart."""


def stamp(figure: Figure, note: str) -> None:
    """Writes below `figure` what it was made from; nothing where `note` is ""."""
    if note:
        figure.text(0.5, -0.02, note, ha="center", va="top", color="firebrick", fontsize=10)


def add_legend(figure: Figure) -> None:
    """One legend of all cell types at the right of `figure`, which needs the constrained layout."""
    handles = [
        Line2D([], [], linestyle="", marker=mark, color=COLOURS[name], label=name)
        for name, mark in MARKERS.items()
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False)


def plot_intervals(
    ax: Axes,
    names: Sequence[str],
    shares: Sequence[tuple[float, float, float]],
    colours: Sequence[str],
    *,
    label: str,
) -> Axes:
    """A row per name: its share in per cent as a point on its interval; nothing where it is unknown (NaN).

    shares: (share, low, high) of each, in [0, 1].
    """
    for row, ((value, low, high), colour) in enumerate(zip(shares, colours, strict=True)):
        if not np.isnan(value):
            ax.plot([100 * low, 100 * high], [row, row], color=colour, linewidth=2)
            ax.plot(100 * value, row, "o", color=colour)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)  # the first on top, and room around all
    ax.set_xlabel(label)
    return ax
