"""Limits of focus and size follow from the validation split, and nothing else of a bundle changes."""

import numpy as np

from blood_lib.bundle import load_bundle
from blood_lib.study.export.__main__ import main
from blood_lib.study.export.limits import choose_limits


def test_limits_are_shares_of_the_validation_splits_own():
    rng = np.random.default_rng(0)
    views = rng.integers(60, 200, (6, 32, 32, 3), dtype=np.uint8)
    limits = choose_limits(views)
    assert limits["side"] == 8 and 0 < limits["focus"] < 0.11


def test_a_bundle_gets_its_limits_and_keeps_all_else(tiny_bundle, tiny_dataset, tmp_path, capsys):
    path = tiny_bundle.save(tmp_path / "bundle").path
    assert main([str(tiny_dataset), str(path)]) == 0
    changed = load_bundle(path)
    assert changed.thresholds.focus > 0 and changed.thresholds.side == 8
    assert changed.files == tiny_bundle.files and changed.card == tiny_bundle.card
    assert main([str(tmp_path / "nothing"), str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
