"""Adapts a bundle to another laboratory: a head, a map and thresholds that fit its cells and the known ones.

Features in, a bundle in memory out. The network stays as it is; `network` runs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle, ClassInfo, Thresholds, find_class
from blood_lib.counts import interval
from blood_lib.files.errors import BloodError
from blood_lib.inference.calibration import choose_confidence, fit_temperature, softmax
from blood_lib.inference.head import Head
from blood_lib.inference.ridge import Ridge

__all__ = ["Adaptation", "adapt_bundle", "find_targets", "fit_adaptation", "turn_views"]

FULL = 100  # this many new cells count as much as all known ones; more of them count no more
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # of the ridge's penalty; cells that are left out choose among them
N_AXES = 50  # at most this many directions in which the new cells differ become familiar
N_FOLDS = 5  # for the out-of-distribution score at which they are unfamiliar
MIN_IMAGES = 20  # new cells; NEW_ACCURACY is one wrong answer in 20
KNOWN_ACCURACY, NEW_ACCURACY = 0.998, 0.95  # of the answers that are `ok`, by cells that were left out
SHARPEST = 0.1  # temperature of scores around 0 and 1: so few cells tell of no greater certainty
FAMILIAR = 0.95  # share of the new laboratory's cells that should not be unfamiliar

_WHERE = {
    "en": "the labelled images of the new laboratory, each left out in turn",
    "es": "las imágenes etiquetadas del nuevo laboratorio, dejando fuera una cada vez",
}


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What is new in a bundle, and what was seen when it was fitted."""

    head: Head
    atlas: Atlas
    temperature: float
    thresholds: Thresholds
    n_right: int  # of the new cells, each named by a fit without it
    strength: float


def turn_views(image: Image.Image) -> list[Image.Image]:
    """The image, and its turned and mirrored versions: on a smear no side is up."""
    return [image, *(image.transpose(how) for how in Image.Transpose)]


def find_targets(labels: Sequence[str], classes: Sequence[ClassInfo]) -> np.ndarray:
    """The classes' indices (N,) that `labels` mean; BloodError names those that are none."""
    found = [find_class(label, classes) for label in labels]
    unknown = sorted({label for label, i in zip(labels, found, strict=True) if i is None})
    if unknown:
        listed = ", ".join(map(repr, unknown))
        known = ", ".join(info.name for info in classes)
        raise BloodError(f"the bundle does not know the labels {listed}: use those it knows ({known}).")
    return np.array(found, np.int64)


def adapt_bundle(
    bundle: Bundle, atlas: Atlas, features: np.ndarray, labels: Sequence[str], date: str | None = None
) -> tuple[Bundle, Head]:
    """The bundle for another laboratory's cells too, in memory, and its head; raises BloodError.

    atlas: the bundle's; features (N, D), or (N, V, D) of V views of each cell, the plain one first; a label
    for each cell; date: of today, for the card.
    """
    features = features[:, None] if features.ndim == 2 else features
    _check(features, labels, atlas)
    target = find_targets(labels, bundle.classes)
    found = fit_adaptation(atlas, bundle.thresholds, features, target, len(bundle.classes))
    adapted = bundle.change(
        # The head is fitted to one crop of each cell; more crops do not help in other laboratories.
        preprocessing=replace(bundle.preprocessing, tta_crops=(), tta_below=0.0),
        temperature=found.temperature,
        thresholds=found.thresholds,
        card=_describe(bundle, found, target, date),
        files={"head.npz": found.head.to_bytes(), "atlas.npz": found.atlas.to_bytes()},
    )
    return adapted, found.head


def _check(features: np.ndarray, labels: Sequence[str], atlas: Atlas) -> None:
    if features.ndim != 3 or features.shape[2] != atlas.features.shape[1] or not features.shape[1]:
        raise ValueError(f"features of the shape {features.shape} are not this network's")
    if not np.isfinite(features).all():
        raise ValueError("features should be finite numbers")
    if not len(features) or len(features) != len(labels):
        raise BloodError(
            f"{len(features)} images and {len(labels)} labels: give a label for each, and one at least."
        )


