"""The nearest reference cells as numbers and places, with an atlas whose answer can be told by heart."""

from __future__ import annotations

import numpy as np
import pytest

from blood_lib.atlas import Atlas
from blood_lib.dashboard.viewer.neighbourhood import describe_neighbours, describe_reference, thin_out


@pytest.fixture
def atlas() -> Atlas:
    """Seven cells of class 0 and five of class 1, at the left and at the top right corner."""
    target = np.array([0] * 7 + [1] * 5)
    features = np.where(target[:, None] == 0, [1.0, 0.1, 0], [0.1, 1.0, 0]) + np.arange(12)[:, None] / 1000
    places = np.where(target[:, None] == 0, [-1.0, 0.0], [1.0, 1.0])
    return Atlas(
        features=features,
        target=target,
        embedding=places,
        scale=1,
        pca_mean=np.zeros(3),
        pca_components=np.eye(3)[:1],
        perplexity=2,
        random_state=0,
    )


def test_neighbours_are_counted_and_placed(atlas: Atlas) -> None:
    found = describe_neighbours(atlas, np.array([1.0, 0, 0]), (0.0, 0.5))
    assert found["counts"] == [[0, 7], [1, 3]]
    assert found["neighbours"] == [[0, 0, 500]] * 7 + [[1, 1000, 0]] * 3
    assert found["place"] == [500, 250]


def test_a_cell_without_a_place_has_neighbours_all_the_same(atlas: Atlas) -> None:
    found = describe_neighbours(atlas, np.array([0, 1.0, 0]), None)
    assert found["place"] is None
    assert found["counts"][0] == [1, 5] or found["counts"][0] == [0, 5]
    assert sum(n for _, n in found["counts"]) == 10


def test_the_reference_is_listed_by_class(atlas: Atlas) -> None:
    assert describe_reference(atlas, 3) == [[0, 500] * 7, [1000, 0] * 5, []]


def test_thinning_out_keeps_both_ends_and_no_more_than_asked() -> None:
    assert thin_out(3, 10).tolist() == [0, 1, 2]
    some = thin_out(10_000, 7)
    assert len(some) == 7
    assert (some[0], some[-1]) == (0, 9_999)
