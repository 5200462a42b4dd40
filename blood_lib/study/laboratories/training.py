"""Trains one network on the cells of several laboratories: balanced draws, and the rest left to `train`.

A laboratory that the recipe leaves out is validated on whole. A run is a folder as `train.training` makes it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from blood_lib.images import crop_and_resize
from blood_lib.study.data.laboratories import LABORATORIES, LABORATORY_INDEX
from blood_lib.study.laboratories.cells import Cells
from blood_lib.study.train.loaders import CLASS_INDEX, build_change_for, build_dls, build_targets
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import train_on

from fastai.data.core import DataLoaders  # isort: skip

__all__ = [
    "assign_parts",
    "compute_weights",
    "load_laboratories",
    "show",
    "train_on_laboratories",
]


def train_on_laboratories(
    cells: Cells,
    run: Path,
    recipe: Recipe,
    *,
    device: str = "auto",
    weights: Path | None = None,
    teachers: Sequence[Path] = (),
    say: Callable[[str], None] = print,
) -> Path:
    """Train by `recipe` on the laboratories that it names, into the folder `run`; see `train.training.train`.

    Of a laboratory whose cells are not split all are trained on, or all are left out.
    """
    split = assign_parts(cells.split, recipe.laboratories)
    load = partial(load_laboratories, cells, recipe)
    return train_on(load, split, run, recipe, device=device, weights=weights, teachers=teachers, say=say)


def assign_parts(table: pd.DataFrame, learned: Sequence[str]) -> pd.DataFrame:
    """The rows of `Cells` that a training has to do with: what is not learned from is in `valid`, at most."""
    known = table["laboratory"].isin(learned)
    is_split = table["laboratory"].map(lambda name: LABORATORIES[name].is_split)
    rows = table.assign(part=table["part"].where(known | is_split, "valid"))
    return rows[known | (rows["part"] != "train")]


def load_laboratories(cells: Cells, recipe: Recipe, device: torch.device | str) -> DataLoaders:
    """DataLoaders of the recipe's laboratories and of what they are validated on."""
    table = cells.table
    rows = assign_parts(table, recipe.laboratories)
    valid = rows[rows["part"] == "valid"]
    weights = compute_weights(rows[rows["part"] == "train"], recipe.balance)
    return build_dls(
        (cells.windows, build_laboratory_targets(table)),
        (show(cells.windows[valid.index], recipe), build_laboratory_targets(valid)),
        vocab=list(CLASS_INDEX),
        change=build_change_for(recipe),
        batch_size=recipe.batch_size,
        # All windows are given, since a part of them would be a copy in memory; what weighs 0 is never drawn.
        weights=weights.reindex(table.index, fill_value=0.0).to_numpy(),
        epoch_images=recipe.epoch_images,
        device=device,
    )


def build_laboratory_targets(rows: pd.DataFrame) -> np.ndarray:
    """The indices (N, 3) of class, subtype and laboratory of rows of `Cells`."""
    laboratories = rows["laboratory"].map(LABORATORY_INDEX).to_numpy()
    return np.concatenate([build_targets(rows), laboratories[:, None]], axis=1)


def show(windows: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Windows (N, H, H, 3) as a network of this recipe sees them when it is served: (N, S, S, 3) uint8."""
    images = (Image.fromarray(window) for window in windows)
    return np.stack(
        [
            np.asarray(crop_and_resize(image, image_size=recipe.image_size, crop=recipe.crop))
            for image in images
        ]
    )


def compute_weights(rows: pd.DataFrame, balance: float) -> pd.Series:
    """How often each of the rows is drawn: laboratories by their shares, the types of each by `balance`.

    A type of n cells has a share as n ** (1 - balance): the square root for 0.5, as in Mahajan et al. 2018,
    arXiv:1805.00932, section 2.2.
    """
    cells = rows.groupby(["laboratory", "cell_type"])["file"].transform("size")
    weights = cells.astype(float) ** -balance
    own = weights.groupby(rows["laboratory"]).transform("sum")
    return rows["laboratory"].map(lambda name: LABORATORIES[name].share) * weights / own
