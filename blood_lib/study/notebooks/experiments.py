"""Trainings that are compared with each other: each has its own folder, is done once, and is read as a table.

`training` does a single one. `evaluation` and `costs` tell how good and how costly its network is.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from blood_lib.counts import interval
from blood_lib.files.errors import BloodError
from blood_lib.files.output import write_whole
from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.data.dataset import take_shares
from blood_lib.study.environment import list_machines
from blood_lib.study.notebooks.provenance import hash_table
from blood_lib.study.train.architectures import ARCHITECTURES, WeightsError, build_network
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import train

__all__ = [
    "Experiment",
    "choose_initialisation",
    "compare",
    "compare_initialisations",
    "compare_seeds",
    "find_best",
    "find_first",
    "find_weights",
    "list_epochs",
    "load_choice",
    "run_experiment",
    "save_choice",
    "take_share",
    "describe_trainings",
]

_CHOICE = "choice.json"


@dataclass(frozen=True, eq=False)
class Experiment:
    """A finished training."""

    name: str
    recipe: Recipe
    run: Path
    """Its folder, see `training`."""
    log: pd.DataFrame
    """A row per epoch: epoch, train_loss, valid_loss, accuracy, seconds and what else was measured."""
    n_valid: int
    """Images in the validation split."""

    @property
    def last(self) -> pd.Series:
        return self.log.iloc[-1]


def run_experiment(
    name: str,
    recipe: Recipe,
    *,
    folder: Path,
    split: pd.DataFrame,
    runs: Path,
    weights: Path | None = None,
    device: str = "auto",
) -> Experiment:
    """Trains by `recipe` on the rows `split` of the dataset in `folder`, or goes on with that training.

    Its folder in `runs` is named after recipe and split, so nothing is trained twice. The name does not cover
    code and weights file: where either has changed, take a new `runs`.
    Each epoch is reported on stderr. Raises BloodError as `train` does.
    """
    key = hashlib.sha256((recipe.to_json() + hash_table(split)).encode()).hexdigest()[:8]
    run = runs / f"{recipe.arch}-{key}"
    train(folder, run, recipe, device=device, weights=weights, split=split, say=lambda line: _say(name, line))
    log = pd.read_csv(run / "log.csv")
    return Experiment(name, recipe, run, log, int((split["part"] == "valid").sum()))


def _say(name: str, line: str) -> None:
    print(f"{name}: {line}", file=sys.stderr, flush=True)


def find_weights(arch: str, folder: Path | str) -> Path | None:
    """The file `ARCH.pth` with ImageNet weights in `folder`; None where there is none."""
    file = Path(folder) / f"{arch}.pth"
    return file if folder and file.is_file() else None


def choose_initialisation(arch: str, folder: Path | str = "", *, download: bool = False) -> tuple[str, str]:
    """("imagenet", "") where the ImageNet weights of `arch` can be had, else ("random", the reason).

    They are taken from `folder`, from an installed package, or, with `download`, from their home.
    """
    at_hand = ARCHITECTURES[arch].weights_installed or find_weights(arch, folder)
    if not at_hand and not download:
        return "random", f"ImageNet weights are {ARCHITECTURES[arch].weights_home}, and download is off"
    try:
        build_network(arch, len(CELL_TYPES), weights=find_weights(arch, folder))
    except WeightsError as error:
        return "random", str(error)
    return "imagenet", ""


def take_share(split: pd.DataFrame, n_train: int, *, seed: int = 0) -> pd.DataFrame:
    """The training and validation splits of `split`, with at most `n_train` images of the training split (0:
    all), each cell type's share of them.
    """
    train_rows = split[split["part"] == "train"]
    if 0 < n_train < len(train_rows):
        order = train_rows.sample(frac=1, random_state=seed)
        train_rows = order.loc[take_shares(order["cell_type"], n_train)]
    return pd.concat([train_rows, split[split["part"] == "valid"]]).sort_index().reset_index(drop=True)


def list_epochs(experiment: Experiment) -> pd.DataFrame:
    """The table of the study: epoch, train_loss, valid_loss, accuracy, error_rate and the time (s)."""
    table = experiment.log[["epoch", "train_loss", "valid_loss", "accuracy"]].copy()
    return table.assign(error_rate=1 - table["accuracy"], time_s=experiment.log["seconds"]).round(4)


def find_first(experiments: Sequence[Experiment], arch: str) -> Experiment | None:
    """The first of `experiments` with this architecture: a later one may differ in where it starts from."""
    return next((one for one in experiments if one.recipe.arch == arch), None)


def compare(experiments: Sequence[Experiment]) -> pd.DataFrame:
    """A row per experiment: its name and, after the last epoch, losses, accuracy on the validation split with
    its exact 95 % interval, and the error rate.
    """
    if not experiments:
        raise BloodError("There is nothing to compare: run an experiment first.")
    return pd.DataFrame([_describe(one) for one in experiments])


def save_choice(folder: Path, arch: str) -> None:
    """Writes the architecture that notebook 02 chose into `folder`, the folder of a run of the notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / _CHOICE, json.dumps({"arch": arch}) + "\n")


