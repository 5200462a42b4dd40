"""Finds a field's scale by looking: at several scales, and the one where red cells come out best is taken.

Each look is at the middle of the field, no larger than `CROP_SIDE`, so that fine scales cost no more than
coarse ones. The detector's network says nothing where the scale is far off; so the best look is close.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

from blood_lib.detection.boxes import diameters_of
from blood_lib.detection.ruler import measure

__all__ = ["FINEST", "SURE", "crop_middle", "list_diameters", "search_diameter", "weigh"]

CROP_SIDE = 256
"""The largest side of what is looked at, in the network's pixels."""

FINEST = 7.0
"""The smallest red cell that is looked for, in the image's pixels: below, nothing can be told apart."""

SURE = 0.1
"""The evidence from which there is no doubt that red cells have about that size."""

_STEP = 2.0  # from one scale to the next; the network bears half of it either way
_LEAST = 0.004  # of the evidence; below it there are no red cells
_FEW = 4  # so many cells count for half

Look = Callable[[Image.Image], tuple[np.ndarray, np.ndarray]]
"""An image at the network's scale -> boxes (N, 4) and scores (N,) of red cells."""


def list_diameters(size: tuple[int, int]) -> list[float]:
    """Red-cell diameters to try in an image of `size`, in its pixels, from wide to narrow."""
    widest = max(min(size) / 2, FINEST)
    n = int(np.floor(np.log(widest / FINEST) / np.log(_STEP))) + 1
    return [float(widest / _STEP**i) for i in range(n)]


def crop_middle(image: Image.Image, scale: float) -> Image.Image:
    """The middle of `image`, `scale` times as wide, at most `CROP_SIDE` px a side."""
    sides = [min(side, CROP_SIDE / scale) for side in image.size]
    left, top = ((whole - side) / 2 for whole, side in zip(image.size, sides, strict=True))
    target = (max(32, round(sides[0] * scale)), max(32, round(sides[1] * scale)))
    box = (left, top, left + sides[0], top + sides[1])
    return image.resize(target, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)


def search_diameter(image: Image.Image, look: Look, *, seen: float) -> float | None:
    """The red cells' diameter in `image`, in its pixels; None where no scale shows any.

    seen: the diameter in pixels at which `look` sees best.
    """
    best, found = _LEAST, None
    for diameter in list_diameters(image.size):
        picture = crop_middle(image, seen / diameter)
        boxes, scores = look(picture)
        evidence = weigh(boxes, scores, picture.size)
        if evidence > best and (ruler := measure(boxes, picture.size, scores)) is not None:
            best, found = evidence, ruler.diameter * diameter / seen
        if best > SURE and found is not None and (evidence < best or _is_near(found, diameter)):
            break
    return found


def _is_near(found: float, diameter: float) -> bool:
    """Whether no other scale that is tried is nearer."""
    return bool(abs(np.log(found / diameter)) < np.log(_STEP) / 2)


def weigh(boxes: np.ndarray, scores: np.ndarray, size: tuple[int, int]) -> float:
    """How well red cells come out: the part of the picture that they cover, weighed by score squared."""
    covered = float((scores**2 * diameters_of(boxes) ** 2).sum()) / (size[0] * size[1])
    return covered * len(boxes) / (len(boxes) + _FEW)
