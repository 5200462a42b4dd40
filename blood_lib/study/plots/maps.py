"""Maps, clusters and components: where points lie, and what is in a cluster."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from blood_lib.study.plots.style import COLOURS, MARKERS

__all__ = ["mark_points", "plot_clusters", "plot_composition", "plot_map", "plot_variance"]


_CLUSTERS = list(zip("o^sX" * 3, ("0.15", "0.65", "0.4") * 4, strict=True))
"""Marker and grey of each cluster; colours are for cell types."""


def plot_map(ax: Axes, points: np.ndarray, labels: Sequence[str]) -> Axes:
    """Points (N, 2) coloured by cell type; axes without ticks, since a map's units mean nothing."""
    sns.scatterplot(
        x=points[:, 0],
        y=points[:, 1],
        hue=labels,
        hue_order=list(COLOURS),
        palette=COLOURS,
        style=labels,
        style_order=list(COLOURS),
        markers=MARKERS,
        s=12,
        alpha=0.7,
        linewidth=0,
        legend=False,
        ax=ax,
    )
    ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
    return ax


def mark_points(ax: Axes, points: np.ndarray, label: str, *, colour: str = "black") -> Axes:
    """A ring around each of `points` (N, 2)."""
    rings: dict[str, Any] = {"s": 45, "facecolors": "none", "edgecolors": colour, "linewidths": 0.9}
    ax.scatter(points[:, 0], points[:, 1], label=f"{label} ({len(points):,})", **rings)
    ax.legend(loc="lower left", fontsize=8)
    return ax


def plot_clusters(ax: Axes, points: np.ndarray, clusters: np.ndarray) -> Axes:
    """Points (N, 2) by cluster, with a mark and a shade of grey each, and its number at its centre."""
    for cluster, (mark, shade) in zip(np.unique(clusters), cycle(_CLUSTERS), strict=False):
        mine = points[clusters == cluster]
        ax.scatter(mine[:, 0], mine[:, 1], s=14, marker=mark, c=shade, linewidths=0)
        x, y = mine.mean(axis=0)
        ax.text(
            x, y, str(cluster + 1), ha="center", va="center", fontsize=11, bbox={"fc": "white", "lw": 0.5}
        )
    return ax


def plot_composition(ax: Axes, labels: Sequence[str], clusters: np.ndarray) -> Axes:
    """A bar per cluster, stacked by cell type, so that its purity can be seen; n above each."""
    order = list(COLOURS)[::-1]  # the first is drawn on top, the last begins at the axis
    sns.histplot(
        x=np.asarray(clusters) + 1,
        hue=labels,
        hue_order=order,
        palette=COLOURS,
        multiple="stack",
        discrete=True,
        shrink=0.8,
        alpha=1,
        linewidth=0,  # a white line around a sliver would look like a grey one
        legend=False,
        ax=ax,
    )
    sizes = np.bincount(clusters)
    for cluster, size in enumerate(sizes, 1):
        ax.text(cluster, size, f"{size}", ha="center", va="bottom", fontsize=8)
    ax.set(xlabel="cluster", ylabel="images", xticks=range(1, len(sizes) + 1), ylim=(0, 1.08 * sizes.max()))
    return ax


def plot_variance(ax: Axes, ratios: np.ndarray) -> Axes:
    """The per cent of the variance that the first components explain together; `ratios`: (P,) shares."""
    ax.plot(range(1, len(ratios) + 1), 100 * np.cumsum(ratios), color="black")
    ax.set_xlabel("principal components")
    ax.set_ylabel("variance explained (%)")
    ax.set_ylim(0, 100)
    return ax
