"""Boxes as plain arrays: (N, 4) float32, left, top, right and bottom in pixels.

Which of them are cells is for `decode` and `detector`.
"""

import numpy as np

__all__ = ["centres_of", "compute_iou", "diameters_of", "suppress", "touches_edge"]


def centres_of(boxes: np.ndarray) -> np.ndarray:
    """(N, 2) x and y."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def diameters_of(boxes: np.ndarray) -> np.ndarray:
    """(N,) of the circle that is as large as the ellipse in the box: the geometric mean of its sides."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.sqrt(sides.prod(1))


def compute_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, M) intersection over union of each of `a` with each of `b`."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(2)
    union = diameters_of(a)[:, None] ** 2 + diameters_of(b)[None] ** 2 - shared
    return shared / np.maximum(union, 1e-9)


def suppress(boxes: np.ndarray, scores: np.ndarray, *, limit: float) -> np.ndarray:
    """Non-maximum suppression: indices of the boxes that stay, best first.

    A box goes where a better one overlaps it by more than `limit` (intersection over union).
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = compute_iou(boxes[order], boxes[order]) > limit
    stays = np.ones(len(order), bool)
    for i in range(len(order)):
        if stays[i]:
            stays[i + 1 :] &= ~overlaps[i, i + 1 :]
    return order[stays]


def touches_edge(boxes: np.ndarray, size: tuple[int, int], *, margin: float) -> np.ndarray:
    """(N,) bool: comes within `margin` pixels of the edge of an image of `size` (width, height)."""
    low = boxes[:, :2] <= margin
    high = boxes[:, 2:] >= np.array(size) - margin
    return np.asarray((low | high).any(axis=1))
