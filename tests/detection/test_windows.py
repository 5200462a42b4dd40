"""A window has its size in red cells, its cell in the middle, and a mirror beyond the edge."""

import numpy as np
import pytest
from PIL import Image

from blood_lib.detection.windows import cut_window, window_of


def dotted(x: int, y: int) -> Image.Image:
    """A black picture with a white dot of 6 px."""
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[y - 3 : y + 3, x - 3 : x + 3] = 255
    return Image.fromarray(pixels)


def test_a_window_is_as_wide_as_it_is_told_in_red_cells():
    left, top, right, bottom = window_of(np.array([10, 20, 30, 60]), diameter=10, width=4)
    assert (left, top, right, bottom) == (0, 20, 40, 60)


@pytest.mark.parametrize("middle", [(150, 100), (4, 100), (297, 196)])
def test_the_cell_is_in_the_middle_wherever_it_lies(middle):
    x, y = middle
    window = window_of(np.array([x - 3, y - 3, x + 3, y + 3]), diameter=10, width=6)
    crop = np.asarray(cut_window(dotted(x, y), window, size=60))
    assert crop.shape == (60, 60, 3)
    assert crop[28:32, 28:32].min() == 255 and crop[:20].max() == 0


def test_beyond_the_edge_lies_its_mirror_image():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    crop = np.asarray(cut_window(Image.fromarray(pixels), (-10, 0, 10, 20), size=20))
    assert (crop[:, :10] == crop[:, :9:-1]).all()
