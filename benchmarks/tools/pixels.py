"""Arrays of numbers as images."""

import numpy as np
from PIL import Image

__all__ = ["to_image"]


def to_image(pixels: np.ndarray) -> Image.Image:
    """Grey (H, W) or RGB (H, W, 3) of any type, cut off at 0 and 255."""
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
