"""The window that the classifier sees a cell in: a square, measured in red cells, cut from the original."""

import numpy as np
from PIL import Image

__all__ = ["cut_window", "window_of"]


def window_of(box: np.ndarray, *, diameter: float, width: float) -> tuple[float, float, float, float]:
    """The square about the middle of `box` that is `width` red cells of `diameter` pixels wide."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = width * diameter / 2
    return x - half, y - half, x + half, y + half


def cut_window(image: Image.Image, window: tuple[float, float, float, float], *, size: int) -> Image.Image:
    """The window at `size` px a side. What lies beyond the image is mirrored at its edge."""
    left, top = (int(np.floor(value)) for value in window[:2])
    right, bottom = (int(np.ceil(value)) for value in window[2:])
    inside = (max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height))
    missing = (inside[0] - left, inside[1] - top, right - inside[2], bottom - inside[3])
    if not any(missing):
        return image.resize((size, size), Image.Resampling.BILINEAR, box=window)
    part = np.asarray(image.crop(inside))
    padded = np.pad(part, ((missing[1], missing[3]), (missing[0], missing[2]), (0, 0)), mode="symmetric")
    box = (window[0] - left, window[1] - top, window[2] - left, window[3] - top)
    return Image.fromarray(padded).resize((size, size), Image.Resampling.BILINEAR, box=box)
