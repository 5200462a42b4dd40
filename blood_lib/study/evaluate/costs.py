"""What a network costs: parameters, multiply-adds, and the time to train and to serve it.

Times are measured in turns, so that anything that slows the machine slows all networks alike.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from blood_lib.inference.network import Network
from blood_lib.study.train.architectures import to_channels_last
from blood_lib.study.train.callbacks import has_bfloat16

__all__ = [
    "count_multiply_adds",
    "count_parameters",
    "time_in_turns",
    "time_serving",
    "time_training",
]


def count_parameters(network: nn.Module) -> int:
    """The trained numbers of `network`."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiply_adds(network: nn.Module, image_size: int) -> int:
    """Multiply-adds of convolutions and linear layers for an image of `image_size` px, by torch's counter."""
    device = next(network.parameters()).device
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, image_size, image_size, device=device))
    return counter.get_total_flops() // 2  # it counts a multiply-add as two


def time_in_turns(works: Sequence[Callable[[], object]], *, n_rounds: int) -> np.ndarray:
    """Seconds of each call (len(works), n_rounds), one of each a round, after a round that is not counted."""
    seconds = np.empty((len(works), n_rounds + 1))
    for turn in range(n_rounds + 1):
        for i, work in enumerate(works):
            began = time.perf_counter()
            work()
            seconds[i, turn] = time.perf_counter() - began
    return seconds[:, 1:]


def time_training(
    trained: Mapping[Hashable, tuple[nn.Module, int]], image_size: int, *, n_rounds: int = 3
) -> dict[Hashable, np.ndarray]:
    """Images per second (n_rounds,) that each network trains on in batches of its size: forward, backward and
    a step of Adam.
    """
    works = [_build_step(network, image_size, batch_size) for network, batch_size in trained.values()]
    seconds = time_in_turns(works, n_rounds=n_rounds)
    sizes = [batch_size for _, batch_size in trained.values()]
    return {name: size / mine for name, size, mine in zip(trained, sizes, seconds, strict=True)}


def _build_step(network: nn.Module, image_size: int, batch_size: int) -> Callable[[], float]:
    device = next(network.parameters()).device
    network = to_channels_last(network, device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-6)
    x = torch.rand(batch_size, 3, image_size, image_size, device=device)
    x = x.contiguous(memory_format=torch.channels_last)

    def step() -> float:
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device)):  # as `training` does
            loss = network(x).square().mean()
        loss.backward()
        optimiser.step()
        return loss.item()  # waits for a GPU

    return step


def time_serving(
    networks: Mapping[str, Network], image_size: int, *, n_images: int = 256, n_rounds: int = 7
) -> dict[str, np.ndarray]:
    """Images per second (n_rounds,) that each served network answers on the CPU."""
    views = np.random.default_rng(0).integers(0, 256, (n_images, image_size, image_size, 3), np.uint8)
    works = [partial(network, views) for network in networks.values()]
    return dict(zip(networks, n_images / time_in_turns(works, n_rounds=n_rounds), strict=True))
