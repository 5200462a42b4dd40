"""From maps to boxes and back: what was drawn into the maps is found, and nothing else."""

import numpy as np
import pytest

from blood_lib.detection.decode import decode, find_peaks


def maps_of(cells: list[tuple[int, float, float, float, float, float]], side: int = 20) -> tuple:
    """Maps (2, side, side) and (8, side, side) of cells (kind, x, y, width, height, score), stride 4."""
    heat, boxes = np.zeros((2, side, side)), np.zeros((2, 4, side, side))
    for kind, x, y, width, height, score in cells:
        column, row = int(x / 4), int(y / 4)
        heat[kind, row, column] = score
        boxes[kind, :, row, column] = (
            x / 4 - column - 0.5,
            y / 4 - row - 0.5,
            np.log(width / 4),
            np.log(height / 4),
        )
    return heat, boxes.reshape(8, side, side)


def test_each_cell_is_found_where_it_lies_best_first():
    heat, maps = maps_of([(0, 30, 41, 20, 24, 0.6), (1, 9, 10, 8, 8, 0.8), (1, 60, 60, 8, 8, 0.1)])
    boxes, kinds, scores = decode(heat, maps, stride=4, lowest=0.3)
    assert kinds.tolist() == [1, 0]
    assert scores == pytest.approx([0.8, 0.6])
    assert boxes == pytest.approx(np.array([[5, 6, 13, 14], [20, 29, 40, 53]]))


def test_a_kind_never_hides_another_but_one_cell_is_found_once():
    heat, maps = maps_of([(0, 30, 30, 20, 20, 0.9), (0, 38, 30, 20, 20, 0.5), (1, 30, 30, 20, 20, 0.4)])
    assert decode(heat, maps, stride=4, lowest=0.3)[1].tolist() == [0, 0, 1]  # 8 of 28 px shared: two cells
    heat, maps = maps_of([(0, 30, 30, 20, 20, 0.9), (0, 22, 30, 30, 20, 0.5), (1, 30, 30, 20, 20, 0.4)])
    assert decode(heat, maps, stride=4, lowest=0.3)[1].tolist() == [0, 1]


def test_only_summits_are_peaks_at_the_edge_too():
    heat = np.array([[[3, 1, 0], [1, 2, 1], [0, 1, 0]]], float)
    assert np.argwhere(find_peaks(heat)[0]).tolist() == [[0, 0]]


def test_an_empty_map_has_no_cells():
    boxes, kinds, scores = decode(*maps_of([]), stride=4, lowest=0.3)
    assert boxes.shape == (0, 4) and len(kinds) == len(scores) == 0
