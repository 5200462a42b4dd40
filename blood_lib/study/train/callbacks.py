"""What happens around fastai's training loop: autocast, averaged weights, seeds, log and checkpoint.

`training` puts them together.
"""

import copy
import csv
import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blood_lib.files.output import write_whole
from blood_lib.study.train import torchvision_ops  # noqa: F401  (must come before fastai)

from fastai.callback.core import Callback  # isort: skip
from fastai.learner import Learner  # isort: skip

__all__ = [
    "Autocast",
    "AverageWeights",
    "Checkpoint",
    "LogEpochs",
    "SeedEpochs",
    "has_bfloat16",
    "save_atomically",
]

_BFLOAT16_CPUS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # functions of torch.cpu


def save_atomically(state: Mapping[str, Any], file: Path) -> None:
    """torch.save that leaves either the old file or the whole new one."""
    temporary = file.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, file)


def has_bfloat16(device: torch.device) -> bool:
    """Whether `device` multiplies in bfloat16 by itself; a CPU that only imitates it is 50 times slower."""
    if device.type != "cpu":
        return True
    return any(getattr(torch.cpu, name, lambda: False)() for name in _BFLOAT16_CPUS)


class Autocast(Callback):
    """Runs the forward pass and the loss in bfloat16 where that is safe and quick."""

    order = 10

    def before_batch(self) -> None:
        device = self.dls.device
        self.context: torch.autocast | None = torch.autocast(
            device.type, torch.bfloat16, enabled=has_bfloat16(device)
        )
        self.context.__enter__()

    def after_pred(self) -> None:
        self.learn.pred = self.pred.float()

    def after_loss(self) -> None:
        self._leave()

    def after_cancel_batch(self) -> None:
        self._leave()

    def _leave(self) -> None:
        if self.context is not None:
            self.context.__exit__(None, None, None)
            self.context = None


class AverageWeights(Callback):
    """Average of the weights along the run, used for validation and kept at the end: step t counts as
    t**power (Shamir & Zhang 2013, arXiv:1212.1824, section 4), until that is an exponential moving average.
    """

    order = 55

    def __init__(self, decay: float, power: float = 9.0) -> None:
        self.decay, self.power, self.n_steps = decay, power, 0
        self.average: Any = None  # a network once the first epoch begins

    def before_fit(self) -> None:
        if self.average is None:
            self.average = copy.deepcopy(self.model).requires_grad_(False)

    @torch.no_grad()
    def after_step(self) -> None:
        self.n_steps += 1
        decay = min(self.decay, self.n_steps / (self.n_steps + 1 + self.power))
        for mean, value in zip(
            self.average.state_dict().values(), self.model.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def before_validate(self) -> None:
        self.trained, self.learn.model = self.model, self.average
        self.average.eval()

    def after_validate(self) -> None:
        self.learn.model = self.trained

    def after_fit(self) -> None:
        self.model.load_state_dict(self.average.state_dict())


class SeedEpochs(Callback):
    """Every epoch draws from a seed of its own, so that a resumed run sees what an unbroken one would have
    seen.
    """

    order = -10

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def before_epoch(self) -> None:
        seed = self.seed * 100_003 + self.epoch
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        self.dls.train.rng = random.Random(seed)


class LogEpochs(Callback):
    """Appends a row per epoch to `file` and says it; `keep` drops the rows of epochs that a resumed run does
    again.
    """

    order = 60

    def __init__(self, file: Path, say: Callable[[str], None]) -> None:
        self.file, self.say = file, say

    def before_epoch(self) -> None:
        self.started: float | None = None
        self.losses: list[torch.Tensor] = []

    def before_train(self) -> None:
        self.started, self.losses = time.perf_counter(), []

    def after_batch(self) -> None:
        if self.training:
            self.losses.append(self.loss.detach())

    def after_epoch(self) -> None:
        if self.started is None:  # an epoch that a resumed run skips
            return
        names = self.recorder.metric_names[1:-1]  # without 'epoch' and 'time'
        row = {"epoch": self.epoch + 1, **dict(zip(names, self.recorder.values[-1], strict=True))}
        row["train_loss"] = torch.stack(self.losses).mean().item()  # fastai's own is smoothed over epochs
        row = {name: f"{value:.5f}" if isinstance(value, float) else value for name, value in row.items()}
        row["seconds"] = f"{time.perf_counter() - self.started:.0f}"
        new = not self.file.exists() or not self.file.stat().st_size
        with self.file.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)
        self.say(" ".join(f"{name}={value}" for name, value in row.items()))

    def keep(self, n_epochs: int) -> None:
        """Keep the rows of the first `n_epochs` epochs."""
        if self.file.exists():
            lines = self.file.read_text(encoding="utf-8").splitlines(keepends=True)
            write_whole(self.file, "".join(lines[: 1 + n_epochs] if n_epochs else []))


class Checkpoint(Callback):
    """Saves what the next epoch needs after each epoch, and loads it again."""

    order = 70

    def __init__(self, file: Path, average: AverageWeights) -> None:
        self.file, self.average = file, average

    def before_epoch(self) -> None:
        self.trained = False

    def before_train(self) -> None:
        self.trained = True

    def after_epoch(self) -> None:
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
