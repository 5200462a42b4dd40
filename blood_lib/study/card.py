"""What a bundle of blood cells says about itself: texts, provenance and measured figures.

How it is measured is for `labelled` and `evaluation`; how it is shown, for the dashboard.
"""

import json
from hashlib import sha256
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.counts import interval
from blood_lib.inference import Classifier
from blood_lib.study.architectures import ARCHITECTURES
from blood_lib.study.evaluation import Figure, compute_figures
from blood_lib.study.labelled import Labelled, classify_labelled, find_labelled
from blood_lib.study.training import Recipe

__all__ = ["TEXTS", "build_card"]

_TEXTS = json.loads((resources.files("blood_lib.study") / "card_texts.json").read_text(encoding="utf-8"))
TEXTS: dict[str, dict[str, str]] = _TEXTS["bundle"]
"""Title, item and items of the bundle, by language."""

_WHERE: dict[str, dict[str, str]] = _TEXTS["where"]
_DATASET = {
    "name": "PBC: A dataset of microscopic peripheral blood cell images "
    "(Acevedo et al., Data in Brief 30, 2020, 105474)",
    "doi": "10.17632/snkd93bnjr.1",
    "licence": "CC BY 4.0",
}


def _to_metric(figure: Figure, where: dict[str, str]) -> dict[str, object]:
    values = {"value": round(figure.value, 5), "low": round(figure.low, 5), "high": round(figure.high, 5)}
    return {"name": figure.name, "where": where, "n": figure.n, **values}


def _share(name: str, k: int, n: int, where: str) -> dict[str, object]:
    return _to_metric(Figure(name, n, k / n, *interval(k, n)), _WHERE[where])


def _measure(answers: Labelled, where: str) -> list[dict[str, object]]:
    """Figures for these answers, the share that is marked ok, and how often those are right."""
    metrics = [_to_metric(figure, _WHERE[where]) for figure in compute_figures(answers.target, answers.probs)]
    ok = answers.select("ok")
    metrics.append(_share("share_ok", len(ok.target), len(answers.target), where))
    if len(ok.target):
        right = int((ok.probs.argmax(axis=1) == ok.target).sum())
        metrics.append(_share("accuracy", right, len(ok.target), f"{where}_ok"))
    return metrics


def _describe_run(run: Path, recipe: Recipe, split: pd.DataFrame) -> dict[str, object]:
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    counts = split["part"].value_counts()
    digest = sha256((run / "split.csv").read_bytes()).hexdigest()
    dataset = {
        **_DATASET,
        **{f"n_{part}": int(counts[part]) for part in counts.index},
        "split_sha256": digest,
    }
    return {
        "dataset": dataset,
        "architecture": ARCHITECTURES[recipe.arch].title,
        "initialisation": recipe.initialisation,
        "image_size": recipe.image_size,
        "epochs": recipe.n_epochs,
        "seeds": [recipe.seed],
        "hardware": environment["hardware"],
        "wall_time_s": int(pd.read_csv(run / "log.csv")["seconds"].sum()),
        "versions": environment["versions"],
    }


def build_card(
    classifier: Classifier, run: Path, recipe: Recipe, split: pd.DataFrame, root: Path, elsewhere: Path | None
) -> dict[str, object]:
    """The card of the bundle in `classifier`: texts, provenance and figures.

    Measured on the test part of `split` (files below `root`) and on the folder `elsewhere`, where the answer
    is forced to be one of the types that are there.
    """
    metrics = _measure(classify_labelled(classifier, root, split[split["part"] == "test"]), "home")
    if elsewhere is not None:
        table = find_labelled(elsewhere, classifier.bundle.classes)
        answers = classify_labelled(classifier, elsewhere, table)
        metrics += _measure(answers.choose_among(np.unique(answers.target)), "abroad")
    return {**_TEXTS["card"], **_describe_run(run, recipe, split), "metrics": metrics}
