"""What a trained network makes of cells that are shown otherwise than they are: larger, or bent.

Whether training with such images helps is for `experiments`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from blood_lib.network import Network
from blood_lib.study.export import compile_network
from blood_lib.study.loaders import load_views
from blood_lib.study.recipe import Recipe
from blood_lib.study.training import build_targets, load_network

from fastai.vision.augment import Warp  # isort: skip  (`loaders` must come before fastai)
from fastai.vision.core import TensorImage  # isort: skip

__all__ = ["bend", "score_bent", "score_larger"]


def score_larger(run: Path, folder: Path, split: pd.DataFrame, zooms: Sequence[float]) -> list[int]:
    """How many images of the validation part the network of the training `run` answers rightly when cells are
    shown so many times as large, by a closer crop.
    """
    network, recipe = _load(run)
    rows = split[split["part"] == "valid"]
    files, target = list(rows["file"]), build_targets(rows)[:, 0]
    found = (load_views(folder, files, size=recipe.image_size, crop=recipe.crop / zoom) for zoom in zooms)
    return [_count_right(network, views, target) for views in found]


def score_bent(
    run: Path, folder: Path, split: pd.DataFrame, magnitudes: Sequence[float], *, seed: int = 0
) -> list[int]:
    """The same when the views are bent, see `bend`."""
    network, recipe = _load(run)
    rows = split[split["part"] == "valid"]
    views = load_views(folder, list(rows["file"]), size=recipe.image_size, crop=recipe.crop)
    target = build_targets(rows)[:, 0]
    return [_count_right(network, bend(views, magnitude, seed=seed), target) for magnitude in magnitudes]


def bend(views: np.ndarray, magnitude: float, *, seed: int = 0) -> np.ndarray:
    """Views (N, S, S, 3) uint8, each seen from a direction of its own, by fastai's Warp: perspective, up to
    `magnitude` each way.
    """
    torch.manual_seed(seed)
    x = TensorImage(torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255)
    x = Warp(magnitude=magnitude, p=1.0)(x, split_idx=0).as_subclass(torch.Tensor).clamp(0, 1)
    return (255 * x).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def _load(run: Path) -> tuple[Network, Recipe]:
    network, recipe = load_network(run)
    return compile_network(network, recipe), recipe


def _count_right(network: Network, views: np.ndarray, target: np.ndarray) -> int:
    logits, _, _ = network(views)
    return int((logits.argmax(axis=1) == target).sum())
