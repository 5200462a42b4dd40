"""The learning-free finder that the detector is measured against: Otsu's thresholds on darkness and on blue.

Stained cells absorb green; nuclei absorb red, too, which leaves them blue, and red cells hardly do.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from blood_lib.bundle import NAMED, RULER
from blood_lib.detection.edges import find_border, mark_cut
from blood_lib.detection.found import Found, Kind
from blood_lib.detection.regions import find_regions, otsu
from blood_lib.detection.ruler import measure

__all__ = ["find_cells"]

_SIDE = 480  # of the picture that is looked at, px
_NEARBY = 32  # how far away the background is looked for, px of that picture
_LEAST_BLUE = 0.12  # of a nucleus, beyond that of the background, in optical density
_NUCLEUS = 0.4  # the least area of a nucleus, in red cells
_WIDEST = 3.2  # the widest nucleus, in red cells
_GAP = 0.15  # between the lobes of one nucleus, in red cells
_RIM = 0.22  # of cytoplasm about a nucleus, in red cells


def find_cells(image: Image.Image, kinds: Sequence[Kind]) -> Found:
    """Nuclei become the first kind that is named, round cells without one the ruler's."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
    density = _absorb(small)
    inside = _find_inside(small)
    dark, blue = density[..., 1], density[..., 0] - 0.5 * density[..., 2]
    is_nucleus = inside & (dark > otsu(dark[inside])) & (blue > max(otsu(blue[inside]), _LEAST_BLUE))
    others = inside & ~is_nucleus
    red = _find_round(others & (dark > otsu(dark[others])) if others.any() else others)
    ruler = measure(red, small.size)
    diameter = ruler.diameter if ruler and ruler.is_sound else min(small.size) / 5
    white = _find_nuclei(is_nucleus, diameter)
    return _describe(image, small, kinds, white, red)


def _absorb(image: Image.Image) -> np.ndarray:
    """(h, w, 3) optical density against the background, which is the brightest part nearby."""
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(1)), np.float32)
    coarse = image.reduce(4)
    for _ in range(_NEARBY // 4):
        coarse = coarse.filter(ImageFilter.MaxFilter(5))
    light = coarse.filter(ImageFilter.GaussianBlur(_NEARBY / 4)).resize(image.size, Image.Resampling.BILINEAR)
    return -np.log(np.maximum(pixels, 4) / np.maximum(np.asarray(light, np.float32), 4))


def _find_inside(image: Image.Image) -> np.ndarray:
    border = find_border(image)
    if border is None:
        return np.ones(image.size[::-1], bool)
    return ~np.asarray(Image.fromarray(border).resize(image.size))


def _find_round(mask: np.ndarray) -> np.ndarray:
    """Boxes of regions as round as a cell, about as large as those that cover most."""
    boxes, areas = find_regions(_fill(mask))
    sides = boxes[:, 2:] - boxes[:, :2]
    filled = areas / np.maximum(sides.prod(1), 1)
    is_round = (filled > 0.65) & (filled < 0.87) & (sides.max(1) < 1.4 * sides.min(1)) & (sides.min(1) > 5)
    boxes, areas = boxes[is_round], areas[is_round]
    order = np.argsort(areas)
    middle = areas[order][np.searchsorted(areas[order].cumsum(), areas.sum() / 2)] if len(boxes) else 0
    return boxes[(areas > 0.4 * middle) & (areas < 2.5 * middle)]


def _fill(mask: np.ndarray) -> np.ndarray:
    """`mask` with its holes: what does not hang together with the edge."""
    outside = Image.fromarray(np.pad(mask, 1).astype(np.uint8)).copy()  # floodfill does not write to a view
    ImageDraw.floodfill(outside, (0, 0), 2)
    return np.asarray(outside)[1:-1, 1:-1] != 2


def _find_nuclei(mask: np.ndarray, diameter: float) -> np.ndarray:
    """Boxes of the cells whose nuclei are in `mask`, their lobes put together."""
    gap = max(1, round(_GAP * diameter / 2)) * 2 + 1
    spread = np.asarray(Image.fromarray((255 * mask).astype(np.uint8)).filter(ImageFilter.MaxFilter(gap))) > 0
    boxes, _ = find_regions(spread)
    grown = (gap - 1) / 2
    boxes = boxes + np.array([grown, grown, -grown, -grown], np.float32)
    areas = np.array([mask[int(t) : int(b), int(le) : int(r)].sum() for le, t, r, b in boxes])
    sides = boxes[:, 2:] - boxes[:, :2]
    is_nucleus = (areas > _NUCLEUS * np.pi / 4 * diameter**2) & (sides.max(1, initial=0) < _WIDEST * diameter)
    rim = _RIM * diameter
    return boxes[is_nucleus] + np.array([-rim, -rim, rim, rim], np.float32)


def _describe(
    image: Image.Image, small: Image.Image, kinds: Sequence[Kind], white: np.ndarray, red: np.ndarray
) -> Found:
    named, ruler = (next(i for i, kind in enumerate(kinds) if kind.role == role) for role in (NAMED, RULER))
    factor = image.width / small.width
    boxes = np.clip(np.concatenate([white, red]), 0, [*small.size] * 2).astype(np.float32) * factor
    which = np.repeat([named, ruler], [len(white), len(red)])
    is_cut = mark_cut(boxes, image.size, find_border(image), margin=factor)
    scores = np.full(len(boxes), 0.5, np.float32)
    return Found(image.size, kinds, boxes, which, scores, is_cut, measure(boxes[which == ruler], image.size))
