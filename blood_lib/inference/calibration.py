"""Calibration: a temperature for the probabilities, and the confidence from which an answer is `ok`.

Arrays in, numbers out, with NumPy alone; figures for people are for `study.evaluate`.
"""

from collections.abc import Callable

import numpy as np

__all__ = ["choose_confidence", "fit_temperature", "softmax"]

_LOWEST, _HIGHEST = -3.0, 3.0  # logarithms of the temperatures that are looked at
_N_STEPS = 40
_GOLDEN = (5**0.5 - 1) / 2


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (N, C) -> probabilities (N, C) float32, each row sums to 1."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def fit_temperature(target: np.ndarray, logits: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The temperature that gives `logits` (N, C) the highest likelihood of `target` (N,), each row counting
    `weight` (Guo et al. 2017, section 4.2).
    """
    rows, weight = np.arange(len(target)), np.ones(len(target)) if weight is None else weight

    def loss(log_temperature: float) -> float:
        scaled = np.asarray(logits, np.float64) * np.exp(-log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(weight @ (np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, target]))

    return float(np.exp(_minimise(loss, _LOWEST, _HIGHEST)))


def _minimise(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest, by golden section."""
    for _ in range(_N_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if function(left) < function(right) else (left, high)
    return (low + high) / 2


def choose_confidence(target: np.ndarray, probs: np.ndarray, *, accuracy: float) -> float:
    """The lowest confidence from which on the answers are right at least `accuracy` of the time; 1 where
    there is none.

    Coverage against risk (Geifman & El-Yaniv 2017) without its bound: the guarantee is for these images.
    """
    order = np.argsort(-probs.max(axis=1), kind="stable")
    confidence, right = probs.max(axis=1)[order], (probs.argmax(axis=1) == target)[order]
    good = np.flatnonzero(np.cumsum(right) >= accuracy * np.arange(1, len(right) + 1))
    return float(confidence[good[-1]]) if len(good) else 1.0
