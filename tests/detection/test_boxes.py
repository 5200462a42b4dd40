"""Boxes: overlaps and diameters worked out by hand, suppression keeps the best of each heap."""

import numpy as np
import pytest

from blood_lib.detection.boxes import (
    compute_iou,
    diameters_of,
    find_overlaps,
    suppress,
    touches_edge,
)


def test_overlap_is_shared_area_over_both():
    a = np.array([[0, 0, 10, 10]], float)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 0, 0]], float)
    assert compute_iou(a, b)[0] == pytest.approx([1, 1 / 3, 0, 0])


def test_a_diameter_is_the_geometric_mean_of_the_sides():
    assert diameters_of(np.array([[0, 0, 4, 9], [5, 5, 1, 1]], float)) == pytest.approx([6, 0])


def test_the_best_of_a_heap_stays_and_what_lies_apart_too():
    boxes = np.array([[1, 0, 11, 10], [0, 0, 10, 10], [40, 0, 50, 10]], float)
    assert suppress(boxes, np.array([0.5, 0.9, 0.1]), limit=0.5).tolist() == [1, 2]
    assert suppress(boxes[:0], np.zeros(0), limit=0.5).tolist() == []


def test_a_box_that_went_takes_no_other_with_it():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], float)
    assert suppress(boxes, np.array([0.9, 0.8, 0.7]), limit=0.4).tolist() == [0, 1, 2][::2]


def test_only_what_reaches_the_margin_is_at_the_edge():
    boxes = np.array([[1, 5, 9, 9], [2, 5, 9, 9], [5, 5, 18, 9], [5, 5, 9, 29]], float)
    assert touches_edge(boxes, (20, 30), margin=1.5).tolist() == [True, False, False, True]


def test_overlaps_are_those_of_the_whole_table():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 900, (3000, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 60, (3000, 2))], 1)
    overlaps = np.triu(compute_iou(boxes, boxes), 1) > 0.3
    found = np.sort(find_overlaps(boxes, limit=0.3), axis=1)
    assert {tuple(pair) for pair in found} == {tuple(pair) for pair in np.argwhere(overlaps)}
    assert find_overlaps(boxes[:0], limit=0.3).shape == (0, 2)
