"""The benchmark of the second look counts what it mends and what it breaks, and where it looks again."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks.tta import compare, main
from blood_lib.files.errors import BloodError


def _answer(probs: list[float], seen: list[int]) -> SimpleNamespace:
    """A classifier of images that are numbers: the probability of class 1 of each, and what it saw."""
    probs, features = np.stack([1 - np.array(probs), probs], axis=1), np.array(seen)[:, None]

    def predict(images: list[int]) -> SimpleNamespace:
        return SimpleNamespace(probs=probs[images], features=features[images])

    return SimpleNamespace(predict=predict)


def test_what_test_time_augmentation_changes_is_counted() -> None:
    single = _answer([0.4, 0.4, 0.6, 0.9, 0.2], seen=[0, 0, 0, 0, 0])
    augmented = _answer([0.8, 0.7, 0.4, 0.9, 0.2], seen=[1, 1, 1, 0, 0])
    found = compare(single, augmented, iter([[0, 1], [2, 3, 4]]), np.array([1, 1, 1, 1, 0]))
    assert (found["n"], found["augmented"], found["errors"], found["errors_after"]) == (5, 3, 2, 1)
    assert (found["corrected"], found["added"]) == (2, 1) and found["p"] == 1.0
    assert found["log_loss"] == pytest.approx(-np.log([0.4, 0.4, 0.6, 0.9, 0.8]).mean())
    assert found["log_loss_after"] == pytest.approx(-np.log([0.8, 0.7, 0.4, 0.9, 0.8]).mean())


def test_each_set_of_images_has_a_row(tiny_dataset, capsys) -> None:
    main([str(tiny_dataset), "--crops", "0.6", "--below", "1"])
    said = capsys.readouterr().out
    assert all(
        name in said for name in ("validation split", "in other colours", "test split", "log_loss_after")
    )


def test_a_bundle_without_test_time_augmentation_needs_crops_and_limit(tiny_dataset, tiny_bundle) -> None:
    with pytest.raises(BloodError, match="no test-time augmentation"):
        main([str(tiny_dataset), "--bundle", str(tiny_bundle.path)])