def _describe(bundle: Bundle, found: Adaptation, target: np.ndarray, date: str | None) -> dict[str, Any]:
    """The card: what was measured before holds no longer, so it moves into the entry about the base."""
    n, k = len(target), found.n_right
    low, high = interval(k, n)
    metric = {"name": "accuracy", "where": _WHERE, "n": n, "value": k / n, "low": low, "high": high}
    entry = {
        "date": date,
        "base_sha256": bundle.sha256,
        "base_metrics": bundle.card.get("metrics", []),
        "labelled": {info.name: int((target == i).sum()) for i, info in enumerate(bundle.classes)},
        "n_right": k,
        "strength": found.strength,
        "estimated": ["head", "temperature", *(["confidence", "ood_score"] if n >= MIN_IMAGES else [])],
    }
    return {**bundle.card, "metrics": [metric], "adaptation": entry}


def fit_adaptation(
    atlas: Atlas, thresholds: Thresholds, features: np.ndarray, target: np.ndarray, n_classes: int
) -> Adaptation:
    """Fit head, map and thresholds to the known cells, those of `atlas`, and to the new laboratory's:
    features (N, V, D) and target (N,).
    """
    atlas = atlas.without_bank()  # too few new cells lie near each other
    ridge, weight = _build_ridge(atlas, features, target, n_classes)
    both, (n, n_views, _) = np.concatenate([atlas.target, target]), features.shape

    def leave_out(strength: float) -> np.ndarray:
        """Scores (M + N, C) of every cell, the known ones first, each by a fit without it."""
        known, new = slice(0, len(atlas)), slice(len(atlas), None)
        return np.concatenate([ridge.left_out(strength, known, 1), ridge.left_out(strength, new, n_views)])

    def error(strength: float) -> float:
        return float(weight @ np.square(leave_out(strength) - np.eye(n_classes)[both]).sum(axis=1))

    strength = min(STRENGTHS, key=error)
    scores = leave_out(strength)
    temperature = max(SHARPEST, fit_temperature(both, scores, weight))
    return Adaptation(
        head=ridge.head(strength),
        atlas=atlas.with_axes(_find_axes(atlas, features)).with_cells(features[:, 0], target),
        temperature=temperature,
        thresholds=replace(
            thresholds,
            confidence=_choose_confidence(both, softmax(scores / temperature), n, thresholds.confidence),
            ood_score=_choose_ood_score(atlas, features, thresholds.ood_score),
        ),
        n_right=int((scores[-n:].argmax(axis=1) == target).sum()),
        strength=strength,
    )


def _build_ridge(
    atlas: Atlas, features: np.ndarray, target: np.ndarray, n_classes: int
) -> tuple[Ridge, np.ndarray]:
    """The fit, and the weight of each cell: the known ones, 1 in all, then the new ones, at most 1 in all."""
    n, n_views, d = features.shape
    known, new = np.full(len(atlas), 1 / len(atlas)), np.full(n, 1 / max(n, FULL))
    rows = np.concatenate([atlas.features, features.reshape(-1, d)])
    targets = np.concatenate([atlas.target, np.repeat(target, n_views)])
    weight = np.concatenate([known, np.repeat(new / n_views, n_views)])
    return Ridge(rows, targets, weight, n_classes), np.concatenate([known, new])


def _choose_confidence(target: np.ndarray, probs: np.ndarray, n: int, before: float) -> float:
    """The confidence from which answers are `ok`, about the known cells and the n new ones, which come last.

    With too few new cells it is no lower than `before`.
    """
    known = choose_confidence(target[:-n], probs[:-n], accuracy=KNOWN_ACCURACY)
    new = before if n < MIN_IMAGES else choose_confidence(target[-n:], probs[-n:], accuracy=NEW_ACCURACY)
    return max(known, new)


def _choose_ood_score(atlas: Atlas, features: np.ndarray, before: float) -> float:
    """The score that most of the new cells stay below, each measured with axes found without it."""
    n = len(features)
    if n < MIN_IMAGES:
        return before
    score = np.empty(n)
    for i in range(N_FOLDS):
        out = np.arange(n) % N_FOLDS == i
        score[out] = atlas.with_axes(_find_axes(atlas, features[~out])).ood_score(features[out, 0])
    return max(before, float(np.quantile(score, FAMILIAR)))


def _find_axes(atlas: Atlas, features: np.ndarray) -> np.ndarray:
    return atlas.find_axes(features.reshape(-1, features.shape[2]), min(N_AXES, len(features)))
