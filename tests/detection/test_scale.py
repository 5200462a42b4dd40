"""The scale is that at which red cells come out best; without red cells there is none."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from blood_lib.detection.scale import CROP_SIDE, crop_middle, list_diameters, search_diameter


def look_for(true: float, image: Image.Image) -> Callable:
    """A detector that sees the red cells of `image`, `true` px wide, where they come to 20 to 40 px."""
    scales = iter(28 / diameter for diameter in list_diameters(image.size))

    def look(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        width = true * next(scales)
        if not 20 <= width <= 40:
            return np.zeros((0, 4)), np.zeros(0)
        axes = (np.arange(width, side - width, 1.5 * width) for side in picture.size)
        middles = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
        boxes = np.concatenate([middles - width / 2, middles + width / 2], 1)
        return boxes, np.full(len(boxes), 1 - abs(np.log(width / 28)) / 2)

    return look


@pytest.mark.parametrize("true", [11.0, 47.0, 104.0])
def test_the_diameter_is_found_whatever_it_is(true):
    image = Image.new("RGB", (640, 480))
    assert search_diameter(image, look_for(true, image), seen=28) == pytest.approx(true, rel=0.01)


def test_no_red_cells_have_no_diameter():
    nothing = np.zeros((0, 4)), np.zeros(0)
    assert search_diameter(Image.new("RGB", (640, 480)), lambda _: nothing, seen=28) is None


def test_a_look_is_never_larger_than_a_crop_middle_and_shows_the_middle():
    image = Image.new("RGB", (3000, 2000))
    image.paste((255, 255, 255), (1400, 900, 1600, 1100))
    assert crop_middle(image, 0.05).size == (150, 100)
    fine = crop_middle(image, 2.0)
    assert fine.size == (CROP_SIDE, CROP_SIDE) and np.asarray(fine).min() == 255


def test_scales_go_from_wide_to_narrow_by_a_factor_of_two():
    diameters = list_diameters((640, 480))
    assert diameters[0] == 240 and 7 <= diameters[-1] < 14
    assert np.diff(np.log2(diameters)) == pytest.approx(-1)
