"""Boxes as plain arrays: (N, 4) float32, left, top, right and bottom in pixels.

Which of them are cells is for `decode` and `detector`.
"""

import numpy as np

__all__ = ["centres_of", "compute_iou", "diameters_of", "find_overlaps", "suppress", "touches_edge"]

_AT_ONCE = 2048  # boxes that are compared with others: a large field holds tens of thousands


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


def find_overlaps(boxes: np.ndarray, *, limit: float) -> np.ndarray:
    """(P, 2) int: the pairs of boxes whose intersection over union is larger than `limit`, each pair once.

    Only boxes that share columns are compared, so memory grows with their number, not with its square.
    """
    order = np.argsort(boxes[:, 0], kind="stable")
    left, right = boxes[order, 0], boxes[order, 2]
    found = [np.zeros((0, 2), int)]
    for start in range(0, len(order), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(order)))
        counts = np.maximum(np.searchsorted(left, right[rows]) - rows - 1, 0)
        first = np.repeat(rows, counts)
        nth = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
        pairs = np.stack([order[first], order[first + 1 + nth]], 1)
        found.append(pairs[_iou_of(boxes, pairs) > limit])
    return np.concatenate(found)


def _iou_of(boxes: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    a, b = boxes[pairs[:, 0]], boxes[pairs[:, 1]]
    shared = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0).prod(1)
    union = diameters_of(a) ** 2 + diameters_of(b) ** 2 - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def suppress(boxes: np.ndarray, scores: np.ndarray, *, limit: float) -> np.ndarray:
    """Non-maximum suppression: indices of the boxes that stay, best first.

    A box goes where a better one overlaps it by more than `limit` (intersection over union).
    """
    order = np.argsort(-scores, kind="stable")
    pairs = np.sort(find_overlaps(boxes[order], limit=limit), axis=1)
    stays = np.ones(len(order), bool)
    for better, worse in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if stays[better]:
            stays[worse] = False
    return order[stays]


def touches_edge(boxes: np.ndarray, size: tuple[int, int], *, margin: float) -> np.ndarray:
    """(N,) bool: comes within `margin` pixels of the edge of an image of `size` (width, height)."""
    low = boxes[:, :2] <= margin
    high = boxes[:, 2:] >= np.array(size) - margin
    return np.asarray((low | high).any(axis=1))
