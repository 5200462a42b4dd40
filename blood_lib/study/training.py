"""Trains a network by a recipe, with fastai: autocast, averaged weights, a checkpoint after every epoch.

A run is a folder: recipe.json, split.csv, environment.json, log.csv, checkpoint.pt while it lasts and
model.pt at its end (and trained.pt, where that is mixed with the start's weights). A run that was killed goes
on from its last epoch and ends in the same place. Measuring the result is for `evaluation`, the bundle for
`export`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from blood_lib import BloodError
from blood_lib.bundle import Bundle, load_bundle
from blood_lib.study.architectures import ARCHITECTURES, CellNetwork, build_network
from blood_lib.study.augmentation import Augmentation
from blood_lib.study.callbacks import (
    Autocast,
    AverageWeights,
    Checkpoint,
    LogEpochs,
    SeedEpochs,
    save_atomically,
)
from blood_lib.study.cells import CELL_TYPES, SUBTYPES
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split, save_split
from blood_lib.study.folding import fold_batch_norms, load_served_weights, mix_weights
from blood_lib.study.loaders import build_dls, load_views
from blood_lib.study.losses import UNKNOWN, JointLoss, build_metrics
from blood_lib.study.provenance import describe_environment

from fastai.callback.core import Callback  # isort: skip
from fastai.callback.schedule import ParamScheduler  # noqa: F401  # isort: skip  (adds fit_one_cycle to Learner)
from fastai.data.core import DataLoaders  # isort: skip
from fastai.learner import Learner  # isort: skip

__all__ = [
    "CLASS_INDEX",
    "SUBTYPE_INDEX",
    "Recipe",
    "build_learner",
    "build_targets",
    "load_bundle_network",
    "load_network",
    "load_start",
    "train",
]

CLASS_INDEX = {cell_type.name: i for i, cell_type in enumerate(CELL_TYPES)}
"""Name of a cell type to its place among the network's outputs."""

SUBTYPE_INDEX = {name: i for i, name in enumerate(SUBTYPES)}
"""Name of a subtype to its place among the network's second outputs."""

