"""A picture of one cell is told from a field by what is found in it."""

import numpy as np

from blood_lib.detection.found import Found, Kind
from blood_lib.detection.ruler import Ruler

KINDS = (Kind("a", "named"), Kind("b", "ruler"), Kind("c", "counted"))
NAMED, RED, COUNTED = range(3)


def found(cells: list[tuple[int, float, float]], *, diameter: float = 75, cut: tuple[int, ...] = ()) -> Found:
    """Cells (kind, x, y) in a picture of 360 px."""
    boxes = np.array([[x - 30, y - 30, x + 30, y + 30] for _, x, y in cells], np.float32).reshape(-1, 4)
    which = np.array([kind for kind, _, _ in cells], int)
    is_cut = np.isin(np.arange(len(cells)), cut)
    return Found((360, 360), KINDS, boxes, which, np.ones(len(cells)), is_cut, Ruler(diameter, 2, 9))


def test_one_named_cell_in_the_middle_is_one_cell():
    assert found([(NAMED, 185, 175), (RED, 60, 60), (COUNTED, 300, 300)]).shows_one_cell()
    assert found([(NAMED, 185, 175), (NAMED, 20, 300)], cut=(1,)).shows_one_cell()
    assert found([(COUNTED, 185, 175), (RED, 60, 60)]).shows_one_cell()


def test_two_cells_none_or_one_aside_are_a_field():
    assert not found([(NAMED, 185, 175), (NAMED, 60, 300)]).shows_one_cell()
    assert not found([(RED, 185, 175)]).shows_one_cell()
    assert not found([]).shows_one_cell()
    assert not found([(NAMED, 60, 175), (COUNTED, 180, 180)]).shows_one_cell()


def test_a_wide_picture_is_a_field():
    assert not found([(NAMED, 180, 180)], diameter=40).shows_one_cell()


def test_roles_say_which_cells_are_what():
    assert found([(NAMED, 1, 1), (COUNTED, 2, 2)]).with_role("counted").tolist() == [False, True]
