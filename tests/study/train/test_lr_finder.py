"""The learning-rate finder: a growing rate, four suggestions within it, and nothing left behind."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.data.split import load_split
from blood_lib.study.train.lr_finder import find_lr
from tests.tools.fixtures_training import tiny_recipe


def test_four_rules_read_a_rate_from_one_curve(tiny_dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    split = load_split(tiny_dataset)
    found, again = (find_lr(tiny_recipe(), folder=tiny_dataset, split=split, n_steps=40) for _ in range(2))
    assert len(found.rates) == len(found.losses) and np.all(np.diff(found.rates) > 0)
    assert list(found.suggestions) == ["minimum", "steep", "valley", "slide"]
    assert all(found.rates[0] / 10 <= rate <= found.rates[-1] for rate in found.suggestions.values())
    assert not list(tmp_path.iterdir())  # fastai keeps the weights in a file meanwhile
    assert np.array_equal(found.losses, again.losses)
