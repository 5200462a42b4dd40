"""Heat maps over the images that they belong to, and their means."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from blood_lib.inference import heat_map
from blood_lib.study.plots.dataset import plot_images

__all__ = ["plot_heat", "plot_mean_heat"]


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
        square: dict[str, Any] = {"fill": False, "color": "white", "linestyle": "--", "linewidth": 0.8}
        ax.add_patch(Rectangle((corner, corner), middle, middle, **square))
        ax.set(xticks=[], yticks=[])
        ax.set_title(name.replace(" ", "\n"), fontsize=9)
    figure.colorbar(shown, ax=axes, label="times even heat", shrink=0.8)
    return figure
