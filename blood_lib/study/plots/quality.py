"""How good answers are: confusions, recalls, calibration, and errors by coverage."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from blood_lib.study.plots.style import COLOURS, plot_intervals

__all__ = ["plot_confused", "plot_confusion", "plot_groups", "plot_recalls", "plot_reliability", "plot_risks"]


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
