"""The ruler holds where cells overlap, clump or are cut, and says when it does not know."""

import numpy as np
import pytest

from blood_lib.detection.ruler import RED_CELL_UM, Ruler, agree, measure

SIZE = (640, 480)


def cells(n: int, diameter: float, *, spread: float = 0.05, seed: int = 0) -> np.ndarray:
    """Boxes on a grid, apart from each other."""
    rng = np.random.default_rng(seed)
    places = np.array([(x, y) for y in range(60, 420, 110) for x in range(60, 600, 110)][:n], float)
    sides = diameter * rng.normal(1, spread, (n, 2))
    return np.concatenate([places - sides / 2, places + sides / 2], 1)


def test_the_ruler_is_the_median_of_whole_cells():
    boxes = np.concatenate([cells(12, 100), [[0, 0, 20, 60], [600, 100, 640, 200]]])
    ruler = measure(boxes, SIZE)
    assert ruler.diameter == pytest.approx(100, rel=0.03) and ruler.n_cells == 12
    assert ruler.is_sound
    assert ruler.um_per_pixel == pytest.approx(RED_CELL_UM / ruler.diameter)


def test_clumps_and_fragments_do_not_move_it():
    odd = cells(20, 100)[15:] * 1.0
    odd[:3, 2:] += 90
    odd[3:, 2:] -= 60
    ruler = measure(np.concatenate([cells(15, 100), odd]), SIZE)
    assert ruler.diameter == pytest.approx(100, rel=0.03)


def test_overlapping_cells_count_only_where_few_lie_free():
    heap = np.array([[300 + 20 * i, 200, 380 + 20 * i, 280] for i in range(8)], float)
    assert measure(np.concatenate([cells(8, 100)[:6], heap + [0, 200, 0, 200]]), SIZE).diameter > 95
    assert measure(heap, SIZE).diameter == pytest.approx(80)


def test_cells_that_are_surely_seen_weigh_most():
    boxes = np.concatenate([cells(9, 100, spread=0.01), cells(20, 80, spread=0.01)[9:]])
    scores = np.repeat([0.9, 0.4], [9, 11])
    assert measure(boxes, SIZE, scores).diameter == pytest.approx(100, rel=0.03)
    assert measure(boxes, SIZE).diameter < 95


def test_too_few_cells_or_cells_that_disagree_are_no_sound_ruler():
    assert measure(np.zeros((0, 4)), SIZE) is None
    assert measure(np.array([[50, 50, 90, 90], [200, 200, 400, 400]], float), SIZE) is None
    assert not measure(cells(3, 100), SIZE).is_sound
    assert not measure(cells(15, 60, spread=0.3), SIZE).is_sound


def test_fields_of_one_upload_agree_or_there_is_no_ruler():
    near = [Ruler(100, 5, 10), Ruler(104, 5, 10), Ruler(97, 5, 10), None]
    assert agree([*near, Ruler(55, 2, 30)]).diameter == 100
    assert agree([*near, Ruler(55, 2, 30)]).n_fields == 3
    assert agree([Ruler(100, 5, 10), Ruler(50, 5, 10)]) is None
    assert agree([Ruler(100, 5, 2), None]) is None
