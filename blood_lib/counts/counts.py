"""How many cells of each type, and how sure a share is: counts with exact binomial intervals.

Drawing them is left to the dashboard and the study.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Count", "compute_counts", "compute_shares", "count", "interval"]


@dataclass(frozen=True)
class Count:
    """One line of a table of counts."""

    name: str  # of the class
    n: int
    share: float  # of all counted, in [0, 1]; 0 when nothing was counted
    low: float  # its confidence interval
    high: float


def count(labels: Iterable[str | None], classes: Sequence[str]) -> dict[str, int]:
    """How often each of `classes` is among `labels`, in the order of `classes`; None is not counted."""
    found = Counter(label for label in labels if label is not None)
    if unknown := sorted(set(found) - set(classes)):
        raise ValueError(f"labels {unknown} are none of the classes {list(classes)}")
    return {name: found[name] for name in classes}


def compute_counts(
    labels: Iterable[str | None], classes: Sequence[str], *, confidence: float = 0.95
) -> list[Count]:
    """The table for a chart or a report: a Count per class, in the order of `classes`."""
    return compute_shares(count(labels, classes), confidence=confidence)


def compute_shares(counts: Mapping[str, int], *, confidence: float = 0.95) -> list[Count]:
    """Each class's share of all in `counts` (class -> number), with its interval."""
    total = sum(counts.values())
    return [
        Count(name, n, n / total if total else 0.0, *interval(n, total, confidence=confidence))
        for name, n in counts.items()
    ]


def interval(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval for the share behind `k` of `n` (Clopper & Pearson 1934); (0, 1) when n is 0."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share: it needs 0 <= k <= n")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} should lie between 0 and 1")
    tail = (1 - confidence) / 2
    low = _beta_quantile(tail, k, n - k + 1) if k else 0.0
    high = 1 - _beta_quantile(tail, n - k, k + 1) if k < n else 1.0
    return low, high


@lru_cache(maxsize=4096)  # after a correction most classes count what they counted before
def _beta_quantile(p: float, a: float, b: float) -> float:
    """Where the Beta(a, b) distribution function reaches p, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_cdf(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side
        return 1 - _beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a / _continued_fraction(x, a, b)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)) of the incomplete beta function, by Lentz (DLMF 8.17.22, 8.17.23)."""
    tiny = 1e-300
    value = c = 1.0
    d = 0.0
    for i in range(1, 100_000):
        m = i // 2
        if i % 2:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / ((1 + step * d) or tiny)
        c = (1 + step / c) or tiny
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
