"""Trains a network by a recipe, with fastai: autocast, averaged weights, a checkpoint after every epoch.

A run is a folder: recipe.json, split.csv, environment.json, log.csv, checkpoint.pt while it lasts and
model.pt at its end. A run that was killed goes on from its last epoch and ends in the same place. Measuring
the result is for `evaluation`, the bundle for `export`.
"""

import copy
import csv
import json
import os
import platform
import random
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from blood_lib import BloodError
from blood_lib.study.architectures import build_network
from blood_lib.study.augmentation import Augmentation
from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split, save_split
from blood_lib.study.loaders import build_dls, load_views

from fastai.callback.core import Callback  # isort: skip
from fastai.callback.schedule import ParamScheduler  # noqa: F401  # isort: skip  (adds fit_one_cycle to Learner)
from fastai.learner import Learner  # isort: skip
from fastai.metrics import BalancedAccuracy, accuracy  # isort: skip

__all__ = ["Recipe", "build_learner", "describe_environment", "load_network", "train"]

FRAME_SIZE = 256
"""Side of the whole frames that training views are cut from, in px."""


@dataclass(frozen=True)
class Recipe:
    """All that decides a run, apart from the images and the hardware."""

    arch: str = "efficientnet_lite0"
    initialisation: str = "imagenet"
    image_size: int = 128
    crop: float = 0.75
    n_epochs: int = 20
    batch_size: int = 64
    lr: float = 1e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    ema_decay: float = 0.998
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        values = json.loads(text)
        augmentation = values.pop("augmentation")
        return cls(
            **values, augmentation=Augmentation(**augmentation | {"zoom": tuple(augmentation["zoom"])})
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


class Autocast(Callback):
    """Runs the forward pass and the loss in bfloat16 where that is safe, on any device."""

    order = 10

    def before_batch(self):
        self.context = torch.autocast(self.dls.device.type, torch.bfloat16)
        self.context.__enter__()

    def after_pred(self):
        self.learn.pred = self.pred.float()

    def after_loss(self):
        self._leave()

    def after_cancel_batch(self):
        self._leave()

    def _leave(self):
        if self.context is not None:
            self.context.__exit__(None, None, None)
            self.context = None


class AverageWeights(Callback):
    """Exponential moving average of the weights (Polyak averaging), used for validation and kept at the
    end.
    """

    order = 55

    def __init__(self, decay: float):
        self.decay, self.n_steps, self.average = decay, 0, None

    def before_fit(self):
        if self.average is None:
            self.average = copy.deepcopy(self.model).requires_grad_(False)

    @torch.no_grad()
    def after_step(self):
        self.n_steps += 1
        decay = min(self.decay, self.n_steps / (self.n_steps + 10))
        for mean, value in zip(
            self.average.state_dict().values(), self.model.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def before_validate(self):
        self.trained, self.learn.model = self.model, self.average
        self.average.eval()

    def after_validate(self):
        self.learn.model = self.trained

    def after_fit(self):
        self.model.load_state_dict(self.average.state_dict())


class SeedEpochs(Callback):
    """Every epoch draws from a seed of its own, so that a resumed run sees what an unbroken one would have
    seen.
    """

    order = -10

    def __init__(self, seed: int):
        self.seed = seed

    def before_epoch(self):
        seed = self.seed * 100_003 + self.epoch
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        self.dls.train.rng = random.Random(seed)


class LogEpochs(Callback):
    """Appends a row per epoch to `file`."""

    order = 60

    def __init__(self, file: Path):
        self.file = file

    def before_epoch(self):
        self.started = None

    def before_train(self):
        self.started, self.losses = time.perf_counter(), []

    def after_batch(self):
        if self.training:
            self.losses.append(self.loss.detach())

    def after_epoch(self):
        if self.started is None:  # an epoch that a resumed run skips
            return
        names = self.recorder.metric_names[1:-1]  # without 'epoch' and 'time'
        row = {"epoch": self.epoch + 1, **dict(zip(names, self.recorder.values[-1], strict=True))}
        row["train_loss"] = torch.stack(self.losses).mean().item()  # fastai's own is smoothed over epochs
        row = {name: f"{value:.5f}" if isinstance(value, float) else value for name, value in row.items()}
        row["seconds"] = f"{time.perf_counter() - self.started:.0f}"
        new = not self.file.exists()
        with self.file.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)
        print(" ".join(f"{name}={value}" for name, value in row.items()), flush=True)


class Checkpoint(Callback):
    """Saves all that the next epoch needs, after each epoch, and takes it up again."""

    order = 70

    def __init__(self, file: Path, average: AverageWeights):
        self.file, self.average = file, average

    def before_epoch(self):
        self.trained = False

    def before_train(self):
        self.trained = True

    def after_epoch(self):
        if not self.trained:  # an epoch that a resumed run skips
            return
        state = {
            "epoch": self.epoch + 1,
            "model": self.model.state_dict(),
            "average": self.average.average.state_dict(),
            "n_steps": self.average.n_steps,
            "optimiser": [{k: v for k, v in one.items()} for one in self.opt.state_dict()["state"]],
        }
        save_atomically(state, self.file)

    def resume(self, learn: Learner) -> int:
        """Put the saved state into `learn`; returns the number of finished epochs."""
        if not self.file.exists():
            return 0
        state = torch.load(self.file, map_location="cpu", weights_only=True)
        learn.model.load_state_dict(state["model"])
        self.average.average = copy.deepcopy(learn.model).requires_grad_(False)
        self.average.average.load_state_dict(state["average"])
        self.average.n_steps = state["n_steps"]
        learn.create_opt()
        learn.opt.load_state_dict({"state": state["optimiser"], "hypers": learn.opt.state_dict()["hypers"]})
        return state["epoch"]


def save_atomically(state: dict, file: Path) -> None:
    """torch.save that leaves either the old file or the whole new one."""
    part = file.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, file)


