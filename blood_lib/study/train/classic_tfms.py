"""fastai's own transforms of a batch, one at a time and together, as the study of 2020 used them.

They change the view that the network is trained on. The augmentation that prepares a network for other
laboratories is `augmentation`.
"""

from collections.abc import Callable

import torch

from blood_lib.study.train import torchvision_ops  # noqa: F401  (must come before fastai)

from fastai.vision.augment import RandomResizedCropGPU, aug_transforms  # isort: skip
from fastai.vision.core import TensorImage  # isort: skip

__all__ = ["TFMS", "build_change"]

_OFF = {"do_flip": False, "max_rotate": 0.0, "max_zoom": 1.0, "max_lighting": 0.0, "max_warp": 0.0}
_TOGETHER: dict[str, object] = {
    "do_flip": True,
    "flip_vert": True,
    "max_rotate": 45.0,
    "max_zoom": 1.15,
    "max_lighting": 0.2,
    "max_warp": 0.1,
}

TFMS: dict[str, dict[str, object]] = {
    "none": {},
    "vertical flip": {"do_flip": True, "flip_vert": True},
    "rotation 45, black corners": {"max_rotate": 45.0, "pad_mode": "zeros"},
    "rotation 45, reflection": {"max_rotate": 45.0},
    "brightness 0.2": {"max_lighting": 0.2},
    "zoom 1.15": {"max_zoom": 1.15},
    "zoom 2": {"max_zoom": 2.0},
    "warp 0.1": {"max_warp": 0.1},
    "warp 0.5": {"max_warp": 0.5},
    "random crop and scale": {"min_scale": 0.35},
    "together": _TOGETHER,
    "together, crop and scale too": {**_TOGETHER, "min_scale": 0.35},
}
"""Name to the arguments of `aug_transforms` that are not off; `min_scale`: of `RandomResizedCropGPU`."""


def build_change(name: str, size: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """The transforms `name` of TFMS as a function of views (B, 3, size, size) in [0, 1]."""
    options = dict(TFMS[name])
    min_scale = options.pop("min_scale", None)
    crop = RandomResizedCropGPU(size, min_scale=min_scale) if min_scale else None
    tfms = aug_transforms(**_OFF | options)

    def change(x: torch.Tensor) -> torch.Tensor:
        x = TensorImage(x)
        for tfm in tfms:
            x = tfm(x, split_idx=0)
        if crop:  # it draws one place and size a call: a batch would share them
            x = torch.cat([crop(image, split_idx=0) for image in x.split(1)])
        return x.as_subclass(torch.Tensor).clamp(0, 1)

    return change
