"""Probabilities are as honest as they can be made, and what is trusted is right often enough."""

import numpy as np
import pytest

from blood_lib.inference.calibration import choose_confidence, fit_temperature, softmax


def test_probabilities_sum_to_one_however_large_the_logits() -> None:
    probs = softmax(np.array([[1e4, 1e4, -1e4], [0.0, np.log(3), 0.0]]))
    assert np.allclose(probs, [[0.5, 0.5, 0], [0.2, 0.6, 0.2]])


def test_rows_count_as_much_as_they_weigh() -> None:
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(300, 3)), rng.integers(0, 3, 300)
    weight = rng.integers(1, 4, 300)
    repeated = fit_temperature(np.repeat(target, weight), np.repeat(logits, weight, axis=0))
    assert fit_temperature(target, logits, weight) == pytest.approx(repeated, rel=1e-3)


def test_the_temperature_that_was_put_in_is_found_again() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)) * 2
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = np.array([rng.choice(4, p=p) for p in probs])
    assert fit_temperature(target, 3 * logits) == pytest.approx(3, rel=0.05)


def test_from_the_chosen_confidence_on_answers_are_right_often_enough() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5, 1, 5000)
    target = (rng.uniform(size=5000) > confidence).astype(int)  # right with the probability claimed
    probs = np.stack([confidence, 1 - confidence], axis=1)
    threshold = choose_confidence(target, probs, accuracy=0.9)
    kept = confidence >= threshold
    assert (target[kept] == 0).mean() >= 0.9
    assert 0.7 < threshold < 0.9 and kept.sum() > 1500
    assert choose_confidence(np.ones(5, int), np.tile([0.9, 0.1], (5, 1)), accuracy=0.9) == 1
