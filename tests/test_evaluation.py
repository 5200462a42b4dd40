"""Figures worked out by hand, and properties that a figure must have."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `study`")

from blood_lib.study.evaluation import (  # noqa: E402
    compute_calibration_error,
    compute_figures,
    compute_per_class,
)

TARGET = np.array([0, 0, 0, 0, 1, 1])
PROBS = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.1, 0.9], [0.6, 0.4]])


def test_figures_are_what_a_pencil_gives():
    figures = {figure.name: figure for figure in compute_figures(TARGET, PROBS)}
    assert figures["accuracy"].value == pytest.approx(4 / 6)
    assert figures["balanced_accuracy"].value == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert figures["macro_f1"].value == pytest.approx((2 * 3 / 8 + 2 * 1 / 4) / 2)
    assert figures["accuracy"].low == pytest.approx(0.2228, abs=1e-4)  # Clopper-Pearson, 4 of 6
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert figures[name].n == 6 and figures[name].low <= figures[name].value <= figures[name].high
    assert figures["calibration_error"].low is None


def test_one_image_of_a_class_makes_its_average_unsure():
    """A bootstrap would call the class with a single image certain; the interval must not."""
    target = np.array([0] * 100 + [1])
    sure = np.tile([0.9, 0.1], (101, 1))
    sure[100] = [0.1, 0.9]
    balanced = compute_figures(target, sure)[1]
    assert balanced.value == 1 and balanced.high == 1
    assert balanced.low == pytest.approx(
        (0.025 + 1) / 2, abs=0.02
    )  # Clopper-Pearson of 1 of 1 begins at 0.025


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    target, sure = np.zeros(100, int), np.tile([0.8, 0.2], (100, 1))
    target[80:] = 1
    assert compute_calibration_error(target, sure) == pytest.approx(0, abs=1e-9)
    target[:] = 0
    assert compute_calibration_error(target, sure) == pytest.approx(0.2)
    assert compute_calibration_error(target, np.tile([1.0, 0.0], (100, 1))) == 0


def test_the_table_per_class_counts_and_names_the_confusion():
    first, second = compute_per_class(TARGET, PROBS.argmax(axis=1), ["a", "b"])
    assert (first["n"], first["recall"], first["precision"]) == (4, 0.75, 0.75)
    assert second["taken_for"] == "a (1)"
    assert second["recall_low"] == pytest.approx(0.0126, abs=1e-4)  # Clopper-Pearson, 1 of 2
