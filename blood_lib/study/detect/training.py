"""Trains the detector by a recipe: autocast, averaged weights, a checkpoint after every epoch.

A run is a folder: recipe.json, log.csv, checkpoint.pt while it lasts and model.pt at its end. A run that was
killed goes on from its last epoch and ends in the same place. What it finds is measured in `measure`.
"""

import copy
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from blood_lib.files.errors import BloodError
from blood_lib.files.output import write_whole
from blood_lib.study.detect.fields import Field, find_laboratory
from blood_lib.study.detect.loss import compute_loss
from blood_lib.study.detect.network import DetectorNetwork
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.views import Canvas, View, augment_views, draw_view, load_canvas
from blood_lib.study.train.callbacks import has_bfloat16, save_atomically

__all__ = ["build_batch", "hash_weights", "load_detector", "load_log", "train_detector", "train_step"]

_WARM_UP = 0.2  # the share of the epochs before the network's own doubt about unboxed cells counts


def train_detector(
    fields: Sequence[Field],
    recipe: DetectorRecipe,
    out: Path,
    *,
    start: DetectorNetwork | None = None,
    say: Callable[[str], None] = print,
) -> DetectorNetwork:
    """Train on the fields of the train split, in the folder `out`, or go on there; returns the network.

    start: the network whose weights are trained further, where the recipe names them.
    """
    if recipe.start != (hash_weights(start) if start else ""):
        raise BloodError("The run starts from the weights that its recipe names; give that run.")
    out.mkdir(parents=True, exist_ok=True)
    _keep_recipe(recipe, out / "recipe.json")
    torch.set_flush_denormal(True)
    torch.manual_seed(recipe.seed)
    network = DetectorNetwork(recipe.widths)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stubs lack it
    if start is not None:
        network.load_state_dict(start.state_dict())
    average = copy.deepcopy(network).requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    n_steps = recipe.epoch_views // recipe.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.lr, total_steps=recipe.n_epochs * n_steps
    )
    parts: dict[str, Any] = {
        "network": network,
        "average": average,
        "optimiser": optimiser,
        "schedule": schedule,
    }
    begin = _resume(parts, out / "checkpoint.pt")
    canvases = [load_canvas(field, recipe) for field in fields if _is_used(field, recipe)]
    for epoch in range(begin, recipe.n_epochs):
        started, losses = time.perf_counter(), []
        torch.manual_seed(recipe.seed * 100_003 + epoch)
        for views in _draw_batches(canvases, recipe, np.random.default_rng([recipe.seed, epoch])):
            is_warm = epoch >= _WARM_UP * recipe.n_epochs
            losses.append(train_step(network, optimiser, views, recipe, is_warm=is_warm))
            schedule.step()
            _average(average, network, recipe.ema_decay, n_done=epoch * n_steps + len(losses))
        state = {name: part.state_dict() for name, part in parts.items()}
        save_atomically({"epoch": epoch + 1, **state}, out / "checkpoint.pt")
        row = (epoch + 1, f"{np.mean(losses):.4f}", f"{time.perf_counter() - started:.0f}")
        _log(row, out / "log.csv")
        say("epoch {}: loss {}, {} s".format(*row))
    save_atomically(average.state_dict(), out / "model.pt")
    return average.eval()


def hash_weights(network: DetectorNetwork) -> str:
    """sha256, hexadecimal, of all its numbers."""
    values = [value.detach().contiguous().numpy().tobytes() for value in network.state_dict().values()]
    return hashlib.sha256(b"".join(values)).hexdigest()


def _keep_recipe(recipe: DetectorRecipe, file: Path) -> None:
    if file.exists() and DetectorRecipe.from_json(file.read_text(encoding="utf-8")) != recipe:
        raise BloodError(f"{file.parent} holds a run of another recipe; choose another folder.")
    write_whole(file, recipe.to_json())


def _is_used(field: Field, recipe: DetectorRecipe) -> bool:
    return field.split == "train" and field.laboratory not in recipe.without and len(field.boxes) > 0


def _resume(parts: dict[str, Any], file: Path) -> int:
    """Put what was saved into the parts; returns the number of finished epochs."""
    if not file.exists():
        return 0
    state = torch.load(file, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state["epoch"]


def _log(row: tuple[object, ...], file: Path) -> None:
    with file.open("a", encoding="utf-8") as lines:
        print(*row, sep=",", file=lines)


def _draw_batches(
    canvases: Sequence[Canvas], recipe: DetectorRecipe, rng: np.random.Generator
) -> Iterator[list[View]]:
    """An epoch's batches: laboratories by their shares, fields of each by lot."""
    names = [canvas.field.laboratory for canvas in canvases]
    weights = np.array([find_laboratory(name).share / names.count(name) for name in names])
    for _ in range(recipe.epoch_views // recipe.batch_size):
        chosen = rng.choice(len(canvases), recipe.batch_size, p=weights / weights.sum())
        yield [draw_view(canvases[i], recipe, rng) for i in chosen]


def build_batch(views: Sequence[View], recipe: DetectorRecipe) -> tuple[torch.Tensor, ...]:
    """images (N, 3, S, S) 0 to 255, their looks changed, heat, known, boxes, and which kinds are missed."""
    x = torch.from_numpy(np.stack([view.pixels for view in views])).permute(0, 3, 1, 2).float() / 255
    targets = [
        np.stack([getattr(view.targets, name) for view in views]) for name in ("heat", "known", "boxes")
    ]
    missed = torch.tensor([view.misses for view in views])
    return 255 * augment_views(x, recipe), *map(torch.from_numpy, targets), missed


def train_step(
    network: DetectorNetwork,
    optimiser: torch.optim.Optimizer,
    views: Sequence[View],
    recipe: DetectorRecipe,
    *,
    is_warm: bool = True,
) -> float:
    """One step of the optimiser on one batch; returns the loss before it."""
    x, heat, known, boxes, missed = build_batch(views, recipe)
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16(x.device)):
        output = network(x.contiguous(memory_format=torch.channels_last))
    loss = compute_loss(
        tuple(part.float() for part in output),
        heat,
        known,
        boxes,
        box_weight=recipe.box_weight,
        doubtful=missed if is_warm else None,
        doubt=recipe.doubt,
    )
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimiser.step()
    return loss.item()


@torch.no_grad()
def _average(average: DetectorNetwork, network: DetectorNetwork, decay: float, *, n_done: int) -> None:
    decay = min(decay, n_done / (n_done + 10))
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def load_detector(run: Path) -> tuple[DetectorNetwork, DetectorRecipe]:
    """The trained network of a run, or its average so far, and the recipe."""
    recipe = DetectorRecipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
    network = DetectorNetwork(recipe.widths)
    done, going = run / "model.pt", run / "checkpoint.pt"
    if not (done.exists() or going.exists()):
        raise BloodError(f"{run} holds no trained detector yet.")
    state = torch.load(done if done.exists() else going, map_location="cpu", weights_only=True)
    network.load_state_dict(state if done.exists() else state["average"])
    return network.eval(), recipe


def load_log(run: Path) -> pd.DataFrame:
    """A row per epoch: epoch, loss, seconds."""
    return pd.read_csv(run / "log.csv", names=["epoch", "loss", "seconds"])
