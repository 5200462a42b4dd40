"""Images as arrays in memory, their targets, and fastai's DataLoaders over both.

`data.split` says which image is in which split. `augmentation` and `classic_tfms` change a batch.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from blood_lib.files.errors import BloodError
from blood_lib.images import crop_and_resize
from blood_lib.study.cells import CELL_TYPES, SUBTYPES
from blood_lib.study.data.index import load_usable_image
from blood_lib.study.progress import show_progress
from blood_lib.study.train import torchvision_ops  # noqa: F401  (must come before fastai)
from blood_lib.study.train.augmentation import augment
from blood_lib.study.train.classic_tfms import build_change
from blood_lib.study.train.losses import UNKNOWN
from blood_lib.study.train.recipe import Recipe

from fastai.data.core import DataLoaders  # isort: skip
from fastai.data.load import DataLoader  # isort: skip

__all__ = [
    "CLASS_INDEX",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "SUBTYPE_INDEX",
    "build_change_for",
    "build_dls",
    "build_targets",
    "load_dls",
    "load_views",
    "normalise",
]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

CLASS_INDEX = {cell_type.name: i for i, cell_type in enumerate(CELL_TYPES)}
"""Name of a cell type to its place among the network's outputs."""

SUBTYPE_INDEX = {name: i for i, name in enumerate(SUBTYPES)}
"""Name of a subtype to its place among the network's second outputs."""

FRAME_SIZE = 256
"""Side of the whole frames that training views are cut from, in px."""


def _load_view(path: Path, size: int, crop: float) -> np.ndarray:
    return np.asarray(crop_and_resize(load_usable_image(path), image_size=size, crop=crop))


def load_views(folder: Path, files: Sequence[str], *, size: int, crop: float) -> np.ndarray:
    """The centred square of `crop` times the shorter side of each file, made `size` px wide: (N, size, size,
    3) uint8.
    """
    with ThreadPoolExecutor() as pool:
        views = pool.map(lambda file: _load_view(folder / file, size, crop), files)
        return np.stack(list(show_progress(views, total=len(files))))


def normalise(x: torch.Tensor) -> torch.Tensor:
    """Images (B, 3, H, W) in [0, 1] -> zero mean and unit variance over ImageNet."""
    mean, std = (x.new_tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (x - mean) / std


class _Views(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Pairs of an image (3, H, W) uint8 and its target: a class index, or those of class and subtype; kept on
    `device`, where a batch of them is one step.
    """

    def __init__(self, views: np.ndarray, target: np.ndarray, device: torch.device):
        self.x = torch.from_numpy(views).permute(0, 3, 1, 2).to(device)
        self.y = torch.tensor(target, device=device)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int | list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        return self.x[index], self.y[index]


class _Batches(DataLoader):
    """A batch is taken from the dataset at once, not put together from its items.

    weights: how often each item is drawn, relative to the others; without them each comes once.
    """

    def __init__(self, dataset: _Views, *, weights: np.ndarray | None = None, **options: Any):
        super().__init__(dataset, **options)
        self.weights = weights

    def get_idxs(self) -> list[int]:
        if self.weights is None:
            return super().get_idxs()
        return self.rng.choices(range(len(self.weights)), self.weights, k=self.n)

    def create_item(self, s: int) -> int:
        return s

    def create_batch(self, b: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        return self.dataset[b]

    def retain(self, res: tuple[torch.Tensor, ...], _b: list[int]) -> tuple[torch.Tensor, ...]:
        return res


class _Prepare:
    """uint8 batch -> what the network sees; changed at random when `change` is given."""

    def __init__(self, change: Callable[[torch.Tensor], torch.Tensor] | None = None):
        self.change = change

    def __call__(self, batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = batch
        x = x.float() / 255
        if self.change is not None:
            x = self.change(x)
        return normalise(x).contiguous(memory_format=torch.channels_last), y


def build_dls(
    train: tuple[np.ndarray, np.ndarray],
    valid: tuple[np.ndarray, np.ndarray],
    *,
    vocab: Sequence[str],
    change: Callable[[torch.Tensor], torch.Tensor],
    batch_size: int = 64,
    weights: np.ndarray | None = None,
    epoch_images: int = 0,
    device: torch.device | str = "cpu",
) -> DataLoaders:
    """DataLoaders of (x (B, 3, size, size), y (B, ...)).

    train: frames (N, H, H, 3) uint8 and targets (N, ...); `change` makes random views of the frames,
    (B, 3, H, H) -> (B, 3, size, size) in [0, 1]. valid: views (N, size, size, 3) uint8 as they are
    classified, and targets. weights: (N,) by which `epoch_images` frames are drawn for an epoch; without them
    each comes once.
    """
    device = torch.device(device)
    train_views, valid_views = (_Views(*pair, device) for pair in (train, valid))
    shared: dict[str, Any] = {"device": device, "num_workers": 0}
    n = len(train_views) if weights is None else epoch_images
    train_dl = _Batches(
        train_views,
        bs=batch_size,
        shuffle=True,
        drop_last=True,
        after_batch=_Prepare(change),
        weights=weights,
        n=n,
        **shared,
    )
    valid_dl = _Batches(valid_views, bs=2 * batch_size, after_batch=_Prepare(), **shared)
    dls = DataLoaders(train_dl, valid_dl, device=device)
    dls.vocab, dls.c = list(vocab), len(vocab)
    return dls


def build_targets(rows: pd.DataFrame) -> np.ndarray:
    """The indices (N, 2) of class and subtype of rows of the split; UNKNOWN where no subtype was told."""
    subtypes = rows["subtype"].map(SUBTYPE_INDEX).fillna(UNKNOWN).astype(int)
    return np.stack([rows["cell_type"].map(CLASS_INDEX), subtypes], axis=1)


def _load_splits(root: Path, split: pd.DataFrame, recipe: Recipe) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of the training split, then views of the validation split; each with the indices (N, 2) of class
    and subtype. Transforms work on views; the augmentation cuts its own from whole frames.
    """
    view = (recipe.image_size, recipe.crop)
    for name, (size, crop) in (("train", view if recipe.tfms else (FRAME_SIZE, 1.0)), ("valid", view)):
        rows = split[split["part"] == name]
        if len(rows) < recipe.batch_size and name == "train" or rows.empty:
            raise BloodError(f"{root} has too few images to train on ({len(rows)} in the split {name}).")
        views = load_views(root, rows["file"].tolist(), size=size, crop=crop)
        yield views, build_targets(rows)


def build_change_for(recipe: Recipe) -> Callable[[torch.Tensor], torch.Tensor]:
    """What makes a random view of a frame of the training split."""
    if recipe.tfms:
        return build_change(recipe.tfms, recipe.image_size)
    return partial(augment, size=recipe.image_size, crop=recipe.crop, a=recipe.augmentation)


def load_dls(root: Path, split: pd.DataFrame, recipe: Recipe, device: torch.device | str) -> DataLoaders:
    """DataLoaders of the training and validation images of `split`, whose files are in `root`."""
    return build_dls(
        *_load_splits(root, split, recipe),
        vocab=list(CLASS_INDEX),
        change=build_change_for(recipe),
        batch_size=recipe.batch_size,
        device=device,
    )
