"""The learning-rate finder: the loss while the rate grows, and the rates that several rules read from it.

`training` does the trainings themselves.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.study.train.callbacks import SeedEpochs
from blood_lib.study.train.loaders import load_dls
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import build_learner, find_device

from fastai.callback.schedule import minimum, slide, steep, valley  # isort: skip

__all__ = ["LearningRates", "find_lr"]


@dataclass(frozen=True, eq=False)
class LearningRates:
    """What a mock training with an exponentially growing rate saw (Smith 2017, arXiv:1506.01186)."""

    rates: np.ndarray
    """(N,)"""
    losses: np.ndarray
    """(N,), smoothed over the batches."""
    suggestions: dict[str, float]
    """Name of the rule to the rate that it suggests."""


def find_lr(
    recipe: Recipe,
    *,
    folder: Path,
    split: pd.DataFrame,
    weights: Path | None = None,
    n_steps: int = 100,
    device: str = "auto",
) -> LearningRates:
    """fastai's `lr_find` for `recipe` on the images of `split` in `folder`, with four of its rules: the tenth
    of the minimum, the steepest descent, the longest valley, and the interval slide rule.
    """
    dls = load_dls(folder, split, recipe, find_device(device))
    learn = build_learner(dls, recipe, weights=weights, callbacks=[SeedEpochs(recipe.seed)])
    with tempfile.TemporaryDirectory() as scratch, learn.no_bar():
        learn.path = Path(scratch)
        found = learn.lr_find(num_it=n_steps, show_plot=False, suggest_funcs=(minimum, steep, valley, slide))
    rates, losses = np.array(learn.recorder.lrs), np.array([float(x) for x in learn.recorder.losses])
    suggestions = {name: float(rate) for name, rate in found._asdict().items()}
    return LearningRates(rates, losses, suggestions)
