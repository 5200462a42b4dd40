"""Figures worked out by hand, and properties that a figure must have."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `study`")

from sklearn.metrics import f1_score

from blood_lib.study.evaluate.evaluation import (
    compute_calibration_error,
    compute_coverage,
    compute_figures,
    compute_per_class,
    compute_reliability,
    compute_risks,
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


def test_the_macro_f1_is_that_of_scikit_learn_over_classes_that_have_an_image():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 4, 200)  # of five classes the last has no image, and the first is never named
    probs = rng.random((200, 5)) * [0, 1, 1, 1, 1]
    expected = f1_score(target, probs.argmax(1), labels=range(4), average="macro", zero_division=0)
    assert compute_figures(target, probs)[2].value == pytest.approx(expected, abs=1e-12)


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


def test_bins_of_confidence_add_up_to_the_calibration_error():
    rows = compute_reliability(TARGET, PROBS, n_bins=5)
    assert [(row["above"], row["n"]) for row in rows] == [(0.6, 3), (0.8, 3)]  # 0.6 0.6 0.7, 0.8 0.9 0.9
    assert [row["accuracy"] for row in rows] == pytest.approx([1 / 3, 1])
    gap = sum(row["n"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / len(TARGET)
    assert gap == pytest.approx(compute_calibration_error(TARGET, PROBS, n_bins=5))


def test_risk_is_counted_from_the_surest_answer_on():
    coverage, risk = compute_risks(TARGET, PROBS)
    assert coverage == pytest.approx(np.arange(1, 7) / 6)
    assert risk == pytest.approx([0, 0, 0, 0, 1 / 5, 2 / 6])


def test_the_table_of_coverage_agrees_with_the_curve():
    rows = compute_coverage(TARGET, PROBS)
    coverage, risk = compute_risks(TARGET, PROBS)
    assert rows[0]["n"] == 3 and rows[0]["confidence"] == 0.8 and rows[-1]["n"] == 6
    for row in rows:
        assert row["risk"] == pytest.approx(risk[row["n"] - 1])
        assert row["errors"] == round(risk[row["n"] - 1] * row["n"])