def load_choice(folder: Path) -> str:
    """The architecture that `save_choice` has written in `folder`; "" where there is none.

    BloodError where the file names no architecture.
    """
    file = folder / _CHOICE
    if not file.is_file():
        return ""
    try:
        arch = json.loads(file.read_text(encoding="utf-8"))["arch"]
    except (ValueError, TypeError, KeyError):
        arch = None
    if arch not in ARCHITECTURES:
        raise BloodError(f"{file} names no architecture: delete it, or run notebook 02 again.")
    return arch


def describe_trainings(experiments: Iterable[Experiment]) -> str:
    """How many trainings these are, how long all their epochs took, and what they ran on."""
    runs = {one.run: one for one in experiments}
    minutes = sum(one.log["seconds"].sum() for one in runs.values()) / 60
    machines = (
        "{hardware}, {threads} CPU threads each".format(**one) for run in runs for one in list_machines(run)
    )
    return f"{len(runs)}, {minutes:.0f} minutes in all; {'; '.join(dict.fromkeys(machines))}"


def find_best(asked: Mapping[str, Sequence[Experiment]]) -> pd.DataFrame:
    """A row per question: how many answers were tried, the most accurate on the validation split with its
    exact 95 % interval, and how many of the others are worse by more than the intervals.
    """
    rows = []
    for question, tried in asked.items():
        table = compare(tried)
        best = table.loc[table["accuracy"].idxmax()]
        found = {"tried": len(table), "best": best["name"], **best[["accuracy", "low", "high", "n"]]}
        worse = int((table["high"] < best["low"]).sum())
        rows.append({"question": question} | found | {"worse beyond the intervals": worse})
    return pd.DataFrame(rows)


def compare_initialisations(experiments: Sequence[Experiment]) -> pd.DataFrame:
    """A row per architecture that began from ImageNet and from random weights: network, both accuracies on
    the validation split, and how many points ImageNet's weights are worth. Empty where there is none.
    """
    accuracy = {(one.recipe.arch, one.recipe.initialisation): one.last["accuracy"] for one in experiments}
    rows = [
        {"network": ARCHITECTURES[arch].title, "imagenet": known, "random": accuracy[arch, "random"]}
        for (arch, start), known in accuracy.items()
        if start == "imagenet" and (arch, "random") in accuracy
    ]
    table = pd.DataFrame(rows, columns=["network", "imagenet", "random"])
    return table.assign(points=100 * (table["imagenet"] - table["random"]))


def compare_seeds(experiments: Mapping[str, Sequence[Experiment]]) -> pd.DataFrame:
    """A row per name: of its experiments, which differ in their seeds alone, mean, lowest and highest
    accuracy on the validation split after the last epoch.
    """
    rows = []
    for name, mine in experiments.items():
        accuracy = pd.Series([one.last["accuracy"] for one in mine])
        spread = {"mean": accuracy.mean(), "lowest": accuracy.min(), "highest": accuracy.max()}
        rows.append({"name": name, "seeds": len(mine), "n": mine[0].n_valid} | spread)
    return pd.DataFrame(rows)


def _describe(one: Experiment) -> dict[str, object]:
    low, high = interval(round(one.last["accuracy"] * one.n_valid), one.n_valid)
    return {
        "name": one.name,
        "epochs": len(one.log),
        "train_loss": one.last["train_loss"],
        "valid_loss": one.last["valid_loss"],
        "accuracy": one.last["accuracy"],
        "low": low,
        "high": high,
        "n": one.n_valid,
        "error_rate": 1 - one.last["accuracy"],
    }
