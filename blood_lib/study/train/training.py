"""Trains a network by a recipe, with fastai: autocast, averaged weights, a checkpoint after every epoch.

A run is a folder: recipe.json, split.csv, environment.json, log.csv, checkpoint.pt while it lasts and
model.pt at its end (and trained.pt, where that is mixed with the start's weights). A run that was killed goes
on from its last epoch and ends in the same place. Measuring the result is for `evaluation`, the bundle for
`export`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from blood_lib.bundle import load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.files.output import write_whole
from blood_lib.inference.head import Head
from blood_lib.study.cells import CELL_TYPES, SUBTYPES
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.provenance import describe_environment, list_machines
from blood_lib.study.data.split import load_split, save_split
from blood_lib.study.train.architectures import CellNetwork, build_network
from blood_lib.study.train.augmentation import augment
from blood_lib.study.train.callbacks import (
    Autocast,
    AverageWeights,
    Checkpoint,
    LogEpochs,
    SeedEpochs,
    save_atomically,
)
from blood_lib.study.train.classic_tfms import build_change
from blood_lib.study.train.distillation import Teach, hash_teacher, is_bundle, keep_teachers, keep_training
from blood_lib.study.train.folding import fold_batch_norms, load_head, load_served_weights, mix_weights
from blood_lib.study.train.loaders import build_dls, load_views
from blood_lib.study.train.losses import UNKNOWN, JointLoss, build_metrics
from blood_lib.study.train.recipe import Recipe

from fastai.callback.core import Callback  # isort: skip
from fastai.callback.schedule import ParamScheduler  # noqa: F401  # isort: skip  (adds fit_one_cycle to Learner)
from fastai.data.core import DataLoaders  # isort: skip
from fastai.learner import Learner  # isort: skip

__all__ = [
    "CLASS_INDEX",
    "SUBTYPE_INDEX",
    "build_learner",
    "build_targets",
    "find_device",
    "load_dls",
    "load_bundle_network",
    "load_network",
    "load_start",
    "split_layers",
    "train",
]

CLASS_INDEX = {cell_type.name: i for i, cell_type in enumerate(CELL_TYPES)}
"""Name of a cell type to its place among the network's outputs."""

SUBTYPE_INDEX = {name: i for i, name in enumerate(SUBTYPES)}
"""Name of a subtype to its place among the network's second outputs."""

FRAME_SIZE = 256
"""Side of the whole frames that training views are cut from, in px."""


def build_learner(
    dls: DataLoaders, recipe: Recipe, *, weights: Path | None = None, callbacks: Sequence[Callback] = ()
) -> Learner:
    """A fastai Learner for `recipe`, ready to fit; `weights`: a local file with ImageNet weights, or the
    folder of the bundle to start from.
    """
    torch.set_flush_denormal(True)  # tiny numbers make a step up to ten times as slow
    torch.backends.cudnn.benchmark = True  # batches are all of one size
    torch.manual_seed(recipe.seed)
    model = _build(recipe, dls.c, weights)
    return Learner(
        dls,
        model.to(device=dls.device, memory_format=torch.channels_last),
        loss_func=JointLoss(dls.c, recipe.label_smoothing, recipe.subtype_weight, recipe.distillation),
        metrics=build_metrics(dls.c, with_subtypes=recipe.subtype_weight > 0),
        cbs=[Autocast(), *callbacks],
        wd=recipe.weight_decay,
        splitter=split_layers,
    )


