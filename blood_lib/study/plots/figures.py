"""Arrays and tables in, matplotlib Axes out; a cell type has the same colour in every figure.

Numbers are computed elsewhere; saving and showing are left to the caller.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image

from blood_lib.counts import interval
from blood_lib.inference import heat_map
from blood_lib.study.cells import CELL_TYPES

__all__ = [
    "COLOURS",
    "add_legend",
    "mark_points",
    "plot_clusters",
    "plot_composition",
    "plot_confused",
    "plot_confusion",
    "plot_counts",
    "plot_groups",
    "plot_heat",
    "plot_images",
    "plot_intervals",
    "plot_map",
    "plot_mean_heat",
    "plot_recalls",
    "plot_reliability",
    "plot_risks",
    "plot_shares",
    "plot_variance",
    "stamp",
]

COLOURS = {cell_type.name: cell_type.colour for cell_type in CELL_TYPES}
"""Cell type to `#rrggbb`, in the order of the table."""

_MARKS = dict(
    zip(COLOURS, "os^Dv<>P", strict=True)
)  # a second sign beside the colour, for whoever cannot tell colours apart


_CLUSTERS = list(zip("o^sX" * 3, ("0.15", "0.65", "0.4") * 4, strict=True))  # colours are for cell types


def stamp(figure: Figure, note: str) -> None:
    """Writes below `figure` what it was made from; nothing where `note` is ""."""
    if note:
        figure.text(0.5, -0.02, note, ha="center", va="top", color="firebrick", fontsize=10)


def plot_counts(ax: Axes, counts: pd.DataFrame) -> Axes:
    """Bars of `images` for each row of counts (columns cell_type, subtype, images), subtypes stacked."""
    names = [name for name in COLOURS if name in set(counts["cell_type"])]
    for row, name in enumerate(names):
        left = 0
        subtypes = counts[counts["cell_type"] == name].sort_values("images", ascending=False)
        for subtype, images in zip(subtypes["subtype"], subtypes["images"], strict=True):
            ax.barh(row, images, left=left, color=COLOURS[name], edgecolor="white")
            if len(subtypes) > 1 and images > 0.05 * counts.groupby("cell_type")["images"].sum().max():
                ax.text(left + images / 2, row, subtype.split()[0], ha="center", va="center", fontsize=7)
            left += images
        ax.text(left, row, f" {left:,}", va="center")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel("images")
    ax.margins(x=0.12)
    return ax


def plot_images(
    figure: Figure, images: Sequence[Image.Image], labels: Sequence[str], *, columns: int = 8
) -> Figure:
    """A grid of `images`, each under its label in the colour of its cell type."""
    rows = max(1, -(-len(images) // columns))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, image, label in zip(axes, images, labels, strict=False):
        ax.imshow(image)
        ax.set_title(label.replace(" ", "\n"), fontsize=8, color=COLOURS.get(label, "black"))
    return figure


def plot_heat(
    figure: Figure, views: np.ndarray, cams: np.ndarray, labels: Sequence[str], *, columns: int = 8
) -> Figure:
    """A grid of `views` (N, S, S, 3), each with its heat (N, h, w) over it, under its label."""
    plot_images(figure, [Image.fromarray(view) for view in views], labels, columns=columns)
    for ax, view, cam in zip(figure.axes, views, cams, strict=False):
        ax.imshow(heat_map(cam, view.shape[1::-1]), cmap="inferno", alpha=0.45, vmin=0, vmax=1)
    return figure


def plot_mean_heat(figure: Figure, heats: Mapping[str, np.ndarray], middle: float) -> Figure:
    """A picture (S, S) per name on one scale, see `interpretation.compute_mean_heat`; dashed: the centred
    square whose side is `middle` times theirs.
    """
    axes = figure.subplots(1, len(heats), squeeze=False).ravel()
    top = max(heat.max() for heat in heats.values())
    for ax, (name, heat) in zip(axes, heats.items(), strict=True):
        shown = ax.imshow(heat, cmap="inferno", vmin=0, vmax=top, extent=(0, 1, 0, 1))
        corner = (1 - middle) / 2
        square = {"fill": False, "color": "white", "linestyle": "--", "linewidth": 0.8}
        ax.add_patch(Rectangle((corner, corner), middle, middle, **square))
        ax.set(xticks=[], yticks=[])
        ax.set_title(name.replace(" ", "\n"), fontsize=9)
    figure.colorbar(shown, ax=axes, label="times even heat", shrink=0.8)
    return figure


def plot_shares(ax: Axes, proportions: pd.DataFrame, part: str, expected: float) -> Axes:
    """Each subtype's per cent in `part` with its 95 % interval, against the `expected` per cent.

    `proportions`: columns cell_type, subtype, images and one named `part`, see `split.compute_proportions`.
    """
    table = proportions[proportions["subtype"] != ""]
    names = [f"{name} (n = {n:,})" for name, n in zip(table["subtype"], table["images"], strict=True)]
    colours = [COLOURS[name] for name in table["cell_type"]]
    shares = [(k / n, *interval(int(k), int(n))) for k, n in zip(table[part], table["images"], strict=True)]
    plot_intervals(ax, names, shares, colours, label=f"per cent of the images in {part}")
    ax.axvline(expected, color="black", linewidth=0.8, linestyle="--")
    return ax


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
        markers=_MARKS,
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
    rings = {"s": 45, "facecolors": "none", "edgecolors": colour, "linewidths": 0.9}
    ax.scatter(*points.T, label=f"{label} ({len(points):,})", **rings)
    ax.legend(loc="lower left", fontsize=8)
    return ax


def add_legend(figure: Figure) -> None:
    """One legend of all cell types at the right of `figure`, which needs the constrained layout."""
    handles = [
        Line2D([], [], linestyle="", marker=mark, color=COLOURS[name], label=name)
        for name, mark in _MARKS.items()
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False)


def plot_clusters(ax: Axes, points: np.ndarray, clusters: np.ndarray) -> Axes:
    """Points (N, 2) by cluster, with a mark and a shade of grey each, and its number at its centre."""
    for cluster, (mark, shade) in zip(np.unique(clusters), cycle(_CLUSTERS), strict=False):
        mine = points[clusters == cluster]
        ax.scatter(*mine.T, s=14, marker=mark, c=shade, linewidths=0)
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


def plot_confusion(ax: Axes, confusion: pd.DataFrame) -> Axes:
    """The matrix `confusion` (rows: labels, columns: answers), shaded by the share of its row, each count
    written.
    """
    shares = confusion / np.maximum(confusion.sum(axis=1).to_numpy()[:, None], 1)
    counts = confusion.astype(str).mask(confusion == 0, "")
    sns.heatmap(shares, annot=counts, fmt="", cmap="Blues", vmin=0, vmax=1, cbar=False, square=True, ax=ax)
    ax.set(xlabel="answer", ylabel="label")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=90)
    return ax


def plot_recalls(ax: Axes, classes: pd.DataFrame) -> Axes:
    """Each class's recall in per cent with its interval; `classes`: see `evaluation.compute_per_class`."""
    names = [f"{name} (n = {n:,})" for name, n in zip(classes["name"], classes["n"], strict=True)]
    colours = [COLOURS.get(name, "black") for name in classes["name"]]
    shares = list(classes[["recall", "recall_low", "recall_high"]].itertuples(index=False))
    lowest = 100 * np.nan_to_num(classes.loc[classes["n"] > 0, "recall_low"].min())  # NaN: there is no image
    ax.set_xlim(lowest - 0.05 * (100 - lowest), 100 + 0.05 * (100 - lowest))
    return plot_intervals(ax, names, shares, colours, label="recall (%)")


