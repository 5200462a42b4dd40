"""What a bundle needs besides its network: map, subtypes' head and thresholds, fitted on the served network.

`graph` builds the network, `card` measures how good the result is.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from blood_lib.atlas import Atlas
from blood_lib.bundle import SubtypeInfo
from blood_lib.inference import Classifier
from blood_lib.inference.calibration import choose_confidence, fit_temperature
from blood_lib.inference.head import Head
from blood_lib.inference.network import Network
from blood_lib.study.cells import SUBTYPES, subtype_infos
from blood_lib.study.evaluate.labelled import classify_labelled
from blood_lib.study.train.loaders import build_targets, load_views
from blood_lib.study.train.losses import UNKNOWN
from blood_lib.study.train.recipe import Recipe

__all__ = [
    "Outputs",
    "choose_ok_confidence",
    "choose_ood_threshold",
    "fit_atlas",
    "fit_subtypes",
    "run_split",
    "sample_per_class",
]

OK_ACCURACY = 0.998
"""`ok` should be right this often on the validation split."""
FLAGGED = 0.005
"""Share of the validation split above the threshold of `unfamiliar`. At most 1 % of in-domain cells should be
lost; the threshold allows half of that, since a thousand images do not tell such a share more exactly."""
ATLAS_PER_CLASS = 250
SUBTYPE_C = 0.03
"""Inverse strength of the penalty when the subtypes' head is fitted; chosen on the validation split."""


class Outputs(NamedTuple):
    """What the served network says about the images of a split."""

    target: np.ndarray  # (N,)
    subtype: np.ndarray  # (N,), UNKNOWN where it is not known
    logits: np.ndarray  # (N, C)
    features: np.ndarray  # (N, D)


def sample_per_class(target: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Sorted indices of at most `n` members of each class of `target` (N,)."""
    rng = np.random.default_rng(seed)
    members = (np.flatnonzero(target == c) for c in np.unique(target))
    return np.sort(np.concatenate([rng.permutation(m)[:n] for m in members]))


def choose_ood_threshold(ood_score: np.ndarray) -> float:
    """The out-of-distribution score that all but FLAGGED of the cells of the validation split stay below."""
    return float(np.quantile(ood_score, 1 - FLAGGED))


def run_split(network: Network, root: Path, split: pd.DataFrame, name: str, recipe: Recipe) -> Outputs:
    """What the served `network` says about the images of the split `name`, whose files are in `root`."""
    rows = split[split["part"] == name]
    views = load_views(root, rows["file"].tolist(), size=recipe.image_size, crop=recipe.crop)
    logits, features, _ = network(views)
    target, subtype = build_targets(rows).T
    return Outputs(target, subtype, logits, features)


def fit_atlas(train: Outputs, seed: int) -> Atlas:
    """The map of a sample of the training split, with the axes of all its features."""
    chosen = sample_per_class(train.target, ATLAS_PER_CLASS, seed)
    cells = train.features[chosen], train.target[chosen]
    return Atlas.fit(*cells, known=train.features, random_state=seed)


def fit_subtypes(train: Outputs, valid: Outputs) -> tuple[tuple[SubtypeInfo, ...], dict[str, bytes]]:
    """The bundle's subtypes, and the file of their head.

    The head is a logistic regression on the features, divided by its temperature. There is none where the
    training split does not have all subtypes.
    """
    rows, known = train.subtype != UNKNOWN, valid.subtype != UNKNOWN
    if len(np.unique(train.subtype[rows])) < len(SUBTYPES) or not known.any():
        return (), {}
    scale = train.features[rows].std()
    fit = LogisticRegression(C=SUBTYPE_C, max_iter=1000).fit(
        train.features[rows] / scale, train.subtype[rows]
    )
    head = Head((fit.coef_ / scale).astype(np.float32), fit.intercept_.astype(np.float32))
    temperature = np.float32(fit_temperature(valid.subtype[known], head(valid.features[known])))
    head = Head(head.weight / temperature, head.bias / temperature)
    return subtype_infos(), {"subtypes.npz": head.to_bytes()}


def choose_ok_confidence(classifier: Classifier, split: pd.DataFrame, root: Path) -> float:
    """The confidence from which OK_ACCURACY of the answers about the validation split are right."""
    answers = classify_labelled(classifier, root, split[split["part"] == "valid"])
    return choose_confidence(answers.target, answers.probs, accuracy=OK_ACCURACY)
