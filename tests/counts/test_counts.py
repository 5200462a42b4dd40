"""Counts and their exact intervals, against numbers worked out by hand and SciPy's."""

import pytest

from blood_lib.counts import compute_counts, count, interval

CLASSES = ["a", "b", "c"]


def test_every_class_is_counted_in_its_order() -> None:
    assert count(["b", "a", None, "b"], CLASSES) == {"a": 1, "b": 2, "c": 0}
    assert list(count([], CLASSES)) == CLASSES


def test_a_label_of_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\['x'\] are none of the classes"):
        count(["a", "x"], CLASSES)


def test_shares_sum_to_one_and_lie_in_their_intervals() -> None:
    rows = compute_counts(["a"] * 7 + ["b"] * 2, CLASSES)
    assert [row.n for row in rows] == [7, 2, 0]
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert all(0 <= row.low <= row.share <= row.high <= 1 for row in rows)


def test_nothing_counted_says_nothing() -> None:
    assert {(row.share, row.low, row.high) for row in compute_counts([], CLASSES)} == {(0, 0, 1)}


def test_the_ends_are_known_in_closed_form() -> None:
    assert interval(0, 20) == (0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert interval(20, 20) == (pytest.approx(0.025 ** (1 / 20)), 1)
    assert interval(1, 1) == (pytest.approx(0.025), 1)


@pytest.mark.parametrize("n", [1, 2, 9, 100, 2563, 1_000_000])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_intervals_are_scipys(n: int, share: float, confidence: float) -> None:
    from scipy.stats import binomtest

    k = round(share * n)
    expected = binomtest(k, n).proportion_ci(confidence, method="exact")
    assert interval(k, n, confidence=confidence) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("k", "n", "confidence"), [(-1, 5, 0.95), (6, 5, 0.95), (1, 2, 0), (1, 2, 95)])
def test_what_is_no_share_is_refused(k: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match="0"):
        interval(k, n, confidence=confidence)
