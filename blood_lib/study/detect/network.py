"""The heat-map network: a small encoder and decoder, of every kind a heat map and a box at stride 4.

What its maps mean is told in `blood_lib.detection.decode` (CenterNet, Zhou et al. 2019, arXiv:1904.07850).
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from blood_lib.study.detect.fields import KINDS

__all__ = ["DetectorNetwork"]

_RARE = -4.0  # the first logit everywhere: a cell's middle is rare (Lin et al. 2017, arXiv:1708.02002, 3.3)


class DetectorNetwork(nn.Module):
    """images (N, 3, H, W), 0 to 255, sides multiples of 32 -> logits (N, K, h, w), boxes (N, 4 K, h, w)."""

    def __init__(self, widths: Sequence[int] = (16, 32, 48, 64, 64), n_kinds: int = len(KINDS)):
        super().__init__()
        first, *rest = widths
        self.stem = _conv(3, first, stride=2)
        self.down = nn.ModuleList(
            nn.Sequential(_conv(before, after, stride=2), _Residual(after))
            for before, after in zip(widths, rest, strict=False)
        )
        self.across = nn.ModuleList(_conv(width, rest[0], kernel=1) for width in rest)
        self.up = nn.ModuleList(_Residual(rest[0]) for _ in rest[1:])
        self.heat = _head(rest[0], n_kinds, first=_RARE)
        self.boxes = _head(rest[0], 4 * n_kinds, first=0.0)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.stem(images / 64 - 2)
        levels = []
        for down in self.down:
            x = down(x)
            levels.append(x)
        x = self.across[-1](levels[-1])
        for level, across, up in list(zip(levels, self.across, [*self.up, None], strict=True))[-2::-1]:
            x = up(across(level) + F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.heat(x), self.boxes(x)


class _Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = _conv(width, width), _conv(width, width, active=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.second(self.first(x)))


def _conv(before: int, after: int, *, kernel: int = 3, stride: int = 1, active: bool = True) -> nn.Sequential:
    layers = [
        nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if active else []))


def _head(width: int, n_outputs: int, *, first: float) -> nn.Sequential:
    """first: what it says everywhere before it has learned anything."""
    last = nn.Conv2d(width, n_outputs, 1)
    if last.bias is not None:
        nn.init.constant_(last.bias, first)
    return nn.Sequential(_conv(width, width), last)
