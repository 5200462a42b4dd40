"""The images of a dataset: how many there are, what they look like, and how they are split."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from blood_lib.counts import interval
from blood_lib.study.plots.style import COLOURS, plot_intervals

__all__ = ["plot_counts", "plot_images", "plot_shares"]


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


def plot_shares(ax: Axes, proportions: pd.DataFrame, split: str, expected: float) -> Axes:
    """Each subtype's per cent in `split` with its 95 % interval, against the `expected` per cent.

    `proportions`: see `split.compute_proportions`; it has a column named like `split`.
    """
    table = proportions[proportions["subtype"] != ""]
    names = [f"{name} (n = {n:,})" for name, n in zip(table["subtype"], table["images"], strict=True)]
    colours = [COLOURS[name] for name in table["cell_type"]]
    shares = [(k / n, *interval(int(k), int(n))) for k, n in zip(table[split], table["images"], strict=True)]
    plot_intervals(ax, names, shares, colours, label=f"per cent of the images in {split}")
    ax.axvline(expected, color="black", linewidth=0.8, linestyle="--")
    return ax
