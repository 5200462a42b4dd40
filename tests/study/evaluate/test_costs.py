"""What a network costs, against numbers worked out by hand."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.evaluate import costs
from blood_lib.study.train.architectures import ARCHITECTURES, build_network


def test_parameters_and_multiply_adds_are_those_worked_out_by_hand():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU())
    assert costs.count_parameters(network) == 3 * 4 * 9 + 4
    assert costs.count_multiply_adds(network, 8) == 3 * 4 * 9 * 8 * 8


@pytest.mark.parametrize(
    ("arch", "million", "published"), [("resnet18", 11.7, 1814), ("efficientnet_b0", 5.3, 390)]
)
def test_published_networks_cost_what_is_published(arch, million, published):
    """Of an image of 224 px, and with the published head of 1,000 classes, which ours has not."""
    network = build_network(arch, 8, initialisation="random")
    head = ARCHITECTURES[arch].n_features * 1000 / 1e6
    assert costs.count_parameters(network) / 1e6 + head == pytest.approx(million, abs=0.1)
    assert costs.count_multiply_adds(network, 224) / 1e6 == pytest.approx(published, rel=0.02)


def test_works_take_turns_and_the_first_round_does_not_count(monkeypatch):
    clock, order = itertools.count(), []
    monkeypatch.setattr(costs.time, "perf_counter", lambda: float(next(clock)))
    seconds = costs.time_in_turns([lambda: order.append("a"), lambda: order.append("b")], n_rounds=2)
    assert order == ["a", "b"] * 3
    assert seconds.tolist() == [[1, 1], [1, 1]]


def test_training_and_serving_are_timed_for_each_network():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2))
    before = [parameter.clone() for parameter in network.parameters()]
    rates = costs.time_training({"tiny": (network, 2)}, 8, n_rounds=2)
    assert rates["tiny"].shape == (2,) and (rates["tiny"] > 0).all()
    assert not torch.equal(before[0], next(network.parameters()))  # it did learn while it was timed
    served = costs.time_serving({"tiny": lambda views: np.zeros(len(views))}, 8, n_images=3, n_rounds=2)
    assert served["tiny"].shape == (2,)


def test_images_per_second_are_those_of_each_batch_size(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(costs.time, "perf_counter", lambda: float(next(clock)))  # every step takes a second
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2))
    by_size = costs.time_training({1: (network, 1), 4: (network, 4)}, 8, n_rounds=2)
    assert {size: rates.tolist() for size, rates in by_size.items()} == {1: [1, 1], 4: [4, 4]}
