"""What the network should say of a view: heat maps, boxes, and where nobody knows.

Where not every cell of a kind is boxed, only the boxed ones count: the rest of that kind's map is left out.
"""

from dataclasses import dataclass

import numpy as np

from blood_lib.detection.detector import STRIDE
from blood_lib.study.detect.fields import KINDS

__all__ = ["Targets", "build_targets"]

_SPREAD = 0.11  # of a cell's bump in its heat map, as a share of its sides
_CORE = 0.5  # the share of a box's sides in which no other kind's middle lies


@dataclass(frozen=True, eq=False)
class Targets:
    """Of one view, or with a first axis for the view of a batch."""

    heat: np.ndarray
    """(K, h, w) float32, 1 at the middle of a cell."""
    known: np.ndarray
    """(K, h, w) float32, 0 where nobody knows whether a cell is there."""
    boxes: np.ndarray
    """(K, 4, h, w) float32: left, top, right, bottom in strides, where `heat` is at least a half."""


def build_targets(
    boxes: np.ndarray,
    kinds: np.ndarray,
    size: int,
    *,
    boxed: tuple[int, ...],
    doubtful: np.ndarray | None = None,
) -> Targets:
    """Targets of a view of `size` px a side.

    boxed: the kinds of which each cell has a box; doubtful: (N,) bool, boxes that are neither cell nor none.
    """
    side = size // STRIDE
    heat = np.zeros((len(KINDS), side, side), np.float32)
    known = np.zeros_like(heat)
    known[list(boxed)] = 1
    maps = np.zeros((len(KINDS), 4, side, side), np.float32)
    axis = np.arange(side) + 0.5
    order = np.argsort(-(boxes[:, 2:] - boxes[:, :2]).prod(1))  # small ones last, over the large
    for i in order:
        box, kind = boxes[i] / STRIDE, kinds[i]
        if doubtful is not None and doubtful[i]:
            _window(known[kind], box, 1.0)[:] = 0
            continue
        bump = _bump(box, axis)
        higher = bump > heat[kind]
        heat[kind][higher] = bump[higher]
        maps[kind][:, higher] = box[:, None]
        for other in set(range(len(KINDS))) - set(boxed) - {int(kind)}:
            _window(known[other], box, _CORE)[:] = 1
    known[heat > 0.05] = 1
    return Targets(heat, known, maps)


def _bump(box: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(h, w): a Gaussian about the map's cell that holds the middle of `box`, 1 there."""
    middle, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    at = np.floor(middle) + 0.5
    sigma = np.maximum(_SPREAD * sides, 0.45)
    along_x, along_y = (np.exp(-(((axis - at[k]) / sigma[k]) ** 2) / 2) for k in (0, 1))
    return (along_y[:, None] * along_x[None]).astype(np.float32)


def _window(values: np.ndarray, box: np.ndarray, share: float) -> np.ndarray:
    """The part of a map (h, w) below the middle `share` of `box`, a view."""
    middle, half = (box[:2] + box[2:]) / 2, share * (box[2:] - box[:2]) / 2
    (left, top), (right, bottom) = np.maximum(np.floor(middle - half), 0), np.ceil(middle + half)
    return values[int(top) : max(int(bottom), 0), int(left) : max(int(right), 0)]
