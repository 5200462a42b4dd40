"""How well cells are found in whole fields: curves, rulers, scale, and a field with its boxes.

`detect/assessment` and `laboratories/scale_worth` compute the tables.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image

__all__ = ["plot_boxes", "plot_froc", "plot_precision_recall", "plot_rulers", "plot_scale_worth"]

_STYLES = ("-", "--", ":", "-.")


def plot_precision_recall(ax: Axes, curves: Mapping[str, pd.DataFrame]) -> Axes:
    """Precision against recall in per cent, a line per name; see `assessment.compute_curve`."""
    for (name, curve), style in zip(curves.items(), _STYLES, strict=False):
        ax.plot(100 * curve["recall"], 100 * curve["precision"], style, drawstyle="steps-post", label=name)
    ax.set(xlim=(0, 102), ylim=(0, 102), xlabel="recall (%)", ylabel="precision (%)")
    ax.legend(frameon=False, loc="lower left")
    return ax


def plot_froc(ax: Axes, curves: Mapping[str, pd.DataFrame], score: float) -> Axes:
    """Free-response curve: recall in per cent against false alarms per field; a dot is at `score`."""
    for number, ((name, curve), style) in enumerate(zip(curves.items(), _STYLES, strict=False)):
        ax.plot(curve["per field"], 100 * curve["recall"], style, color=f"C{number}", label=name)
        served = curve[curve["score"] >= score].tail(1)
        ax.plot(served["per field"], 100 * served["recall"], "o", color=f"C{number}")
    ax.set(xlim=(-0.02, 1), ylim=(0, 102), xlabel="false alarms per field", ylabel="recall (%)")
    ax.legend(frameon=False, loc="lower right")
    return ax


def plot_rulers(ax: Axes, rulers: pd.DataFrame) -> Axes:
    """The ruler against the boxed red cells' width, in per cent of it, by how many cells it rests on."""
    for (name, rows), mark in zip(rulers.groupby("fields of"), "os^D", strict=False):
        for is_sound, shown in rows.groupby("sound"):
            label = f"{name} (n = {len(shown)})" if is_sound else f"{name}, not sound (n = {len(shown)})"
            ax.plot(
                shown["cells"],
                100 * (shown["ratio"] - 1),
                mark,
                label=label,
                fillstyle="full" if is_sound else "none",
            )
    for limit in (-5, 5):
        ax.axhline(limit, color="black", linewidth=0.8, linestyle="--")
    ax.set(xlabel="red cells that the ruler rests on", ylabel="ruler too wide by (%); dashed: 5 %")
    if len(rulers):
        ax.legend(frameon=False, fontsize=8)
    return ax


def plot_scale_worth(ax: Axes, worth: pd.DataFrame) -> Axes:
    """Per cent of cells with the right name, by window, with its interval; and of those that are ok."""
    x = np.arange(len(worth))
    ax.vlines(x, 100 * worth["accuracy_low"], 100 * worth["accuracy_high"], color="C0", linewidth=2)
    ax.plot(x, 100 * worth["accuracy"], "o", color="C0", label="right name")
    ax.plot(x, 100 * worth["ok"], "^", color="C1", label="ok")
    ax.set_xticks(x, worth["window"])
    ax.set(ylim=(0, 102), xlabel="width of the window (red cells)", ylabel="share of cells (%)")
    ax.legend(frameon=False)
    return ax


def plot_boxes(
    ax: Axes, image: Image.Image, groups: Iterable[tuple[np.ndarray, str, str]], *, title: str = ""
) -> Axes:
    """A field with boxes (N, 4) of each group in its colour and line style."""
    ax.imshow(image)
    for boxes, colour, style in groups:
        for left, top, right, bottom in boxes:
            frame = Rectangle((left, top), right - left, bottom - top, fill=False, linewidth=1.5)
            frame.set(edgecolor=colour, linestyle=style)
            ax.add_patch(frame)
    ax.set_axis_off()
    ax.set_title(title, fontsize=9)
    return ax
