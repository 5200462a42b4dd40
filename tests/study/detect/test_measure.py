"""How good a finder is, worked out by hand."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.detect.measure import average_precision, compute_recall, match

A, B, C = [10, 10, 30, 30], [50, 10, 70, 30], [10, 50, 30, 70]
NONE = np.zeros((0, 4))


def test_each_true_box_is_found_once_by_the_best():
    boxes = np.array([A, [11, 10, 31, 30], B, [80, 80, 90, 90]], float)
    assert match(boxes, np.array([B, A], float)).tolist() == [1, -1, 0, -1]
    assert match(boxes, NONE).tolist() == [-1] * 4


def test_the_average_precision_is_the_area_below_the_curve():
    truth = np.array([A, B, C], float)
    right, wrong = np.array([A, B], float), np.array([[80, 80, 90, 90]], float)
    perfect = (truth, np.array([0.9, 0.8, 0.7]), truth)
    assert average_precision([perfect]) == pytest.approx(1)
    # found in the order right, wrong, right: precision 1 up to a third, 2 of 3 up to two thirds, then none
    found = np.concatenate([right[:1], wrong, right[1:]])
    assert average_precision([(found, np.array([0.9, 0.8, 0.7]), truth)]) == pytest.approx((1 + 2 / 3) / 3)
    assert np.isnan(average_precision([(wrong, np.array([0.5]), NONE)]))


def test_scores_are_compared_across_fields():
    truth = np.array([A], float)
    good, bad = (truth, np.array([0.4]), truth), (np.array([B], float), np.array([0.9]), NONE)
    assert average_precision([good, bad]) == pytest.approx(0.5)


def test_what_the_edge_cuts_is_neither_asked_for_nor_an_alarm():
    size, cut = (100, 100), [0, 40, 15, 60]
    truth = np.array([A, cut], float)
    score = compute_recall([(np.array([A, B, [85, 40, 100, 60]], float), truth)], [size])
    assert (score.n_true, score.n_found, score.n_false) == (1, 1, 1)
    assert score.recall == 1 and score.false_per_field == 1
    missed = compute_recall([(NONE, truth)], [size])
    assert (missed.n_true, missed.n_found, missed.n_false) == (1, 0, 0)
