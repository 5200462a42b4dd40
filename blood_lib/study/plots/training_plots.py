"""How trainings went: losses by epoch, the learning-rate finder, accuracies and costs.

`notebooks/experiments` computes the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from blood_lib.study.plots.style import plot_intervals
from blood_lib.study.train.classic_tfms import TFMS, build_change
from blood_lib.study.train.lr_finder import LearningRates

__all__ = ["plot_accuracies", "plot_costs", "plot_losses", "plot_lr_finder", "plot_tfms"]


def plot_losses(ax: Axes, logs: Mapping[str, pd.DataFrame]) -> Axes:
    """Loss by epoch, a colour per name of `logs`: dashed for the training split, solid for validation."""
    for number, (name, log) in enumerate(logs.items()):
        colour = f"C{number}"
        ax.plot(log["epoch"], log["train_loss"], "--", color=colour, marker=".")
        ax.plot(log["epoch"], log["valid_loss"], "-", color=colour, marker="o", label=name)
    ax.set(xlabel="epoch", ylabel="loss (dashed: training split)", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_lr_finder(ax: Axes, found: LearningRates) -> Axes:
    """The loss against the learning rate, and where each rule would set it."""
    ax.plot(found.rates, found.losses, color="black")
    for (name, rate), mark in zip(found.suggestions.items(), "osv^", strict=True):
        ax.plot(rate, np.interp(rate, found.rates, found.losses), mark, label=f"{name}: {rate:.1e}")
    top = 1.3 * float(found.losses[: max(1, len(found.losses) // 2)].max())
    ax.set(xscale="log", xlabel="learning rate", ylabel="loss", ylim=(0, top))
    ax.legend(frameon=False)
    return ax


def plot_accuracies(ax: Axes, table: pd.DataFrame) -> Axes:
    """Each row's accuracy in per cent with its interval; `table`: see `experiments.compare`."""
    shares = list(table[["accuracy", "low", "high"]].itertuples(index=False))
    label = f"accuracy on the validation split (%), n = {table['n'].iloc[0]:,}"
    return plot_intervals(ax, list(table["name"]), shares, ["C0"] * len(table), label=label)


def plot_costs(ax: Axes, table: pd.DataFrame, cost: str, label: str) -> Axes:
    """Accuracy in per cent with its interval against the column `cost`, logarithmic; the networks' names
    beside the points.

    `table`: see `experiments.compare`, its names "NETWORK, INITIALISATION"; filled points began with ImageNet
    weights (column `initialisation`).
    """
    clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # of another's interval
    rows = table.assign(accuracy=100 * table["accuracy"], low=100 * table["low"], high=100 * table["high"])
    for start, at in rows.groupby("initialisation"):
        face = "C0" if start == "imagenet" else "white"
        ax.vlines(at[cost], at["low"], at["high"], color="C0", linewidth=1)
        ax.plot(at[cost], at["accuracy"], "o", color="C0", markerfacecolor=face, zorder=4, label=start)
    for one in rows.to_dict("records"):
        gap, rise = rows[cost] / one[cost], rows["accuracy"] - one["accuracy"]
        crowded = (gap.between(1.05, 2) & rise.between(-1.5, 3)).any()  # where the name would lie
        where: dict[str, Any] = {"ha": "left", "xytext": (6, 4)}
        if crowded:
            where = {"ha": "right", "xytext": (-6, 4)}
        network, at = one["name"].partition(",")[0], (one[cost], one["accuracy"])
        ax.annotate(network, at, **where, textcoords="offset points", bbox=clear)
    ax.set(xscale="log", xlabel=label, ylabel="accuracy on the validation split (%)")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    low, high = table[cost].min(), table[cost].max()
    room = max(1.5, (high / low) ** 0.5)  # for the names
    ax.set_xlim(low / room, high * room)
    ax.legend(title="began from", frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
    return ax


def plot_tfms(
    figure: Figure, view: np.ndarray, names: Sequence[str] = tuple(TFMS), *, n: int = 8, seed: int = 0
) -> Figure:
    """A row per name of `classic_tfms.TFMS`: what it makes of the view (S, S, 3) uint8, `n` times."""
    torch.manual_seed(seed)
    axes = figure.subplots(len(names), n, squeeze=False)
    x = torch.tensor(view).permute(2, 0, 1).float() / 255
    for row, name in zip(axes, names, strict=True):
        changed = build_change(name, len(view))(x.expand(n, -1, -1, -1))
        for ax, image in zip(row, changed, strict=True):
            ax.imshow(image.permute(1, 2, 0).numpy())
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure
