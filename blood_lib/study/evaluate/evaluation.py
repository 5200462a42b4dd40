"""How good predictions are: figures with 95 % intervals, and calibration.

Arrays in, numbers out. `labelled` makes the predictions; the core's `calibration` chooses thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix

from blood_lib.counts import interval

__all__ = [
    "Figure",
    "compute_calibration_error",
    "compute_coverage",
    "compute_figures",
    "compute_per_class",
    "compute_reliability",
    "compute_risks",
    "share",
]

N_BINS = 15
N_RESAMPLES = 1000
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Shares of the answers, the surest first, whose errors are counted."""


@dataclass(frozen=True)
class Figure:
    """One figure over n images, with its 95 % interval where it has one."""

    name: str
    n: int
    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        ends = "" if self.low is None else f"95 % interval {self.low:.2%} to {self.high:.2%}, "
        return f"{self.name} {self.value:.2%} ({ends}n = {self.n:,})"


def compute_calibration_error(target: np.ndarray, probs: np.ndarray, *, n_bins: int = N_BINS) -> float:
    """Expected calibration error of the top class, in [0, 1] (Guo et al. 2017, eq. 3): equal-width bins of
    confidence.

    target (N,) class indices, probs (N, C).
    """
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == target
    gaps = np.bincount(_bin(confidence, n_bins), weights=right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(target))


def _bin(confidence: np.ndarray, n_bins: int) -> np.ndarray:
    return np.minimum((confidence * n_bins).astype(int), n_bins - 1)


def compute_reliability(
    target: np.ndarray, probs: np.ndarray, *, n_bins: int = N_BINS
) -> list[dict[str, float]]:
    """A row per bin of confidence that has an answer: its edges, n, mean confidence and accuracy with its
    exact 95 % interval; the bins are those of the calibration error.
    """
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == target
    bins, rows = _bin(confidence, n_bins), []
    for i in np.unique(bins):
        mine = bins == i
        n, k = int(mine.sum()), int(right[mine].sum())
        row = {"above": i / n_bins, "up_to": (i + 1) / n_bins, "n": n}
        rows.append({**row, "confidence": float(confidence[mine].mean()), **share("accuracy", k, n)})
    return rows


def share(name: str, k: int, n: int) -> dict[str, float]:
    """k of n and its exact 95 % interval as the columns `name`, `name_low` and `name_high`; none of 0 is
    unknown.
    """
    low, high = interval(k, n)
    return {name: k / n if n else float("nan"), f"{name}_low": low, f"{name}_high": high}


def compute_risks(target: np.ndarray, probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coverage against risk (El-Yaniv & Wiener 2010): the share of all answers that is kept, the surest
    first, and the share of errors among those, (N,) each.
    """
    wrong = (probs.argmax(axis=1) != target)[np.argsort(-probs.max(axis=1), kind="stable")]
    kept = np.arange(1, len(wrong) + 1)
    return kept / len(wrong), np.cumsum(wrong) / kept


def compute_coverage(target: np.ndarray, probs: np.ndarray) -> list[dict[str, float]]:
    """A row per share of COVERAGES: the confidence that keeps it, n, errors, and their share with its exact
    95 % interval.
    """
    order, rows = np.argsort(-probs.max(axis=1), kind="stable"), []
    for coverage in COVERAGES:
        kept = order[: max(1, round(coverage * len(target)))]
        errors = int((probs[kept].argmax(axis=1) != target[kept]).sum())
        row = {"coverage": coverage, "confidence": float(probs[kept[-1]].max()), "n": len(kept)}
        rows.append({**row, "errors": errors, **share("risk", errors, len(kept))})
    return rows


def _meld_recalls(hits: np.ndarray, n: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % interval of the mean of recalls hits / n, (C,) each, by melding their exact binomial intervals.

    Fay, Proschan & Brittain 2015 (Biometrics 71:146): draws from the lower and upper confidence
    distributions, Beta(k, n - k + 1) and Beta(k + 1, n - k). It stays honest where a class has a single
    image, which a bootstrap takes for certain.
    """
    rng, size = np.random.default_rng(seed), (N_RESAMPLES, len(n))
    lowest = np.where(hits > 0, rng.beta(np.maximum(hits, 1), n - hits + 1, size), 0)
    highest = np.where(hits < n, rng.beta(hits + 1, np.maximum(n - hits, 1), size), 1)
    return float(np.quantile(lowest.mean(axis=1), 0.025)), float(np.quantile(highest.mean(axis=1), 0.975))


def _bootstrap_macro_f1(target: np.ndarray, predicted: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % percentile interval (Efron 1979), images drawn anew within each class, so that none vanishes."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(target == c) for c in np.unique(target)]
    values = []
    for _ in range(N_RESAMPLES):
        at = np.concatenate([rng.choice(m, len(m)) for m in members])
        values.append(_macro_f1(target[at], predicted[at]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _macro_f1(target: np.ndarray, predicted: np.ndarray) -> float:
    """Over the classes that have an image. scikit-learn's `f1_score` is the same, and twenty times slower."""
    n_classes = max(target.max(), predicted.max()) + 1
    hits = np.bincount(target[target == predicted], minlength=n_classes)
    sizes, said = (np.bincount(classes, minlength=n_classes) for classes in (target, predicted))
    present = sizes > 0
    return float((2 * hits[present] / (sizes + said)[present]).mean())


def compute_figures(target: np.ndarray, probs: np.ndarray, *, seed: int = 0) -> list[Figure]:
    """Accuracy, balanced accuracy, macro F1 and calibration error, image by image.

    target (N,) class indices, probs (N, C). Averages over classes are over those that have an image. The
    calibration error has no interval: it is biased upwards, and resampling biases it more.
    """
    n, predicted = len(target), probs.argmax(axis=1)
    right = predicted == target
    _, classes, sizes = np.unique(target, return_inverse=True, return_counts=True)
    hits = np.bincount(classes, weights=right).astype(int)
    k, balanced, f1 = int(right.sum()), float((hits / sizes).mean()), _macro_f1(target, predicted)
    f1_low, f1_high = _bootstrap_macro_f1(target, predicted, seed)
    return [
        Figure("accuracy", n, k / n, *interval(k, n)),
        Figure("balanced_accuracy", n, balanced, *_meld_recalls(hits, sizes, seed)),
        Figure("macro_f1", n, f1, min(f1_low, f1), max(f1_high, f1)),
        Figure("calibration_error", n, compute_calibration_error(target, probs)),
    ]


def compute_per_class(
    target: np.ndarray, predicted: np.ndarray, names: Sequence[str]
) -> list[dict[str, object]]:
    """A row per class: n, recall and precision, each with its exact 95 % interval; and its most frequent
    confusion.
    """
    matrix = confusion_matrix(target, predicted, labels=range(len(names)))
    rows = []
    for i, name in enumerate(names):
        hit, n, said = int(matrix[i, i]), int(matrix[i].sum()), int(matrix[:, i].sum())
        others = np.where(np.arange(len(names)) == i, 0, matrix[i])
        rows.append(
            {
                "name": name,
                "n": n,
                **share("recall", hit, n),
                **share("precision", hit, said),
                "taken_for": f"{names[int(others.argmax())]} ({others.max()})" if others.any() else "",
            }
        )
    return rows
