"""Which cells are cut: by the image's edge, or by the black border of a round eyepiece view."""

import numpy as np
from PIL import Image, ImageChops

from blood_lib.detection.boxes import touches_edge

__all__ = ["find_border", "mark_cut"]

_SIDE = 256  # of the small picture in which the border is looked for, px
_BLACK = 32  # the brightest that a border is, of 255
_LEAST = 0.02  # the share of an image that a border takes; less is none
_INSIDE = 0.03  # the share of a box that may lie in the border


def find_border(image: Image.Image) -> np.ndarray | None:
    """(h, w) bool, the black part of a small picture of `image` that hangs on its edge; or None."""
    scale = min(1.0, _SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if not _has_black_rim(image, int(np.ceil(1 / scale))):
        return None
    small = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    black = _brightest(small) < _BLACK
    border = np.zeros_like(black)
    border[[0, -1]], border[:, [0, -1]] = black[[0, -1]], black[:, [0, -1]]
    while True:
        grown = _grow(border) & black
        if (grown == border).all():
            return border if border.mean() >= _LEAST else None
        border = grown


def _has_black_rim(image: Image.Image, depth: int) -> bool:
    """Whether any pixel up to `depth` from the edge is black; most often none is, and so no border."""
    width, height = image.size
    rows = [(0, 0, width, depth), (0, height - depth, width, height)]
    columns = [(0, 0, depth, height), (width - depth, 0, width, height)]
    return any(_brightest(image.crop(strip)).min() < _BLACK for strip in rows + columns)


def _brightest(image: Image.Image) -> np.ndarray:
    """(h, w) uint8: of each pixel the highest of its colours."""
    red, green, blue = image.split()
    return np.asarray(ImageChops.lighter(red, ImageChops.lighter(green, blue)))


def _grow(mask: np.ndarray) -> np.ndarray:
    """With each pixel its four neighbours."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown


def mark_cut(
    boxes: np.ndarray, size: tuple[int, int], border: np.ndarray | None, *, margin: float
) -> np.ndarray:
    """(N,) bool: within `margin` pixels of the edge of an image of `size`, or partly in its black border."""
    cut = touches_edge(boxes, size, margin=margin)
    if border is None or not len(boxes):
        return cut
    sums = np.pad(border.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    height, width = border.shape
    scale = np.array([width / size[0], height / size[1]] * 2)
    corners = np.round(boxes * scale + [-0.5, -0.5, 0.5, 0.5]).astype(int)
    left, top, right, bottom = np.clip(corners, 0, [width, height] * 2).T
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return cut | (inside > _INSIDE * np.maximum((right - left) * (bottom - top), 1))
