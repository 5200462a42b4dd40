"""Thresholds and the subtypes' head follow from what the served network says."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")
pytest.importorskip("onnx", reason="needs the extra `study`")

from blood_lib.inference.head import Head
from blood_lib.study.cells import SUBTYPES
from blood_lib.study.export.fitting import (
    FLAGGED,
    Outputs,
    choose_ood_threshold,
    fit_subtypes,
    sample_per_class,
)


def test_the_head_of_subtypes_is_fitted_only_where_all_are_known() -> None:
    rng = np.random.default_rng(0)
    known = np.repeat(np.arange(len(SUBTYPES)), 20)
    features = np.eye(len(SUBTYPES), 16)[known] + 0.1 * rng.normal(size=(len(known), 16))
    outputs = Outputs(known, known, features, features.astype(np.float32))
    infos, files = fit_subtypes(outputs, outputs)
    head = Head.from_bytes(files["subtypes.npz"])
    assert [info.name for info in infos] == list(SUBTYPES)
    assert (head(outputs.features).argmax(axis=1) == known).all()
    some = known > 0
    fewer = Outputs(*(array[some] for array in outputs))
    assert fit_subtypes(fewer, outputs) == ((), {})


def test_the_sample_takes_as_many_of_each_class_as_there_are():
    target = np.repeat([0, 1, 2], [50, 5, 20])
    chosen = sample_per_class(target, 10, seed=0)
    assert np.bincount(target[chosen]).tolist() == [10, 5, 10]
    assert len(set(chosen)) == len(chosen)
    assert np.array_equal(chosen, sample_per_class(target, 10, seed=0))


def test_few_of_the_cells_that_the_threshold_was_chosen_on_are_flagged():
    score = np.random.default_rng(0).gamma(2, size=2000)
    assert (score > choose_ood_threshold(score)).mean() == pytest.approx(FLAGGED, abs=0.0011)