FRAME_SIZE = 256
"""Side of the whole frames that training views are cut from, in px."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a run, apart from images and hardware. Raises BloodError for what cannot be."""

    arch: str = "efficientnet_lite0"  # a name in ARCHITECTURES
    initialisation: str = "imagenet"  # or "random", or "bundle": the network of a bundle, trained further
    start: str = ""  # sha256 of the bundle that is trained further
    mixing: float = 1.0  # share of the trained weights in the result; the rest are those of the start
    fold_batch_norms: bool = False  # freeze the normalisation, as a network that comes from a bundle has it
    subtype_weight: float = 0.0  # of the loss of the second output, the subtypes; 0: there is none
    image_size: int = 128  # of what the network sees, px, a multiple of 32
    crop: float = 0.75  # side of the centred square that is seen, as a share of the image's shorter side
    n_epochs: int = 20
    batch_size: int = 64  # images
    lr: float = 1e-3  # the highest of the one-cycle schedule (Smith 2018, arXiv:1803.09820)
    weight_decay: float = 0.02  # decoupled, of Adam (Loshchilov & Hutter 2019, arXiv:1711.05101)
    label_smoothing: float = 0.05  # Szegedy et al. 2016, arXiv:1512.00567, section 7
    ema_decay: float = 0.998  # of the averaged weights, per step
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.arch not in ARCHITECTURES:
            raise BloodError(
                f"There is no architecture {self.arch}; choose one of {', '.join(ARCHITECTURES)}."
            )
        if self.image_size < 32 or self.image_size % 32:
            raise BloodError(
                f"An image size of {self.image_size} px cannot be used; choose a multiple of 32."
            )
        if (self.initialisation == "bundle") != bool(self.start) or self.start and not self.fold_batch_norms:
            raise BloodError(
                "A network that is trained further needs the bundle it comes from (--start), and its batch "
                "normalisation is folded."
            )
        if not 0 < self.mixing <= 1 or (self.mixing < 1 and not self.start):
            raise BloodError(
                "Weights are mixed with those of a bundle to start from, in a share above 0 up to 1."
            )
        if self.n_epochs < 1 or self.batch_size < 2:
            raise BloodError("A training needs at least one epoch, and batches of two images or more.")

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        values = json.loads(text)
        augmentation = values.pop("augmentation")
        return cls(
            **values, augmentation=Augmentation(**augmentation | {"zoom": tuple(augmentation["zoom"])})
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


def build_learner(
    dls: DataLoaders, recipe: Recipe, *, weights: Path | None = None, callbacks: Sequence[Callback] = ()
) -> Learner:
    """A fastai Learner for `recipe`, ready to fit; `weights`: a local file with ImageNet weights, or the
    folder of the bundle to start from.
    """
    torch.manual_seed(recipe.seed)
    model = _build(recipe, dls.c, weights)
    return Learner(
        dls,
        model.to(device=dls.device, memory_format=torch.channels_last),
        loss_func=JointLoss(dls.c, recipe.label_smoothing, recipe.subtype_weight),
        metrics=build_metrics(dls.c, with_subtypes=recipe.subtype_weight > 0),
        cbs=[Autocast(), *callbacks],
        wd=recipe.weight_decay,
    )


def _build(recipe: Recipe, n_classes: int, weights: Path | None) -> CellNetwork:
    """The network before its first step."""
    if recipe.start:
        return load_start(recipe, weights)
    network = build_network(
        recipe.arch,
        n_classes,
        n_subtypes=_count_subtypes(recipe),
        initialisation=recipe.initialisation,
        weights=weights,
    )
    return fold_batch_norms(network) if recipe.fold_batch_norms else network


def _count_subtypes(recipe: Recipe) -> int:
    return len(SUBTYPES) if recipe.subtype_weight else 0


def _build_empty(recipe: Recipe) -> CellNetwork:
    """A network of this recipe for weights to be put into."""
    network = build_network(
        recipe.arch, len(CELL_TYPES), n_subtypes=_count_subtypes(recipe), initialisation="random"
    )
    return fold_batch_norms(network) if recipe.fold_batch_norms else network


def load_start(recipe: Recipe, folder: Path | None) -> CellNetwork:
    """The network of the bundle in `folder`, which `recipe` trains further."""
    bundle = load_bundle(folder)
    if bundle.sha256 != recipe.start:
        raise BloodError(f"{bundle.path} is not the bundle that the recipe starts from; give that one.")
    return load_served_weights(_build_empty(recipe), bundle.read("model.onnx"))


def load_bundle_network(folder: Path | None) -> tuple[CellNetwork, Recipe]:
    """The network that the bundle in `folder` serves (None: the one that ships), in evaluation mode, and its
    recipe.

    What is served has its normalisation folded, whatever the recipe says, and its subtypes told by a head of
    their own; so this network has neither. A head that was fitted later, by `blood adapt`, is not put in.
    """
    bundle = load_bundle(folder)
    if "recipe.json" not in bundle.files:
        raise BloodError(f"{bundle.path} does not say how its network was made; give one with a recipe.json.")
    recipe = Recipe.from_json(bundle.read("recipe.json").decode())
    served = Recipe(**vars(recipe) | {"fold_batch_norms": True, "subtype_weight": 0.0})
    return load_served_weights(_build_empty(served), bundle.read("model.onnx")).eval(), recipe


def build_targets(rows: pd.DataFrame) -> np.ndarray:
    """The indices (N, 2) of class and subtype of rows of the split; UNKNOWN where no subtype was told."""
    subtypes = rows["subtype"].map(SUBTYPE_INDEX).fillna(UNKNOWN).astype(int)
    return np.stack([rows["cell_type"].map(CLASS_INDEX), subtypes], axis=1)


def _load_parts(root: Path, split: pd.DataFrame, recipe: Recipe) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Whole frames of the training part, then views of the validation part; each with the indices (N, 2) of
    class and subtype.
    """
    for part, size, crop in (("train", FRAME_SIZE, 1.0), ("valid", recipe.image_size, recipe.crop)):
        rows = split[split["part"] == part]
        if len(rows) < recipe.batch_size and part == "train" or rows.empty:
            raise BloodError(f"{root} has too few images to train on ({len(rows)} in the part {part}).")
        views = load_views(root, rows["file"].tolist(), size=size, crop=crop)
        yield views, build_targets(rows)


def _check_run(run: Path, recipe: Recipe, split: pd.DataFrame | None = None) -> None:
    """A run that was begun must be of this recipe and, once that is known, of these images."""
    file = run / "recipe.json"
    if file.exists() and Recipe.from_json(file.read_text(encoding="utf-8")) != recipe:
        raise BloodError(f"{run} holds a run with another recipe; name another folder with --out.")
    file = run / "split.csv"
    if split is not None and file.exists():
        before = pd.read_csv(file, keep_default_na=False)
        if not before.reset_index(drop=True).equals(split.reset_index(drop=True)):
            raise BloodError(f"{run} holds a run on other images; name another folder with --out.")


def _begin_run(
    run: Path, recipe: Recipe, split: pd.DataFrame, device: torch.device, weights: Path | None
) -> None:
    """Write down what the run is, before its first epoch."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        (run / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
        environment = json.dumps(describe_environment(device), indent=2) + "\n"
        (run / "environment.json").write_text(environment, encoding="utf-8")
        if recipe.start:
            _keep_start(load_bundle(weights), run / "start")
    except OSError as error:
        raise BloodError(f"{run} cannot be written: {error.strerror}; name another folder.") from None
    save_split(split, run / "split.csv")


def _keep_start(bundle: Bundle, folder: Path) -> None:
    """How the bundle that is trained further was trained itself, as far as it says."""
    folder.mkdir(exist_ok=True)
    for name in ("recipe.json", "training.csv"):
        if name in bundle.files:
            (folder / name).write_bytes(bundle.read(name))


def _find_device(name: str) -> torch.device:
    """The device called `name`; 'auto' is a GPU where there is one."""
    has_gpu = torch.cuda.is_available()
    try:
        device = torch.device(name if name != "auto" else "cuda" if has_gpu else "cpu")
    except RuntimeError:
        raise BloodError(f"There is no device {name}; choose cpu, cuda or auto.") from None
    if device.type == "cuda" and not has_gpu:
        raise BloodError("No CUDA device can be used here; choose --device cpu.")
    return device


def train(
    folder: Path,
    run: Path,
    recipe: Recipe,
    *,
    device: str = "auto",
    weights: Path | None = None,
    split: pd.DataFrame | None = None,
) -> Path:
    """Train by `recipe` on the dataset in `folder`, into the folder `run`.

    split: train on these rows of `load_split` alone; all of them where there is none. Goes on where an
    earlier call was cut off; does nothing for a finished run. Returns the file with the weights. Raises
    BloodError for a folder without the dataset, weights that cannot be had, and a `run` that holds another
    recipe's run or one on other images.
    """
    _check_run(run, recipe)
    if (run / "model.pt").exists():
        return run / "model.pt"
    torch.set_flush_denormal(True)
    at, root = _find_device(device), find_dataset(folder)
    split = load_split(root) if split is None else split
    _check_run(run, recipe, split)
    parts = _load_parts(root, split, recipe)
    dls = build_dls(
        *parts,
        vocab=list(CLASS_INDEX),
        size=recipe.image_size,
        crop=recipe.crop,
        augmentation=recipe.augmentation,
        batch_size=recipe.batch_size,
        device=at,
    )
    average, log = AverageWeights(recipe.ema_decay), LogEpochs(run / "log.csv")
    checkpoint = Checkpoint(run / "checkpoint.pt", average)
    callbacks = [SeedEpochs(recipe.seed), average, log, checkpoint]
    learn = build_learner(dls, recipe, weights=weights, callbacks=callbacks)
    _begin_run(run, recipe, split, at, weights)
    done = checkpoint.resume(learn)
    log.keep(done)
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(recipe.n_epochs, recipe.lr, start_epoch=done)
    if recipe.mixing < 1:
        save_atomically(learn.model.state_dict(), run / "trained.pt")
        mix_weights(learn.model, load_start(recipe, weights), recipe.mixing)
    save_atomically(learn.model.state_dict(), run / "model.pt")
    checkpoint.file.unlink()
    return run / "model.pt"


def load_network(run: Path, *, file: str = "model.pt") -> tuple[CellNetwork, Recipe]:
    """The trained network of a finished run, in evaluation mode, and its recipe.

    file: "trained.pt" for the weights before they were mixed with those of the start.
    """
    try:
        recipe = Recipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
        state = torch.load(run / file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BloodError(
            f"{run} holds no finished run ({Path(error.filename).name} is missing); "
            "finish it with blood train."
        ) from None
    network = _build_empty(recipe)
    network.load_state_dict(state)
    return network.eval(), recipe
