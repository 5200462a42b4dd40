"""What a bundle of blood cells says about itself: texts, provenance and measured figures.

`labelled` and `evaluation` measure them. The dashboard and `blood card` show them.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blood_lib.counts import interval
from blood_lib.files.reasons import ANSWERED
from blood_lib.inference import Classifier
from blood_lib.study.data.manifest import load_manifest
from blood_lib.study.environment import list_machines
from blood_lib.study.evaluate.evaluation import Figure, compute_figures, compute_per_class
from blood_lib.study.evaluate.labelled import Labelled, classify_labelled, find_labelled
from blood_lib.study.train.architectures import ARCHITECTURES
from blood_lib.study.train.distillation import describe_teachers
from blood_lib.study.train.recipe import Recipe

__all__ = ["TEXTS", "build_card"]

_FILE = resources.files("blood_lib.study.export") / "card_texts.json"
_TEXTS = json.loads(_FILE.read_text(encoding="utf-8"))
TEXTS: dict[str, Any] = _TEXTS["bundle"]
"""Title, item and items of the bundle, and what a differential counts, by language."""

_WHERE: dict[str, dict[str, str]] = _TEXTS["where"]
_PUBLISHED = {
    "name": "PBC: A dataset of microscopic peripheral blood cell images "
    "(Acevedo et al., Data in Brief 30, 2020, 105474)",
    "doi": "10.17632/snkd93bnjr.1",
    "licence": "CC BY 4.0",
}
_OTHER = "images that are not the published dataset"


def _say_where(key: str, **values: str | dict[str, str]) -> dict[str, str]:
    """values: a text for all languages, or one for each."""
    return {
        language: text.format(**{k: v if isinstance(v, str) else v[language] for k, v in values.items()})
        for language, text in _WHERE[key].items()
    }


def _to_metric(figure: Figure, where: dict[str, str]) -> dict[str, object]:
    ends = {"low": figure.low, "high": figure.high}
    known = {name: round(end, 5) for name, end in ends.items() if end is not None}
    return {"name": figure.name, "where": where, "n": figure.n, "value": round(figure.value, 5), **known}


def _share(name: str, k: int, n: int, where: dict[str, str]) -> dict[str, object]:
    return _to_metric(Figure(name, n, k / n, *interval(k, n)), where)


def _measure(
    answers: Labelled, names: Sequence[str], where: dict[str, str], where_ok: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """The card's `metrics`, with the share of each status and how often those marked ok are right, and its
    `per_class`.
    """
    metrics = [_to_metric(figure, where) for figure in compute_figures(answers.target, answers.probs)]
    for status in ANSWERED:
        n = len(answers.select(status).target)
        metrics.append(_share(f"share_{status}", n, len(answers.target), where))
    ok = answers.select("ok")
    if len(ok.target):
        right = int((ok.probs.argmax(axis=1) == ok.target).sum())
        metrics.append(_share("accuracy", right, len(ok.target), where_ok))
    return {"metrics": metrics, "per_class": [_list_classes(answers.target, answers.probs, names, where)]}


def _list_classes(
    target: np.ndarray, probs: np.ndarray, names: Sequence[str], where: dict[str, str]
) -> dict[str, object]:
    rows = compute_per_class(target, probs.argmax(axis=1), names)
    rows = [{key: _to_json(value) for key, value in row.items()} for row in rows if row["n"]]
    return {"where": where, "rows": rows}


def _measure_subtypes(
    answers: Labelled, rows: pd.DataFrame, names: Sequence[str], where: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """The same for the subtypes, of the images in `rows` of the split whose subtype was told."""
    if answers.subtype_probs is None:
        raise ValueError("These answers do not tell subtypes.")
    told = rows.set_index("file")["subtype"].reindex(answers.files)
    known = told.isin(names).to_numpy()
    target, probs = told[known].map(list(names).index).to_numpy(), answers.subtype_probs[known]
    metrics = [_to_metric(figure, where) for figure in compute_figures(target, probs)]
    return {"metrics": metrics, "per_class": [_list_classes(target, probs, names, where)]}


def _to_json(value: object) -> object:
    """Rounded; what is unknown as null."""
    if not isinstance(value, float):
        return value
    return None if np.isnan(value) else round(value, 5)


def _measure_external(classifier: Classifier, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Figures for an external test set; the answer is forced to be one of the types that are in it."""
    answers = classify_labelled(classifier, folder, find_labelled(folder, classifier.bundle.classes))
    sizes = np.bincount(answers.target, minlength=len(classifier.class_names))
    found = [(info.label, n) for info, n in zip(classifier.bundle.classes, sizes, strict=True) if n]
    counts = {
        language: ", ".join(f"{label[language]} {n}" for label, n in found) for language in _WHERE["external"]
    }
    where = _say_where("external", name=folder.name, counts=counts)
    forced = answers.choose_among(np.unique(answers.target))
    return _measure(forced, classifier.class_names, where, _say_where("external_ok", name=folder.name))