def plot_confused(ax: Axes, confused: pd.DataFrame) -> Axes:
    """Per cent of each subtype that is taken for the other type, with its interval and counts; `confused`:
    see `interpretation.compute_confused_subtypes`.
    """
    counts = zip(confused["subtype"], confused["taken_for_other"], confused["n"], strict=True)
    names = [f"{name} ({k} of {n:,})" for name, k, n in counts]
    shares = list(confused[["share", "share_low", "share_high"]].itertuples(index=False))
    colours = [COLOURS[name] for name in confused["cell_type"]]
    return plot_intervals(ax, names, shares, colours, label="taken for the other type (%)")


def plot_groups(ax: Axes, groups: Mapping[str, np.ndarray], expected: float) -> Axes:
    """Shares (N,) of each group in per cent as a box with every point, against the `expected` share."""
    for row, values in enumerate(groups.values()):
        values = 100 * np.asarray(values)[~np.isnan(values)]
        ax.boxplot(values, positions=[row], orientation="horizontal", widths=0.5, showfliers=False)
        spread = np.random.default_rng(row).uniform(-0.2, 0.2, len(values))
        ax.plot(values, row + spread, ".", color="black", alpha=0.3, markersize=3)
    ax.axvline(100 * expected, color="black", linewidth=0.8, linestyle="--")
    names = [f"{name} (n = {len(values):,})" for name, values in groups.items()]
    ax.set_yticks(range(len(groups)), names)
    ax.invert_yaxis()
    return ax


def plot_reliability(ax: Axes, reliability: pd.DataFrame) -> Axes:
    """Accuracy with its interval against confidence; `reliability`: see `evaluation.compute_reliability`."""
    table = 100 * reliability[["confidence", "accuracy", "accuracy_low", "accuracy_high"]]
    ax.plot([0, 100], [0, 100], color="grey", linewidth=0.8, linestyle="--")
    ax.vlines(table["confidence"], table["accuracy_low"], table["accuracy_high"], color="black", linewidth=1)
    ax.plot(table["confidence"], table["accuracy"], "o", color="black")
    for x, y, n in zip(table["confidence"], table["accuracy"], reliability["n"], strict=True):
        ax.annotate(f"{n:,}", (x, y), xytext=(4, -10), textcoords="offset points", fontsize=7)
    ax.set(xlim=(0, 102), ylim=(0, 102), xlabel="confidence (%), images beside it", ylabel="accuracy (%)")
    return ax


def plot_risks(ax: Axes, coverage: np.ndarray, risk: np.ndarray, points: pd.DataFrame) -> Axes:
    """Per cent of errors among the surest answers against how many are kept, (N,) each; the intervals are
    those of `points`, see `evaluation.compute_coverage`.
    """
    ax.plot(100 * coverage, 100 * risk, color="black", linewidth=1, drawstyle="steps-post")
    x = 100 * points["n"] / len(coverage)
    ax.vlines(x, 100 * points["risk_low"], 100 * points["risk_high"], color="black", linewidth=2, alpha=0.4)
    ax.set(xlim=(0, 102), xlabel="answers kept, the surest first (%)", ylabel="errors among them (%)")
    ax.set_ylim(bottom=0, top=110 * max(points["risk_high"].max(), 0.001))
    return ax
