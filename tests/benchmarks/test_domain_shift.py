"""The benchmark that bundles are chosen by: the same views for all, and scores as the textbook has them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks.domain_shift import SHIFTS, draw_views, main, score
from blood_lib.bundle import load_bundle


def test_views_are_the_same_for_a_seed_and_change_what_they_are_named_for() -> None:
    frames = np.full((4, 64, 64, 3), 200, np.uint8)
    frames[:, 24:40, 24:40] = (120, 60, 140)  # a square in the middle
    drawn = {name: draw_views(frames, a, size=64, crop=0.75, seed=3) for name, a in SHIFTS.items()}
    again = draw_views(frames, SHIFTS["other colours"], size=64, crop=0.75, seed=3)
    assert np.array_equal(again, drawn["other colours"])
    near = drawn["from near"]
    assert {tuple(pixel) for pixel in near.reshape(-1, 3)[::97]} > {(120, 60, 140), (200, 200, 200)}
    assert (near[..., 1] < 130).mean() > 2 * (frames[..., 1] < 130).mean()
    assert not np.allclose(drawn["other colours"][:, 0, 0], 200, atol=4)


def test_scores_are_those_of_the_textbook() -> None:
    logits, target = np.log([[0.8, 0.2], [0.6, 0.4], [0.5, 0.5], [0.1, 0.9]]), np.array([0, 1, 0, 1])
    found = score(logits, target, 1.0)
    assert found["errors"] == 1 and found["balanced"] == pytest.approx(75)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.4, 0.5, 0.9]).mean())


def test_each_bundle_has_a_row_for_each_kind_of_view(tiny_dataset: Path, capsys) -> None:
    main([str(tiny_dataset), str(load_bundle().path)])
    said = capsys.readouterr().out
    for name in ("as they are", *SHIFTS):
        assert name in said
