"""Folds batch normalisation into the convolutions before it, and loads the weights of a served network.

A bundle serves a folded network: its normalisation is frozen. A training step on a CPU takes two thirds of
the time without it.
"""

from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from blood_lib.files.errors import BloodError
from blood_lib.inference.head import Head
from blood_lib.study.train.architectures import CellNetwork
from blood_lib.study.train.depthwise import DepthwiseConv2d

__all__ = ["fold_batch_norms", "load_head", "load_served_weights", "mix_weights"]

Network = TypeVar("Network", bound=nn.Module)

_CONVOLUTIONS = (nn.Conv2d, DepthwiseConv2d)


def _list_in_order(network: nn.Module, kinds: tuple[type, ...]) -> list[nn.Module]:
    """The modules of these kinds in the order in which a forward pass comes to them."""
    found: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: found.append(module))
        for module in network.modules()
        if isinstance(module, kinds)
    ]
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, 64, 64))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return found


@torch.no_grad()
def fold_batch_norms(network: Network) -> Network:
    """Put each batch normalisation of `network` into the convolution before it, in place; the same outputs
    as in evaluation mode (Jacob et al. 2018, arXiv:1712.05877, section 3.2).
    """
    order = _list_in_order(network, (*_CONVOLUTIONS, nn.BatchNorm2d))
    folded = set()
    for convolution, norm in pairwise(order):
        if isinstance(norm, nn.BatchNorm2d) and isinstance(convolution, _CONVOLUTIONS):
            mean, variance = _get_statistics(norm)
            scale = norm.weight / torch.sqrt(variance + norm.eps)
            bias = 0 if convolution.bias is None else convolution.bias
            convolution.weight.mul_(scale.view(-1, 1, 1, 1))
            convolution.bias = nn.Parameter(norm.bias + (bias - mean) * scale)
            folded.add(norm)
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if child in folded:
                setattr(parent, name, nn.Identity())
    return network


def _get_statistics(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Running mean and variance (C,)."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError(f"{norm} keeps no statistics, so it cannot be folded.")
    return norm.running_mean, norm.running_var


def _read_convolutions(model: onnx.ModelProto) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of each convolution of the model, in the order of the graph, in single precision."""
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
    nodes = (node for node in model.graph.node if node.op_type == "Conv")
    pairs = (node.input[1:3] for node in nodes)
    return [(values[w].astype(np.float32), values[b].astype(np.float32)) for w, b in pairs]


@torch.no_grad()
def load_served_weights(network: CellNetwork, content: bytes) -> CellNetwork:
    """Put the convolutions and the head of a bundle's `model.onnx` into a folded `network`, in place.

    Raises BloodError when the model is not one of this architecture with these classes.
    """
    model = onnx.load_from_string(content)
    given = _read_convolutions(model)
    wanted = _list_in_order(network, _CONVOLUTIONS)
    head = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if t.name.startswith("head.")}
    targets: list[Any] = [tensor for module in wanted for tensor in (module.weight, module.bias)]
    targets += [network.head.weight, network.head.bias]
    sources: list[Any] = [array for pair in given for array in pair] + [
        head.get("head.weight"),
        head.get("head.bias"),
    ]
    shapes = [None if array is None else array.shape for array in sources]
    if shapes != [tuple(tensor.shape) for tensor in targets]:
        raise BloodError(
            "The bundle to start from holds a network of another architecture or with other classes; "
            "name the --arch that it was trained with."
        )
    for tensor, array in zip(targets, sources, strict=True):
        tensor.copy_(torch.from_numpy(array.copy()))
    return network


@torch.no_grad()
def load_head(head: Head) -> nn.Linear:
    """The head of a bundle as a layer."""
    layer = nn.Linear(head.weight.shape[1], head.weight.shape[0])
    layer.weight.copy_(torch.from_numpy(head.weight))
    layer.bias.copy_(torch.from_numpy(head.bias))
    return layer


@torch.no_grad()
def mix_weights(network: CellNetwork, start: CellNetwork, share: float) -> CellNetwork:
    """Put `share` of the weights of `network` and the rest of those of `start`, where it came from, into
    `network`, in place: less is forgotten of what was known before (Wortsman et al. 2022, arXiv:2109.01903).

    The subtypes' head stays as it was trained, and is fitted anew for the bundle.
    """
    before = start.to(next(network.parameters()).device).state_dict()
    for name, weight in network.state_dict().items():
        if weight.is_floating_point() and not name.startswith("subtypes."):
            weight.lerp_(before[name], 1 - share)
    return network
