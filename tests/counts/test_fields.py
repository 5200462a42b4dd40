"""Counts per field: intervals that hold what they promise, and how many more fields it takes."""

import math

import numpy as np
import pytest
from scipy import stats

from blood_lib.counts.fields import compute_field_counts, mean_interval

ROLES = {"white": "named", "red": "ruler", "platelet": "counted"}


@pytest.mark.parametrize("k", [0, 1, 3, 10, 200])
def test_one_field_has_the_interval_of_a_poisson_count(k):
    low, high = mean_interval([k])
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * k) / 2 if k else 0, rel=0.03, abs=0.02)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * k + 2) / 2, rel=0.02)


@pytest.mark.parametrize("spread", [0, 2], ids=["by chance alone", "in clumps"])
def test_the_true_mean_lies_in_most_intervals(spread):
    rng, held, n = np.random.default_rng(0), 0, 400
    for _ in range(n):
        rates = rng.gamma(1 / spread, 3 * spread, 30) if spread else np.full(30, 3.0)
        low, high = mean_interval(rng.poisson(rates).tolist())
        held += low <= 3 <= high
    assert held >= 0.9 * n


def test_what_is_counted_is_related_to_the_ruler():
    counts = compute_field_counts(
        [{"white": 1, "red": 180, "platelet": 9}, {"red": 220, "platelet": 11}], ROLES
    )
    assert [(row.name, row.n, row.mean) for row in counts.per_field] == [
        ("white", 1, 0.5), ("red", 400, 200), ("platelet", 20, 10),
    ]  # fmt: skip
    (ratio,) = counts.per_thousand
    assert ratio.value == pytest.approx(50) and ratio.low < 50 < ratio.high < 85


def test_the_fields_that_are_missing_follow_from_what_was_found():
    counts = compute_field_counts([{"white": 2}] * 50, ROLES)
    likely, best, worst = counts.count_missing("white", 200)
    assert likely == 50 and best < 50 < worst < 70
    assert counts.count_missing("white", 80) == (0, 0, 0)
    assert counts.count_missing("platelet", 200) is None


def test_no_fields_tell_nothing():
    counts = compute_field_counts([], ROLES)
    assert counts.n_fields == 0 and counts.per_field[0].high == math.inf
    assert counts.per_thousand[0].value is None
