"""How good predictions are: figures with 95 % intervals, calibration, and thresholds for saying "not sure".

Arrays in, numbers out. Where the predictions come from is left to `export` and `commands`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import confusion_matrix, f1_score

from blood_lib.counts import interval

__all__ = [
    "Figure",
    "choose_confidence",
    "compute_calibration_error",
    "compute_figures",
    "compute_per_class",
    "fit_temperature",
]

N_BINS = 15
N_RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """One figure with its 95 % interval, over n images."""

    name: str
    n: int
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"{self.name} {self.value:.2%} (95 % interval {self.low:.2%} to {self.high:.2%}, n = {self.n:,})"
        )


def compute_calibration_error(target: np.ndarray, probs: np.ndarray, *, n_bins: int = N_BINS) -> float:
    """Expected calibration error of the top class, in [0, 1] (Guo et al. 2017, eq. 3): equal-width bins of
    confidence.

    target (N,) class indices, probs (N, C).
    """
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == target
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(target))


def fit_temperature(target: np.ndarray, logits: np.ndarray) -> float:
    """The temperature that gives `logits` (N, C) the highest likelihood of `target` (N,) (Guo et al. 2017,
    section 4.2).
    """

    def loss(log_temperature: float) -> float:
        log_probs = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(log_probs[np.arange(len(target)), target].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def choose_confidence(target: np.ndarray, probs: np.ndarray, *, accuracy: float) -> float:
    """The lowest confidence from which on the answers are right at least `accuracy` of the time; 1 where
    there is none.

    Coverage against risk (Geifman & El-Yaniv 2017) without its bound: the guarantee is for these images.
    """
    order = np.argsort(-probs.max(axis=1), kind="stable")
    confidence, right = probs.max(axis=1)[order], (probs.argmax(axis=1) == target)[order]
    good = np.flatnonzero(np.cumsum(right) >= accuracy * np.arange(1, len(right) + 1))
    return float(confidence[good[-1]]) if len(good) else 1.0


def _bootstrap(compute: Callable[[np.ndarray], float], n: int, seed: int) -> tuple[float, float]:
    """95 % percentile interval of `compute(indices)` over resampled images (Efron 1979)."""
    rng = np.random.default_rng(seed)
    values = [compute(rng.integers(0, n, n)) for _ in range(N_RESAMPLES)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def compute_figures(target: np.ndarray, probs: np.ndarray, *, seed: int = 0) -> list[Figure]:
    """Accuracy (exact binomial interval), balanced accuracy, macro F1 and calibration error (bootstrap),
    image by image.

    target (N,) class indices, probs (N, C). Classes without an image are left out of the averages over
    classes.
    """
    n, predicted = len(target), probs.argmax(axis=1)
    right = int((predicted == target).sum())
    present = np.unique(target)

    def balanced_accuracy(at: np.ndarray) -> float:
        return float(
            np.mean([(predicted[at] == target[at])[target[at] == c].mean() for c in np.unique(target[at])])
        )

    def macro_f1(at: np.ndarray) -> float:
        return float(f1_score(target[at], predicted[at], labels=present, average="macro", zero_division=0))

    def calibration_error(at: np.ndarray) -> float:
        return compute_calibration_error(target[at], probs[at])

    everything = np.arange(n)
    figures = [Figure("accuracy", n, right / n, *interval(right, n))]
    for compute in (balanced_accuracy, macro_f1, calibration_error):
        figures.append(Figure(compute.__name__, n, compute(everything), *_bootstrap(compute, n, seed)))
    return figures


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
                "recall": hit / n if n else float("nan"),
                "recall_interval": interval(hit, n),
                "precision": hit / said if said else float("nan"),
                "precision_interval": interval(hit, said),
                "taken_for": f"{names[others.argmax()]} ({others.max()})" if others.any() else "",
            }
        )
    return rows
