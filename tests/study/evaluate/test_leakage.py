"""Identical images on both sides of a split, against cases that can be worked out by hand."""

import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.data.near_duplicates import load_near_duplicates
from blood_lib.study.evaluate import leakage


def test_nothing_is_torn_where_no_image_has_a_twin():
    torn = leakage.count_leaked_duplicates(pd.DataFrame({"pixels": list("abcdefghij")}), n_draws=20)
    assert len(torn) == 20 and (torn["torn"] == 0).all() and (torn["test"] == 1).all()


def test_one_test_image_of_two_twins_is_always_torn():
    torn = leakage.count_leaked_duplicates(pd.DataFrame({"pixels": ["a", "a"]}), n_draws=20, share=0.5)
    assert (torn["torn"] == 1).all()


def test_as_many_are_torn_as_chance_makes():
    pixels = [f"{i // 2}" for i in range(34)] + [f"alone {i}" for i in range(966)]
    torn = leakage.count_leaked_duplicates(pd.DataFrame({"pixels": pixels}), n_draws=500)
    assert torn["torn"].mean() == pytest.approx(34 * 0.1 * 0.9, rel=0.1)  # in test, and its twin is not
    assert torn.equals(leakage.count_leaked_duplicates(pd.DataFrame({"pixels": pixels}), n_draws=500))


def test_what_leaks_is_right_and_the_rest_as_before():
    assert leakage.inflate(0.9, 0.5) == pytest.approx(0.95)
    assert leakage.inflate(0.9, 0) == 0.9


def test_the_share_that_explains_a_claim_is_the_inverse():
    assert leakage.compute_leaked(0.9, leakage.inflate(0.9, 0.3)) == pytest.approx(0.3)
    assert leakage.compute_leaked(0.99, 0.98) == 0
    assert leakage.compute_leaked(1.0, 0.98) == 0


def test_a_known_near_duplicate_leaks_like_a_duplicate() -> None:
    pair = load_near_duplicates().groupby("group")["pixels"].apply(list).iloc[0][:2]
    drawn = leakage.count_leaked_duplicates(pd.DataFrame({"pixels": pair}), n_draws=5, share=0.5)
    assert (drawn["torn"] == 1).all()
