"""Any images will do: a bundle of handwritten digits works as well as one of blood cells."""

from __future__ import annotations

import pytest

from blood_lib.bundle import Bundle
from blood_lib.inference import Classifier
from tests.tools.digits import ENGLISH, N_TRAIN, N_VALID, draw_digit, read_digits
from tests.tools.fixtures_bundle import encode

pytestmark = pytest.mark.slow


def test_digits_are_told_apart_and_doubt_means_something(digits_bundle: Bundle) -> None:
    images, target = (part[N_TRAIN + N_VALID :] for part in read_digits())
    files = [(f"{i}.png", encode(draw_digit(pixels))) for i, pixels in enumerate(images)]
    results = list(Classifier(digits_bundle).classify(files))
    right = {result.name: result.label == ENGLISH[i] for result, i in zip(results, target, strict=True)}
    sure = [right[result.name] for result in results if result.status == "ok"]
    assert sum(right.values()) / len(right) > 0.93
    assert len(sure) > len(right) / 2
    assert sum(sure) / len(sure) > 0.97