def split_layers(network: CellNetwork) -> list[list[torch.nn.Parameter]]:
    """The network's parameters in three groups, for learning rates of their own: the first half of the body's
    tensors, its second half, the heads.
    """
    body = list(network.body.parameters())
    inside = {id(parameter) for parameter in body}
    heads = [parameter for parameter in network.parameters() if id(parameter) not in inside]
    return [body[: len(body) // 2], body[len(body) // 2 :], heads]


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
    if recipe.norm_momentum:
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = recipe.norm_momentum
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
    """Frames of the training part, then views of the validation part; each with the indices (N, 2) of class
    and subtype. Transforms work on views; the augmentation cuts its own from whole frames.
    """
    view = (recipe.image_size, recipe.crop)
    for part, (size, crop) in (("train", view if recipe.tfms else (FRAME_SIZE, 1.0)), ("valid", view)):
        rows = split[split["part"] == part]
        if len(rows) < recipe.batch_size and part == "train" or rows.empty:
            raise BloodError(f"{root} has too few images to train on ({len(rows)} in the part {part}).")
        views = load_views(root, rows["file"].tolist(), size=size, crop=crop)
        yield views, build_targets(rows)


def _build_change(recipe: Recipe) -> Callable[[torch.Tensor], torch.Tensor]:
    """What makes a random view of a frame of the training part."""
    if recipe.tfms:
        return build_change(recipe.tfms, recipe.image_size)
    return partial(augment, size=recipe.image_size, crop=recipe.crop, a=recipe.augmentation)


def load_dls(root: Path, split: pd.DataFrame, recipe: Recipe, device: torch.device | str) -> DataLoaders:
    """DataLoaders of the parts train and valid of `split`, whose files are in `root`."""
    return build_dls(
        *_load_parts(root, split, recipe),
        vocab=list(CLASS_INDEX),
        change=_build_change(recipe),
        batch_size=recipe.batch_size,
        device=device,
    )


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


def _load_teachers(recipe: Recipe, folders: Sequence[Path]) -> list[tuple[CellNetwork, int]]:
    """The networks that `recipe` learns from, each with its image size."""
    if tuple(hash_teacher(folder) for folder in folders) != recipe.teachers:
        raise BloodError(
            "These are not the teachers that the recipe learns from, in their order; give those."
        )
    loaded = [_load_teacher(folder) if is_bundle(folder) else load_network(folder) for folder in folders]
    for folder, (network, _) in zip(folders, loaded, strict=True):
        if recipe.subtype_weight and network.subtypes is None:
            raise BloodError(f"{folder} holds a network that tells no subtypes; name another --teacher.")
    return [(network, taught.image_size) for network, taught in loaded]


def _load_teacher(folder: Path) -> tuple[CellNetwork, Recipe]:
    """The network of the bundle in `folder` with all that it tells, and its recipe."""
    network, recipe = load_bundle_network(folder)
    bundle = load_bundle(folder)
    if "head.npz" in bundle.files:
        raise BloodError(
            f"{folder} was adapted to a laboratory; name the bundle that it came from as --teacher."
        )
    if tuple(info.name for info in bundle.subtypes) == SUBTYPES:
        network.subtypes = load_head(Head.from_bytes(bundle.read("subtypes.npz")))
    return network, recipe


def _begin_run(
    run: Path,
    recipe: Recipe,
    split: pd.DataFrame,
    device: torch.device,
    weights: Path | None,
    teachers: Sequence[Path],
) -> None:
    """Write down what the run is, before its first epoch."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        write_whole(run / "recipe.json", recipe.to_json())
        write_whole(run / "environment.json", json.dumps(_describe_machines(run, device), indent=2) + "\n")
        if recipe.start:
            keep_training(load_bundle(weights), run / "start")
        keep_teachers(teachers, run / "teachers")
    except OSError as error:
        raise BloodError(f"{run} cannot be written: {error.strerror}; name another folder.") from None
    save_split(split, run / "split.csv")


def _describe_machines(run: Path, device: torch.device) -> dict[str, object]:
    """What the run goes on with now, and under `earlier` what other environments it had before."""
    now = describe_environment(device)
    earlier = list_machines(run) if (run / "environment.json").exists() else []
    if now in earlier[-1:]:
        earlier.pop()
    return now | ({"earlier": earlier} if earlier else {})


def find_device(name: str) -> torch.device:
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
    teachers: Sequence[Path] = (),
    split: pd.DataFrame | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train by `recipe` on the dataset in `folder`, into the folder `run`.

    teachers: the finished runs or bundles that the recipe learns from. split: train on these rows of
    `load_split` alone; all of them where there is none. say: is called with a line an epoch.

    Goes on where an earlier call was cut off; does nothing for a finished run. Returns the file with the
    weights. Raises BloodError for a folder without the dataset, weights that cannot be had, and a `run` that
    holds another recipe's run or one on other images.
    """
    _check_run(run, recipe)
    if (run / "model.pt").exists():
        return run / "model.pt"
    at, root = find_device(device), find_dataset(folder)
    split = load_split(root) if split is None else split
    _check_run(run, recipe, split)
    taught_by = _load_teachers(recipe, teachers)
    dls = load_dls(root, split, recipe, at)
    average, log = AverageWeights(recipe.ema_decay), LogEpochs(run / "log.csv", say)
    checkpoint = Checkpoint(run / "checkpoint.pt", average)
    callbacks = [SeedEpochs(recipe.seed), average, log, checkpoint]
    callbacks += [Teach(taught_by, dls.c)] if taught_by else []
    learn = build_learner(dls, recipe, weights=weights, callbacks=callbacks)
    _begin_run(run, recipe, split, at, weights, teachers)
    done = checkpoint.resume(learn)
    log.keep(done)
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(recipe.n_epochs, _spread(recipe), start_epoch=done)
    if recipe.mixing < 1:
        save_atomically(learn.model.state_dict(), run / "trained.pt")
        mix_weights(learn.model, load_start(recipe, weights), recipe.mixing)
    save_atomically(learn.model.state_dict(), run / "model.pt")
    checkpoint.file.unlink()
    return run / "model.pt"


def _spread(recipe: Recipe) -> slice | float:
    """The highest learning rates as fastai takes them: from the first layers to the last."""
    return slice(recipe.lr * recipe.lr_first, recipe.lr) if recipe.lr_first < 1 else recipe.lr


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
