"""Cells shown larger or bent: what is shown differs as it is said to, and what is right is counted."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study import probes  # noqa: E402
from blood_lib.study.data.split import load_split  # noqa: E402


def draw_squares(n: int = 8) -> np.ndarray:
    views = np.zeros((n, 32, 32, 3), np.uint8)
    views[:, 8:24, 8:24] = 200
    return views


def test_nothing_is_bent_by_nothing_and_each_view_in_its_own_way_by_more():
    views = draw_squares()
    assert np.abs(probes.bend(views, 0.0).astype(int) - views).max() <= 1
    bent = probes.bend(views, 0.5, seed=1)
    assert bent.shape == views.shape and bent.dtype == np.uint8
    assert len(np.unique(bent.reshape(len(bent), -1), axis=0)) == len(views)
    assert np.array_equal(bent, probes.bend(views, 0.5, seed=1))
    assert not np.array_equal(bent, probes.bend(views, 0.5, seed=2))


def test_as_many_are_right_as_in_the_training_where_nothing_is_changed(tiny_run, tiny_dataset):
    import pandas as pd

    split = load_split(tiny_dataset)
    n = (split["part"] == "valid").sum()
    right = round(pd.read_csv(tiny_run / "log.csv")["accuracy"].iloc[-1] * n)
    larger = probes.score_larger(tiny_run, tiny_dataset, split, [1, 2])
    bent = probes.score_bent(tiny_run, tiny_dataset, split, [0.0, 0.5])
    assert larger[0] == bent[0] == right
    assert all(0 <= count <= n for count in [*larger, *bent])
