"""Focus falls the more a cell is blurred, and hardly depends on light and contrast."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from blood_lib.images import crop_and_resize
from blood_lib.inference.focus import measure_focus
from blood_lib.study.painter import draw_cell


def focus_of(image: Image.Image) -> float:
    return measure_focus(np.asarray(crop_and_resize(image, image_size=160, crop=0.75)))


@pytest.fixture(scope="module")
def cell() -> Image.Image:
    return draw_cell("neutrophil", seed=3)


def test_the_more_blur_the_less_focus(cell):
    values = [focus_of(cell.filter(ImageFilter.GaussianBlur(sigma))) for sigma in (0, 2, 4, 8)]
    assert values == sorted(values, reverse=True) and values[0] > 3 * values[2] and values[3] < 0.02


def test_light_and_contrast_matter_little(cell):
    for change in (ImageEnhance.Brightness(cell).enhance(0.7), ImageEnhance.Contrast(cell).enhance(0.7)):
        assert focus_of(change) == pytest.approx(focus_of(cell), rel=0.5)


def test_an_empty_picture_is_not_sharp():
    assert focus_of(Image.new("RGB", (360, 360), "white")) == 0
