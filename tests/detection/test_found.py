"""A picture of one cell is told from a field by what is found in it."""

import numpy as np
import pytest

from blood_lib.detection.found import Found, Kind
from blood_lib.detection.ruler import Ruler

KINDS = (Kind("a", "named"), Kind("b", "ruler"), Kind("c", "counted"))
NAMED, RED, COUNTED = range(3)


def found(
    cells: list[tuple[int, float, float]],
    *,
    diameter: float | None = 75,
    size: tuple[int, int] = (360, 360),
    cut: tuple[int, ...] = (),
    scores: tuple[float, ...] = (),
) -> Found:
    """Cells (kind, x, y) in a picture of 360 px; diameter: the ruler's, None: there is none."""
    boxes = np.array([[x - 30, y - 30, x + 30, y + 30] for _, x, y in cells], np.float32).reshape(-1, 4)
    which = np.array([kind for kind, _, _ in cells], int)
    is_cut = np.isin(np.arange(len(cells)), cut)
    ruler = Ruler(diameter, 2, 9) if diameter else None
    return Found(size, KINDS, boxes, which, np.array(scores or (1,) * len(cells)), is_cut, ruler)


@pytest.mark.parametrize("diameter", [75, None])
def test_a_picture_with_one_named_cell_in_the_middle_is_of_one_cell(diameter):
    assert found([(NAMED, 185, 175), (RED, 60, 60), (COUNTED, 300, 300)], diameter=diameter).shows_one_cell()
    assert found([(NAMED, 185, 175), (NAMED, 20, 300)], diameter=diameter, cut=(1,)).shows_one_cell()
    assert found([(COUNTED, 185, 175), (RED, 60, 60)], diameter=diameter).shows_one_cell()
    assert found([], diameter=diameter).shows_one_cell()


def test_a_further_named_cell_counts_where_it_is_surely_one_and_none_is_in_the_very_middle():
    cells = [(NAMED, 130, 175), (NAMED, 60, 300)]
    assert not found(cells, scores=(0.9, 0.85)).shows_one_cell()
    assert found(cells, scores=(0.9, 0.5)).shows_one_cell()
    assert found([(NAMED, 185, 175), (NAMED, 60, 300)]).shows_one_cell()


@pytest.mark.parametrize("diameter", [75, None])
def test_a_named_cell_away_from_the_middle_makes_it_a_field(diameter):
    assert not found([(NAMED, 60, 175)], diameter=diameter).shows_one_cell()
    assert found([(NAMED, 60, 175), (COUNTED, 185, 175)], diameter=diameter).shows_one_cell()


def test_only_a_sure_cell_in_the_middle_that_is_no_ruler_saves_the_search():
    assert found([(COUNTED, 185, 175)]).has_sure_middle()
    for cell, score in (((RED, 185, 175), 0.9), ((NAMED, 60, 175), 0.9), ((NAMED, 185, 175), 0.4)):
        assert not found([cell], scores=(score,)).has_sure_middle()
    assert not found([]).has_sure_middle()


def test_a_wide_picture_is_a_field():
    assert not found([(NAMED, 180, 180)], diameter=40).shows_one_cell()


def test_a_picture_with_red_cells_that_is_no_square_is_a_field():
    assert not found([(NAMED, 220, 180)], size=(440, 360)).shows_one_cell()
    assert found([(NAMED, 220, 180)], size=(440, 360), diameter=None).shows_one_cell()


def test_roles_say_which_cells_are_what():
    assert found([(NAMED, 1, 1), (COUNTED, 2, 2)]).with_role("counted").tolist() == [False, True]
