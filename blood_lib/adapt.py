"""Some labelled cells of another laboratory make a head, a map and thresholds that fit there and at home.

Features in, a bundle in memory out: the network, which `inference.py` runs, stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from blood_lib import BloodError
from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle, ClassInfo, Thresholds, find_class
from blood_lib.calibration import choose_confidence, fit_temperature, softmax
from blood_lib.head import Head
from blood_lib.ridge import Ridge

__all__ = ["Adaptation", "adapt", "adapt_bundle", "find_targets", "turn_views"]

FULL = 100  # so many new cells count as much as all of home; more do not count more
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # of the ridge's penalty; the cells, left out one by one, choose
N_AXES = 50  # of the new cells, that the map's measure of the unfamiliar learns
N_FOLDS = 5
OK_ACCURACY = {"home": 0.998, "new": 0.95}  # how often `ok` should be right, by cells that were left out
FAMILIAR = 0.95  # share of the new laboratory's cells that should not be unfamiliar


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What takes the place of its namesake in a bundle, and what the bundle's card says of it."""

    head: Head
    atlas: Atlas
    temperature: float
    thresholds: Thresholds
    report: dict[str, Any]


def turn_views(image: Image.Image) -> list[Image.Image]:
    """The image, and its turned and mirrored versions: on a smear no side is up."""
    return [image, *(image.transpose(how) for how in Image.Transpose)]


def find_targets(labels: Sequence[str], classes: Sequence[ClassInfo]) -> np.ndarray:
    """The classes' indices (N,) that `labels` mean; BloodError names those that are none."""
    found = [find_class(label, classes) for label in labels]
    unknown = sorted({str(label) for label, i in zip(labels, found, strict=True) if i is None})
    if unknown:
        known = ", ".join(info.name for info in classes)
        raise BloodError(f"the bundle knows no {', '.join(unknown)}: use the labels that it knows ({known}).")
    return np.array(found, np.int64)


def adapt_bundle(
    bundle: Bundle, atlas: Atlas, features: np.ndarray, labels: Sequence[str], card: Mapping[str, Any]
) -> tuple[Bundle, Head]:
    """The bundle for the laboratory of new cells too, in memory, and its head. features (N, D), or (N, V, D):
    V views of each cell, the plain one first; a label for each; card: what the new card says besides.
    """
    features = features[:, None] if features.ndim == 2 else features
    _check(features, labels, atlas)
    target = find_targets(labels, bundle.classes)
    found = adapt(atlas, bundle.thresholds, features, target, len(bundle.classes))
    counts = {info.name: int((target == i).sum()) for i, info in enumerate(bundle.classes)}
    entry = {"base_sha256": bundle.sha256, "labelled": counts, **found.report, **card}
    adapted = bundle.change(
        temperature=found.temperature,
        thresholds=found.thresholds,
        card={**bundle.card, "adaptation": entry},
        files={"head.npz": found.head.to_bytes(), "atlas.npz": found.atlas.to_bytes()},
    )
    return adapted, found.head


def _check(features: np.ndarray, labels: Sequence[str], atlas: Atlas) -> None:
    if features.ndim != 3 or features.shape[2] != atlas.features.shape[1] or not features.shape[1]:
        raise ValueError(f"features of the shape {features.shape} are not this network's")
    if not len(features) or len(features) != len(labels):
        raise BloodError(
            f"{len(features)} cells and {len(labels)} labels: give one label for each of one cell or more."
        )
    if not np.isfinite(features).all():
        raise ValueError("features that are no numbers")


def adapt(
    atlas: Atlas, thresholds: Thresholds, features: np.ndarray, target: np.ndarray, n_classes: int
) -> Adaptation:
    """Fit all that is adapted to new cells beside those of `atlas`, which stand for home.

    features (N, V, D): V views of each new cell, the plain one first; target (N,) indices of n_classes.
    """
    ridge, weight = _build_ridge(atlas, features, target, n_classes)
    both = np.concatenate([atlas.target, target])
    strength = min(STRENGTHS, key=lambda s: _error(_leave_out(ridge, s, atlas, features), both, weight))
    scores = _leave_out(ridge, strength, atlas, features)
    temperature = fit_temperature(both, scores, weight)
    adapted, distance = _extend(atlas, features, target, thresholds.distance)
    probs = softmax(scores / temperature)
    confidence = max(
        choose_confidence(both[rows], probs[rows], accuracy=OK_ACCURACY[where])
        for where, rows in (("home", slice(0, len(atlas))), ("new", slice(len(atlas), None)))
    )
    right = int((scores[len(atlas) :].argmax(axis=1) == target).sum())
    return Adaptation(
        head=ridge.head(strength),
        atlas=adapted,
        temperature=temperature,
        thresholds=Thresholds(confidence, distance),
        report={"n": len(target), "n_right": right, "strength": strength},
    )


def _build_ridge(
    atlas: Atlas, features: np.ndarray, target: np.ndarray, n_classes: int
) -> tuple[Ridge, np.ndarray]:
    """The fit, and the weight of each cell: home's first, 1 in all, then the new ones, at most 1 in all."""
    n, n_views, d = features.shape
    home, new = np.full(len(atlas), 1 / len(atlas)), np.full(n, 1 / max(n, FULL))
    rows = np.concatenate([atlas.features, features.reshape(-1, d)])
    targets = np.concatenate([atlas.target, np.repeat(target, n_views)])
    weight = np.concatenate([home, np.repeat(new / n_views, n_views)])
    return Ridge(rows, targets, weight, n_classes), np.concatenate([home, new])


def _leave_out(ridge: Ridge, strength: float, atlas: Atlas, features: np.ndarray) -> np.ndarray:
    """Scores (M + N, C) of every cell, home's first, each by a fit without it."""
    home = ridge.left_out(strength, slice(0, len(atlas)), 1)
    return np.concatenate([home, ridge.left_out(strength, slice(len(atlas), None), features.shape[1])])


def _error(scores: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    return float(weight @ np.square(scores - np.eye(scores.shape[1])[target]).sum(axis=1))


def _extend(atlas: Atlas, features: np.ndarray, target: np.ndarray, limit: float) -> tuple[Atlas, float]:
    """The map with the new cells on it, and the distance that most cells like them stay below: each is
    measured by a map that was extended without it.
    """
    adapted = _extend_by(atlas, features, target)
    if len(target) < N_FOLDS:
        return adapted, limit
    distance = np.empty(len(target))
    for i in range(N_FOLDS):
        out = np.arange(len(target)) % N_FOLDS == i
        distance[out] = _extend_by(atlas, features[~out], target[~out]).distance(features[out, 0])
    return adapted, max(limit, float(np.quantile(distance, FAMILIAR)))


def _extend_by(atlas: Atlas, features: np.ndarray, target: np.ndarray) -> Atlas:
    axes = atlas.find_axes(features.reshape(-1, features.shape[2]), min(N_AXES, len(features)))
    return atlas.extend(features[:, 0], target, axes)
