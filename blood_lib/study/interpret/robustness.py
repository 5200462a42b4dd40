"""Robustness: the answers of trained networks about cells that are shown larger, or warped.

`notebooks/experiments` compares trainings with and without such images.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from blood_lib.inference.network import Network
from blood_lib.study.export import compile_network
from blood_lib.study.train.loaders import load_views
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe

from fastai.vision.augment import Warp  # isort: skip  (`loaders` must come before fastai)
from fastai.vision.core import TensorImage  # isort: skip

__all__ = ["bend", "count_right", "show_bent", "show_larger"]

CHUNK = 256  # views that are bent at once


def show_larger(
    folder: Path, files: Sequence[str], recipe: Recipe, zooms: Iterable[float]
) -> Iterator[tuple[tuple[str, float], np.ndarray]]:
    """("times as large", zoom) and views (N, S, S, 3) uint8 of the files as `recipe` has them, but so many
    times as large: cropped closer, so that less is seen around the cell, and of a large one not all.
    """
    for zoom in zooms:
        views = load_views(folder, files, size=recipe.image_size, crop=recipe.crop / zoom)
        yield ("times as large", zoom), views


def show_bent(
    folder: Path, files: Sequence[str], recipe: Recipe, magnitudes: Iterable[float], *, seed: int = 0
) -> Iterator[tuple[tuple[str, float], np.ndarray]]:
    """("bent by up to", magnitude) and views of the files as `recipe` has them, but bent, see `bend`."""
    views = load_views(folder, files, size=recipe.image_size, crop=recipe.crop)
    for magnitude in magnitudes:
        yield ("bent by up to", magnitude), bend(views, magnitude, seed=seed)


def bend(views: np.ndarray, magnitude: float, *, seed: int = 0) -> np.ndarray:
    """Views (N, S, S, 3) uint8, each seen from a direction of its own, by fastai's Warp: perspective, up to
    `magnitude` each way.
    """
    warp, bent = Warp(magnitude=magnitude, p=1.0), np.empty_like(views)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for start in range(0, len(views), CHUNK):
            rows = slice(start, start + CHUNK)
            x = TensorImage(torch.from_numpy(views[rows]).permute(0, 3, 1, 2).float() / 255)
            x = warp(x, split_idx=0).as_subclass(torch.Tensor).clamp(0, 1)
            bent[rows] = (255 * x).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return bent


def count_right(
    runs: Mapping[Hashable, Path], shown: Iterable[tuple[Hashable, np.ndarray]], target: np.ndarray
) -> pd.DataFrame:
    """How many views have the answer `target` (N,): a row per way they are shown, a column per training in
    `runs`, its folder; as served, in single precision.
    """
    networks = {key: _load(run) for key, run in runs.items()}
    rows = {way: [_count(network, views, target) for network in networks.values()] for way, views in shown}
    return pd.DataFrame(list(rows.values()), index=pd.Index(list(rows)), columns=pd.Index(list(networks)))


def _load(run: Path) -> Network:
    return compile_network(*load_network(run), half=False, exact=True)


def _count(network: Network, views: np.ndarray, target: np.ndarray) -> int:
    logits, _, _ = network(views)
    return int((logits.argmax(axis=1) == target).sum())
