"""From the network's maps to boxes: peaks of the heat maps, and the box that the network gives each.

The maps of one image are heat (K, h, w), how likely the middle of a cell of each kind is there, and
boxes (4 K, h, w): of each kind the way from the map's cell to the box's middle in strides, x and y, and the
logarithm of the box's width and height in strides (Zhou et al. 2019, arXiv:1904.07850, with a box per kind).
"""

import numpy as np

from blood_lib.detection.boxes import suppress

__all__ = ["OVERLAP", "decode", "find_peaks"]

OVERLAP = 0.45
"""Boxes of one kind that share more are one cell."""


def find_peaks(heat: np.ndarray) -> np.ndarray:
    """(K, h, w) bool: no neighbour is higher."""
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    highest = np.maximum(np.maximum(rows[:, :, :-2], rows[:, :, 1:-1]), rows[:, :, 2:])
    return heat >= highest


def decode(
    heat: np.ndarray, maps: np.ndarray, *, stride: int, lowest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """boxes (N, 4) in the pixels of what the network saw, kinds (N,) int and scores (N,), best first.

    Peaks below `lowest` are none.
    """
    kinds, rows, columns = np.nonzero(find_peaks(heat) & (heat >= lowest))
    scores = heat[kinds, rows, columns]
    shift_x, shift_y, width, height = maps.reshape(len(heat), 4, *heat.shape[1:])[kinds, :, rows, columns].T
    x, y = columns + 0.5 + shift_x, rows + 0.5 + shift_y
    half_width, half_height = np.exp(width) / 2, np.exp(height) / 2
    boxes = stride * np.stack([x - half_width, y - half_height, x + half_width, y + half_height], 1)
    stays = _suppress_each(boxes, kinds, scores)
    return boxes[stays].astype(np.float32), kinds[stays], scores[stays].astype(np.float32)


def _suppress_each(boxes: np.ndarray, kinds: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Non-maximum suppression within each kind; indices of what stays, best first."""
    found = [np.zeros(0, int)]
    for kind in np.unique(kinds):
        of_kind = np.flatnonzero(kinds == kind)
        found.append(of_kind[suppress(boxes[of_kind], scores[of_kind], limit=OVERLAP)])
    stays = np.concatenate(found)
    return stays[np.argsort(-scores[stays], kind="stable")]
