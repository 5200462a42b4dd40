"""The differential: shares of the cells that belong to it, others per hundred of these, the rest apart.

What belongs where is said by the bundle's classes; the intervals come from `counts.py`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blood_lib.bundle import ClassInfo
from blood_lib.counts.counts import Count, compute_shares, count, interval

__all__ = ["MIN_CELLS", "Differential", "Ratio", "compute_differential", "judge", "ratio_interval"]

MIN_CELLS = (100, 200)
"""Below 100 cells a differential says next to nothing; from 200 on it is as good as one counted by hand."""
DIGITS = 9  # of a per cent, beyond which floating-point noise begins


@dataclass(frozen=True)
class Ratio:
    """One line of what is counted beside the differential, in relation to it."""

    name: str  # of the class
    n: int
    per_hundred: float | None  # None: nothing was counted to relate it to
    low: float
    high: float  # may be infinite


@dataclass(frozen=True)
class Differential:
    """How many of the n cells of the differential are of which type, and what was counted besides."""

    n: int
    shares: tuple[Count, ...]
    ratios: tuple[Ratio, ...]
    apart: dict[str, int]  # class name -> number

    @property
    def too_few(self) -> int | None:
        """The number of cells that should have been counted and was not; None where there are enough."""
        return next((least for least in MIN_CELLS if self.n < least), None)

    @property
    def widest(self) -> Count | None:
        """The share with the widest interval, of a class that has cells; None of nothing."""
        some = [row for row in self.shares if row.n]
        return max(some, key=lambda row: row.high - row.low, default=None)


def compute_differential(
    labels: Iterable[str | None], classes: Sequence[ClassInfo], *, confidence: float = 0.95
) -> Differential:
    """Count `labels`, one of a class or None (not counted) for each cell, as the bundle's `classes` say.

    Shares and their exact intervals are of the classes in the differential, ratios of those that are counted
    per hundred of these; the order is that of `classes`.
    """
    counts = count(labels, [info.name for info in classes])
    counted = [info.name for info in classes if info.in_differential]
    per_hundred = [info.name for info in classes if info.per_hundred]
    n = sum(counts[name] for name in counted)
    return Differential(
        n=n,
        shares=tuple(compute_shares({name: counts[name] for name in counted}, confidence=confidence)),
        ratios=tuple(_relate(name, counts[name], n, confidence) for name in per_hundred),
        apart={name: counts[name] for name in counts if name not in {*counted, *per_hundred}},
    )


def _relate(name: str, k: int, n: int, confidence: float) -> Ratio:
    low, high = ratio_interval(k, n, confidence=confidence)
    return Ratio(name, k, 100 * k / n if n else None, 100 * low, 100 * high)


def ratio_interval(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval for how many times as frequent the `k` things are as the `n`.

    Each of the k + n is one of the k with probability p = r / (1 + r), whatever their total, so the exact
    interval of p gives one of the ratio r = p / (1 - p) (Przyborowski & Wilenski 1940). From 0 to infinity
    when there is nothing of either.
    """
    low, high = interval(k, k + n, confidence=confidence)
    return low / (1 - low), high / (1 - high) if high < 1 else math.inf


def judge(row: Count, limits: tuple[float, float]) -> str:
    """Where a share lies beside the reference range `limits` (per cent), judged with its interval.

    "inside"; "below" or "above" when the whole interval lies there; "maybe_below" or "maybe_above" when only
    the share does.
    """
    share, low, high = (round(100 * value, DIGITS) for value in (row.share, row.low, row.high))
    least, most = limits
    if least <= share <= most:
        return "inside"
    side, clear = ("below", high < least) if share < least else ("above", low > most)
    return side if clear else f"maybe_{side}"