def describe_environment(device: torch.device | str) -> dict[str, object]:
    """What a run ran on: versions, processor or GPU, threads."""
    packages = ("torch", "torchvision", "fastai", "numpy", "pillow")
    name = torch.cuda.get_device_name() if torch.device(device).type == "cuda" else _processor_name()
    versions = {package: version(package) for package in packages} | {"python": platform.python_version()}
    return {"hardware": name, "threads": torch.get_num_threads(), "versions": versions}


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def build_learner(dls, recipe: Recipe, *, weights: Path | None = None, callbacks=()) -> Learner:
    """A fastai Learner for `recipe`, ready to fit."""
    torch.manual_seed(recipe.seed)
    model = build_network(recipe.arch, dls.c, initialisation=recipe.initialisation, weights=weights)
    model = model.to(device=dls.device, memory_format=torch.channels_last)
    loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    metrics = [accuracy, BalancedAccuracy()]
    return Learner(
        dls, model, loss_func=loss, metrics=metrics, cbs=[Autocast(), *callbacks], wd=recipe.weight_decay
    )


def load_parts(folder: Path, split: pd.DataFrame, recipe: Recipe, parts=("train", "valid")):
    """Per part: whole frames for training and views as classified for the others, with class indices."""
    index = {cell_type.name: i for i, cell_type in enumerate(CELL_TYPES)}
    for part in parts:
        rows = split[split["part"] == part]
        size, crop = (FRAME_SIZE, 1.0) if part == "train" else (recipe.image_size, recipe.crop)
        yield (
            load_views(folder, rows["file"].tolist(), size=size, crop=crop),
            rows["cell_type"].map(index).to_numpy(),
        )


def _open_run(run: Path, recipe: Recipe) -> None:
    """Make the folder `run`, or check that the run in it is this recipe's."""
    run.mkdir(parents=True, exist_ok=True)
    file = run / "recipe.json"
    if file.exists() and Recipe.from_json(file.read_text()) != recipe:
        raise BloodError(f"{run} holds a run with another recipe; name another folder with --out.")
    file.write_text(recipe.to_json())


def train(
    folder: Path, run: Path, recipe: Recipe, *, device: str = "cpu", weights: Path | None = None
) -> Path:
    """Train by `recipe` on the dataset in `folder`, into the folder `run`; goes on where an earlier call was
    cut off.

    Returns the file with the weights. Raises BloodError when `run` holds another recipe's run.
    """
    _open_run(run, recipe)
    if (run / "model.pt").exists():
        return run / "model.pt"
    torch.set_flush_denormal(True)
    root = find_dataset(folder)
    split = load_split(root)
    save_split(split, run / "split.csv")
    (run / "environment.json").write_text(json.dumps(describe_environment(device), indent=2) + "\n")
    frames, views = load_parts(root, split, recipe)
    dls = build_dls(
        frames,
        views,
        vocab=[c.name for c in CELL_TYPES],
        size=recipe.image_size,
        crop=recipe.crop,
        augmentation=recipe.augmentation,
        batch_size=recipe.batch_size,
        device=device,
    )
    average = AverageWeights(recipe.ema_decay)
    checkpoint = Checkpoint(run / "checkpoint.pt", average)
    learn = build_learner(
        dls,
        recipe,
        weights=weights,
        callbacks=[SeedEpochs(recipe.seed), average, LogEpochs(run / "log.csv"), checkpoint],
    )
    done = checkpoint.resume(learn)
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(recipe.n_epochs, recipe.lr, start_epoch=done)
    save_atomically(learn.model.state_dict(), run / "model.pt")
    checkpoint.file.unlink()
    return run / "model.pt"


def load_network(run: Path) -> tuple[nn.Module, Recipe]:
    """The trained network of a finished run, in evaluation mode, and its recipe."""
    try:
        recipe = Recipe.from_json((run / "recipe.json").read_text())
        state = torch.load(run / "model.pt", map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BloodError(
            f"{run} holds no finished run ({Path(error.filename).name} is missing); "
            "finish it with blood train."
        ) from None
    network = build_network(recipe.arch, len(CELL_TYPES), initialisation="random")
    network.load_state_dict(state)
    return network.eval(), recipe
