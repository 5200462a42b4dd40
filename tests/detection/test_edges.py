"""What the image's edge or the black border of a round view cuts is marked, and nothing else."""

import numpy as np
from PIL import Image

from blood_lib.detection.edges import find_border, mark_cut


def round_view(side: int = 400, radius: int = 190) -> Image.Image:
    axis = np.arange(side) - side / 2
    inside = np.hypot(axis[None], axis[:, None]) < radius
    return Image.fromarray((np.stack([inside] * 3, -1) * np.array([230, 200, 210])).astype(np.uint8))


def test_a_round_view_has_a_border_and_a_dark_cell_is_none():
    image = round_view()
    image.paste((10, 0, 20), (180, 180, 220, 220))
    border = find_border(image)
    assert border[0, 0] and not border[128, 128]
    assert find_border(Image.new("RGB", (300, 200), "white")) is None


def test_cells_at_the_border_are_cut():
    boxes = np.array([[180, 180, 220, 220], [180, 2, 220, 40], [50, 50, 80, 80], [360, 180, 400, 220]], float)
    border = find_border(round_view())
    assert mark_cut(boxes, (400, 400), border, margin=1).tolist() == [False, True, True, True]
    assert mark_cut(boxes, (400, 400), None, margin=1).tolist() == [False, False, False, True]
