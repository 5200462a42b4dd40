"""Trains a network by a recipe, with fastai: autocast, averaged weights, a checkpoint after every epoch.

A run is a folder: recipe.json, split.csv, environment.json, log.csv, checkpoint.pt while it lasts and
model.pt at its end (and trained.pt, if its weights are mixed with those it started from). A run that was
killed goes on from its last epoch and ends in the same place.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from blood_lib.bundle import load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.files.output import write_whole
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.laboratories import build_candidates, list_validated
from blood_lib.study.data.split import load_split, save_split
from blood_lib.study.environment import describe_environment, list_machines
from blood_lib.study.train.architectures import CellNetwork, to_channels_last
from blood_lib.study.train.callbacks import (
    Autocast,
    AverageWeights,
    Checkpoint,
    LogEpochs,
    SeedEpochs,
    save_atomically,
)
from blood_lib.study.train.distillation import Teach, keep_teachers, keep_training
from blood_lib.study.train.folding import mix_weights
from blood_lib.study.train.loaders import load_dls
from blood_lib.study.train.losses import JointLoss, build_metrics
from blood_lib.study.train.networks import build_new_network, load_start, load_teachers
from blood_lib.study.train.recipe import Recipe

from fastai.callback.core import Callback  # isort: skip
from fastai.callback.schedule import ParamScheduler  # noqa: F401  # isort: skip  (adds fit_one_cycle to Learner)
from fastai.data.core import DataLoaders  # isort: skip
from fastai.learner import Learner  # isort: skip

__all__ = ["build_learner", "find_device", "split_layers", "train", "train_on"]


def build_learner(
    dls: DataLoaders, recipe: Recipe, *, weights: Path | None = None, callbacks: Sequence[Callback] = ()
) -> Learner:
    """A fastai Learner for `recipe`, ready to fit; `weights`: a local file with ImageNet weights, or the
    folder of the bundle to start from.
    """
    torch.set_flush_denormal(True)  # tiny numbers make a step up to ten times as slow
    torch.backends.cudnn.benchmark = True  # batches are all of one size
    torch.manual_seed(recipe.seed)
    model = build_new_network(recipe, dls.c, weights)
    candidates = torch.tensor(build_candidates()) if recipe.laboratories else None
    validated = list_validated(recipe.laboratories) if recipe.laboratories else ()
    return Learner(
        dls,
        to_channels_last(model, dls.device),
        loss_func=JointLoss(
            dls.c,
            recipe.label_smoothing,
            recipe.subtype_weight,
            recipe.distillation,
            candidates=candidates,
        ),
        metrics=build_metrics(dls.c, with_subtypes=recipe.subtype_weight > 0, laboratories=validated),
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


def _describe_machines(run: Path, device: torch.device) -> dict[str, Any]:
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
    root = find_dataset(folder)
    split = load_split(root) if split is None else split
    load = partial(load_dls, root, split, recipe)
    return train_on(load, split, run, recipe, device=device, weights=weights, teachers=teachers, say=say)


def train_on(
    load: Callable[[torch.device], DataLoaders],
    split: pd.DataFrame,
    run: Path,
    recipe: Recipe,
    *,
    device: str = "auto",
    weights: Path | None = None,
    teachers: Sequence[Path] = (),
    say: Callable[[str], None] = print,
) -> Path:
    """`train` on what `load` gives for a device; `split` is the table of its images, which the run keeps."""
    _check_run(run, recipe, split)
    if (run / "model.pt").exists():
        return run / "model.pt"
    at = find_device(device)
    taught_by = load_teachers(recipe, teachers)
    dls = load(at)
    average = AverageWeights(recipe.ema_decay, recipe.ema_power)
    log = LogEpochs(run / "log.csv", say)
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
