"""The differential, against printed tables, closed forms and simulation."""

import math

import numpy as np
import pytest

from blood_lib.bundle import ClassInfo
from blood_lib.counts import Count, interval
from blood_lib.counts.differential import Differential, compute_differential, judge, ratio_interval


def info(name: str, **facts) -> ClassInfo:
    return ClassInfo(name, {"en": name}, "#000000", **facts)


CLASSES = [
    info("a"),
    info("beside", in_differential=False, per_hundred=True),
    info("b"),
    info("apart", in_differential=False),
]


def differential(**numbers: int) -> Differential:
    return compute_differential([name for name, n in numbers.items() for _ in range(n)], CLASSES)


def test_each_class_counts_where_the_bundle_says() -> None:
    found = differential(a=30, b=10, beside=6, apart=99)
    assert found.n == 40
    assert [(row.name, row.n, row.share) for row in found.shares] == [("a", 30, 0.75), ("b", 10, 0.25)]
    assert (found.shares[0].low, found.shares[0].high) == interval(30, 40)
    assert [(row.name, row.n, row.per_hundred) for row in found.ratios] == [("beside", 6, 15.0)]
    assert found.apart == {"apart": 99}


def test_what_nobody_names_is_not_counted() -> None:
    assert compute_differential(["a", None, "a"], CLASSES).n == 2


def test_a_label_of_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match="none of the classes"):
        compute_differential(["excluded"], CLASSES)


def test_nothing_counted_says_nothing() -> None:
    found = differential(beside=3)
    assert found.n == 0 and found.widest is None
    assert found.ratios[0].per_hundred is None and found.ratios[0].high == math.inf
    assert {(row.share, row.low, row.high) for row in found.shares} == {(0, 0, 1)}


@pytest.mark.parametrize(("n", "missing"), [(0, 100), (99, 100), (100, 200), (199, 200), (200, None)])
def test_too_few_cells_are_told(n: int, missing: int | None) -> None:
    assert differential(a=n, apart=500).too_few == missing


def test_the_widest_interval_is_that_of_the_share_nearest_to_a_half() -> None:
    assert differential(a=90, b=10).widest.n in (10, 90)
    found = compute_differential(["a"] * 48 + ["b"] * 6 + ["c"] * 46, [info(name) for name in "abc"])
    assert found.widest.name == "a"


@pytest.mark.parametrize(
    ("percent", "limits"),
    [
        (0, [(0, 4), (0, 2), (0, 1), (0, 1)]),
        (1, [(0, 6), (0, 4), (0, 3), (0, 2)]),
        (10, [(4, 18), (6, 16), (7, 13), (8, 13)]),
        (50, [(39, 61), (42, 58), (45, 55), (46, 54)]),
    ],
)
def test_intervals_are_those_of_rumkes_tables(percent: int, limits: list[tuple[int, int]]) -> None:
    """Of 100, 200, 500 and 1,000 cells; the tables round outwards."""
    for n, printed in zip([100, 200, 500, 1000], limits, strict=True):
        low, high = interval(percent * n // 100, n)
        assert (math.floor(100 * low), math.ceil(100 * high)) == printed


def test_a_ratio_of_few_has_its_ends_in_closed_form() -> None:
    assert ratio_interval(0, 0) == (0, math.inf)
    assert ratio_interval(3, 0) == (pytest.approx(1 / (0.025 ** (-1 / 3) - 1)), math.inf)
    assert ratio_interval(0, 100) == (0, pytest.approx(0.025 ** (-1 / 100) - 1))


@pytest.mark.parametrize("ratio", [0.02, 0.3, 3.0])
def test_the_interval_of_a_ratio_holds_it_as_often_as_it_says(ratio: float) -> None:
    rng = np.random.default_rng(0)
    pairs = zip(rng.poisson(60 * ratio, 1000), rng.poisson(60, 1000), strict=True)
    held = [low <= ratio <= high for low, high in (ratio_interval(int(k), int(n)) for k, n in pairs)]
    assert np.mean(held) >= 0.945  # exact: 0.95 or more, less what chance takes from a thousand


def share(k: int, n: int) -> Count:
    return Count("a", k, k / n, *interval(k, n))


@pytest.mark.parametrize(
    ("k", "n", "limits", "verdict"),
    [
        (7, 100, (2, 10), "inside"),
        (7, 100, (0, 7), "inside"),  # 100 * 0.07 is more than 7 in floating point
        (9, 1000, (0, 0.9), "inside"),
        (8, 100, (0, 7), "maybe_above"),
        (30, 100, (0, 7), "above"),
        (1, 100, (2, 10), "maybe_below"),
        (0, 1000, (2, 10), "below"),
        (0, 10, (0, 100), "inside"),
    ],
)
def test_a_share_is_judged_with_its_interval(k: int, n: int, limits: tuple, verdict: str) -> None:
    assert judge(share(k, n), limits) == verdict
