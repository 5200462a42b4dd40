"""Cells shown larger or bent: what is shown differs as it is said to, and what is right is counted."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.data.split import load_split
from blood_lib.study.interpret import robustness
from blood_lib.study.interpret.interpretation import build_batch
from blood_lib.study.train.loaders import load_views
from blood_lib.study.train.networks import load_network


def test_nothing_is_bent_by_nothing_and_each_view_in_its_own_way_by_more(monkeypatch):
    views = np.zeros((8, 32, 32, 3), np.uint8)
    views[:, 8:24, 8:24] = 200
    assert np.abs(robustness.bend(views, 0.0).astype(int) - views).max() <= 1
    monkeypatch.setattr(robustness, "CHUNK", 3)
    before = torch.get_rng_state()
    bent = robustness.bend(views, 0.5, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert bent.shape == views.shape and bent.dtype == np.uint8
    assert len(np.unique(bent.reshape(len(bent), -1), axis=0)) == len(views)
    assert np.array_equal(bent, robustness.bend(views, 0.5, seed=1))
    assert not np.array_equal(bent, robustness.bend(views, 0.5, seed=2))


def test_twice_as_large_is_half_the_frame(tiny_run, tiny_dataset):
    recipe = load_network(tiny_run)[1]
    files = load_split(tiny_dataset)["file"].tolist()[:2]
    (_, once), (way, twice) = robustness.show_larger(tiny_dataset, files, recipe, [1, 2])
    assert way == ("times as large", 2)
    size = recipe.image_size
    assert np.array_equal(twice, load_views(tiny_dataset, files, size=size, crop=recipe.crop / 2))
    assert np.array_equal(once, load_views(tiny_dataset, files, size=size, crop=recipe.crop))


def test_what_is_right_is_counted_for_each_training_and_each_way(tiny_run, tiny_dataset):
    network, recipe = load_network(tiny_run)
    files = load_split(tiny_dataset)["file"].tolist()
    shown = list(robustness.show_bent(tiny_dataset, files, recipe, [0, 0.5]))
    with torch.no_grad():
        answers = [network(build_batch(views))[:, :8].argmax(1).numpy() for _, views in shown]
    target = np.where(np.arange(len(files)) % 2, answers[0], -1)  # every second one is right
    right = robustness.count_right({"one": tiny_run, "two": tiny_run}, shown, target)
    assert right["one"].tolist() == [int((answer == target).sum()) for answer in answers]
    assert right["one"].iloc[0] == len(files) // 2 and right["two"].equals(right["one"])
    assert right.index.tolist() == [("bent by up to", 0), ("bent by up to", 0.5)]
