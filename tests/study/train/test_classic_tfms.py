"""fastai's transforms: what each leaves alone, and what it must change."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.train.classic_tfms import TFMS, build_change


@pytest.fixture
def x():
    """32 images that are dark in one corner and bright in the opposite one."""
    ramp = torch.linspace(0.2, 0.8, 32)
    return ((ramp + ramp[:, None]) / 2).expand(32, 3, 32, 32).contiguous()


@pytest.fixture(autouse=True)
def _seed():
    import random

    random.seed(0)
    torch.manual_seed(0)


@pytest.mark.parametrize("name", TFMS)
def test_a_change_keeps_shape_and_range_and_is_a_plain_tensor(name, x):
    before = x.clone()
    y = build_change(name, 32)(x)
    assert y.shape == x.shape and type(y) is torch.Tensor
    assert y.min() >= 0 and y.max() <= 1
    assert torch.equal(x, before)
    assert torch.equal(y, x) == (name == "none")


def test_a_flip_only_moves_pixels(x):
    y = build_change("vertical flip", 32)(x)
    assert torch.allclose(y.flatten(1).sort().values, x.flatten(1).sort().values, atol=1e-5)


def test_black_corners_are_black_and_reflection_fills_them(x):
    assert (build_change("rotation 45, black corners", 32)(x) < 0.1).any()
    assert (build_change("rotation 45, reflection", 32)(x) > 0.15).all()


def test_brightness_keeps_every_pixel_in_its_place(x):
    y = build_change("brightness 0.2", 32)(x)
    assert (y.flatten(1).argmax(1) == x.flatten(1).argmax(1)).all()


def test_each_image_of_a_batch_is_cropped_in_a_place_of_its_own(x):
    y = build_change("random crop and scale", 32)(x)
    assert len({image.numpy().tobytes() for image in y}) > len(y) / 2


def test_a_zoom_shows_less_of_the_frame(x):
    spread = lambda images: (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).mean()  # noqa: E731
    assert spread(build_change("zoom 2", 32)(x)) < spread(x) - 0.05
