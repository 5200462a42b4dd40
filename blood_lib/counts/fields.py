"""What only whole fields tell: cells per field, others per thousand red cells, and the fields still to count.

Fields are a person's choice: none of this is a count per volume.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blood_lib.bundle import COUNTED, RULER
from blood_lib.counts.differential import ratio_interval

__all__ = ["FieldCounts", "PerField", "PerThousand", "compute_field_counts", "mean_interval"]

_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class PerField:
    """How many cells of one class a field holds."""

    name: str  # of the detector's class
    n: int  # in all fields together
    mean: float
    low: float  # of the mean, its 95 % interval
    high: float


@dataclass(frozen=True)
class PerThousand:
    """How many cells of one class there are for a thousand of the ruler's."""

    name: str
    n: int
    value: float | None  # None: there is nothing to relate it to
    low: float  # its 95 % interval
    high: float  # may be infinite


@dataclass(frozen=True)
class FieldCounts:
    """The counts of some fields."""

    n_fields: int
    per_field: tuple[PerField, ...]  # in the order of the detector's classes
    per_thousand: tuple[PerThousand, ...]  # of what is only counted

    def count_missing(self, name: str, target: int) -> tuple[int, int, int | None] | None:
        """How many more fields `target` cells of `name` take: likely, at best, at worst.

        None where no such cell was found; a worst of None is without end.
        """
        row = next(row for row in self.per_field if row.name == name)
        if not row.n:
            return None
        missing = max(0, target - row.n)
        likely, best = (math.ceil(missing / rate) for rate in (row.mean, row.high))
        return likely, best, math.ceil(missing / row.low) if row.low > 0 else None


def compute_field_counts(fields: Sequence[Mapping[str, int]], roles: Mapping[str, str]) -> FieldCounts:
    """From the whole cells of each field, by class, and the role of each class (see `bundle.ROLES`).

    The ratio's exact interval takes each cell for itself; where cells lie in clumps it is wider in truth.
    """
    totals = {name: sum(field.get(name, 0) for field in fields) for name in roles}
    rulers = sum(totals[name] for name, role in roles.items() if role == RULER)
    return FieldCounts(
        n_fields=len(fields),
        per_field=tuple(_average(name, [field.get(name, 0) for field in fields]) for name in roles),
        per_thousand=tuple(
            _relate(name, totals[name], rulers) for name, role in roles.items() if role == COUNTED
        ),
    )


def _average(name: str, counts: Sequence[int]) -> PerField:
    n = sum(counts)
    return PerField(name, n, n / len(counts) if counts else 0.0, *mean_interval(counts))


def _relate(name: str, k: int, n: int) -> PerThousand:
    low, high = ratio_interval(k, n)
    return PerThousand(name, k, 1000 * k / n if n else None, 1000 * low, 1000 * high)


def mean_interval(counts: Sequence[int]) -> tuple[float, float]:
    """A 95 % interval for the mean of counts, one for each field; (0, infinity) without any.

    Poisson by Byar's approximation (Breslow & Day 1987, eq. 2.10). Where fields differ by more than chance,
    it is wider by their variance over their mean (McCullagh & Nelder 1989, section 6.2.3).
    """
    if not counts:
        return 0.0, math.inf
    n, k = len(counts), sum(counts)
    mean = k / n
    excess = 1.0
    if n > 1 and k:
        excess = max(1.0, sum((count - mean) ** 2 for count in counts) / (n - 1) / mean)
    low, high = _byar(k / excess)
    return excess * low / n, excess * high / n


def _byar(k: float) -> tuple[float, float]:
    low = k * max(0.0, 1 - 1 / (9 * k) - _Z / (3 * math.sqrt(k))) ** 3 if k > 0 else 0.0
    above = k + 1
    return low, above * (1 - 1 / (9 * above) + _Z / (3 * math.sqrt(above))) ** 3
