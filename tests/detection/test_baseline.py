"""The learning-free finder on drawn fields: it finds every white cell, and a ruler where cells lie apart."""

import numpy as np
import pytest

from blood_lib.detection.baseline import find_cells
from blood_lib.detection.found import Kind
from blood_lib.detection.regions import find_regions, otsu
from blood_lib.study.painter import draw_smear

KINDS = (Kind("white", "named"), Kind("red", "ruler"))


def test_regions_have_their_boxes_and_areas():
    mask = np.array(
        [[1, 1, 0, 0, 1], [0, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 0, 1, 1, 1], [1, 1, 1, 0, 0]], bool
    )
    boxes, areas = find_regions(mask)
    assert sorted(zip(boxes.tolist(), areas.tolist(), strict=True)) == [
        ([0, 0, 2, 2], 3), ([0, 3, 5, 5], 7), ([4, 0, 5, 2], 2),
    ]  # fmt: skip
    assert find_regions(np.zeros((3, 3), bool))[0].shape == (0, 4)


def test_otsu_parts_two_heaps():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(1, 0.1, 500), rng.normal(3, 0.2, 100)])
    assert 1.3 < otsu(values) < 2.6


def test_white_cells_of_a_drawn_field_are_found():
    smear = draw_smear(["lymphocyte", "neutrophil", "eosinophil"], red_cell=100, seed=2)
    found = find_cells(smear.image, KINDS)
    boxes = found.boxes[found.with_role("named")]
    assert len(boxes) == 3
    for x, y, radius in smear.cells:
        assert ((boxes[:, 0] < x) & (boxes[:, 2] > x) & (boxes[:, 1] < y) & (boxes[:, 3] > y)).any(), radius


def test_cells_that_lie_apart_give_a_ruler():
    found = find_cells(draw_smear(["lymphocyte"], red_cell=60, crowding=2, seed=1).image, KINDS)
    assert found.ruler.diameter == pytest.approx(60, rel=0.1)