def is_published(root: Path, split: pd.DataFrame) -> bool:
    """Whether every file of the test split below `root` is one of the published dataset's."""
    known = set(load_manifest()["sha256"])
    files = split["file"][split["part"] == "test"]
    return all(sha256((root / file).read_bytes()).hexdigest() in known for file in files)


def _describe_dataset(run: Path, split: pd.DataFrame, published: bool) -> dict[str, object]:
    counts = split["part"].value_counts()
    return {
        **(_PUBLISHED if published else {"name": _OTHER}),
        **{f"n_{name}": int(n) for name, n in counts.items()},
        "split_sha256": sha256((run / "split.csv").read_bytes()).hexdigest(),
    }


def _describe_run(run: Path, recipe: Recipe) -> dict[str, object]:
    machines = list_machines(run)
    return {
        "architecture": ARCHITECTURES[recipe.arch].title,
        "initialisation": _describe_start(run, recipe),
        **({"teachers": describe_teachers(run / "teachers")} if recipe.teachers else {}),
        "image_size": recipe.image_size,
        "epochs": recipe.n_epochs,
        "seeds": [recipe.seed],
        "hardware": ", then ".join(dict.fromkeys(one["hardware"] for one in machines)),
        "wall_time_s": int(pd.read_csv(run / "log.csv")["seconds"].sum()),
        "versions": machines[-1]["versions"],
    }


def _describe_start(run: Path, recipe: Recipe) -> str:
    """Where the weights came from before the first epoch."""
    file = run / "start" / "recipe.json"
    if not recipe.start or not file.exists():
        return recipe.initialisation
    first = Recipe.from_json(file.read_text(encoding="utf-8"))
    return f"{first.initialisation}, then {first.n_epochs} epochs at {first.image_size} px"


def build_card(
    classifier: Classifier, run: Path, recipe: Recipe, split: pd.DataFrame, root: Path, external: Path | None
) -> dict[str, object]:
    """The card of the bundle in `classifier`: texts, provenance and figures.

    Measured on the test split of `split` (files below `root`) and on the folder `external`. It speaks of the
    published dataset only where the files are that dataset's.
    """
    published = is_published(root, split)
    name = "PBC" if published else _OTHER
    test = split[split["part"] == "test"]
    answers = classify_labelled(classifier, root, test)
    where, where_ok, where_subtypes = (
        _say_where(key, name=name) for key in ("in_domain", "in_domain_ok", "in_domain_subtypes")
    )
    measures = [_measure(answers, classifier.class_names, where, where_ok)]
    if classifier.bundle.subtypes:
        names = [info.name for info in classifier.bundle.subtypes]
        measures.append(_measure_subtypes(answers, test, names, where_subtypes))
    if external is not None:
        measures.append(_measure_external(classifier, external))
    measured = {key: [row for one in measures for row in one[key]] for key in ("metrics", "per_class")}
    texts = _TEXTS["card"] | ({} if published else {"limits": []})
    dataset = _describe_dataset(run, split, published)
    return {**texts, "dataset": dataset, **_describe_run(run, recipe), **measured}
