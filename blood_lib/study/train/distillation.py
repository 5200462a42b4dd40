"""Knowledge distillation: a network also learns from the answers of larger ones, its teachers, to each view
(Hinton, Vinyals & Dean 2015, arXiv:1503.02531; the same view for both: Beyer et al. 2022, arXiv:2106.05237).

Teachers are finished runs, or bundles. `losses` weighs their answers.
"""

import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch
from torch.nn import functional as F

from blood_lib.bundle import Bundle, load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.study.train import torchvision_ops  # noqa: F401  (must come before fastai)
from blood_lib.study.train.architectures import ARCHITECTURES, CellNetwork, to_channels_last
from blood_lib.study.train.folding import fold_batch_norms
from blood_lib.study.train.recipe import Recipe

from fastai.callback.core import Callback  # isort: skip

__all__ = ["Teach", "describe_teachers", "hash_teacher", "is_bundle", "keep_teachers", "keep_training"]


def hash_teacher(folder: Path) -> str:
    """sha256 of a bundle, or of the weights of a finished run. Raises BloodError where there is neither."""
    if is_bundle(folder):
        return load_bundle(folder).sha256
    try:
        return sha256((folder / "model.pt").read_bytes()).hexdigest()
    except OSError:
        raise BloodError(
            f"{folder} holds no finished run to learn from; finish it with blood train."
        ) from None


def keep_teachers(folders: Sequence[Path], into: Path) -> None:
    """Keeps how each teacher was trained, in a folder for each: 1, 2, ..."""
    for number, folder in enumerate(folders, 1):
        own = into / str(number)
        own.mkdir(parents=True, exist_ok=True)
        if is_bundle(folder):
            keep_training(load_bundle(folder), own)
            continue
        shutil.copy(folder / "recipe.json", own / "recipe.json")
        shutil.copy(folder / "log.csv", own / "training.csv")
        if (folder / "teachers").exists():
            shutil.copytree(folder / "teachers", own / "teachers", dirs_exist_ok=True)


def keep_training(bundle: Bundle, into: Path) -> None:
    """Keeps how `bundle` and its teachers were trained, as far as it says."""
    for name in bundle.files:
        if name in ("recipe.json", "training.csv") or name.startswith("teachers/"):
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_bytes(bundle.read(name))


def is_bundle(folder: Path) -> bool:
    """Whether `folder` is a bundle, not a run."""
    return (folder / "bundle.json").exists()


def describe_teachers(folder: Path) -> list[str]:
    """A phrase for each teacher in `folder`, see `keep_teachers`: architecture, epochs and image size."""
    files = sorted(folder.glob("*/recipe.json"))
    recipes = [Recipe.from_json(file.read_text(encoding="utf-8")) for file in files]
    return [
        f"{ARCHITECTURES[recipe.arch].title}, {recipe.n_epochs} epochs at {recipe.image_size} px"
        for recipe in recipes
    ]


class Teach(Callback):
    """Adds to each training batch's targets what the teachers say of it, on average: probabilities
    (B, C + S), those of the classes and those of the subtypes.

    teachers: networks and the image size that each is used to; a view of another size is resized for it.
    """

    order = 20  # within the autocast of the batch

    def __init__(self, teachers: Sequence[tuple[CellNetwork, int]], n_classes: int):
        self.teachers = [(fold_batch_norms(network.eval()), size) for network, size in teachers]
        self.n_classes = n_classes

    def before_fit(self) -> None:
        for network, _ in self.teachers:
            to_channels_last(network, self.dls.device)

    def before_batch(self) -> None:
        if self.training:
            self.learn.yb = (*self.yb, self.ask(self.xb[0]))

    @torch.no_grad()
    def ask(self, x: torch.Tensor) -> torch.Tensor:
        """The teachers' mean probabilities (B, C + S) for views (B, 3, H, W)."""
        return torch.stack([self._ask_one(network, size, x) for network, size in self.teachers]).mean(0)

    def _ask_one(self, network: CellNetwork, size: int, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] != size:
            x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
        logits = network(x).float()
        return torch.cat([part.softmax(1) for part in _split(logits, self.n_classes) if part.shape[1]], 1)


def _split(logits: torch.Tensor, n_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    return logits[:, :n_classes], logits[:, n_classes:]
