"""Augmented images are still images, differ as they should, and stay what they were where they should."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.train.augmentation import (
    Augmentation,
    augment,
    blur,
    jitter_stain,
    mix_styles,
    random_view,
)

STILL = Augmentation(
    share_near=1, near=1, shift=0, stretch=0, rotate=False, stain_probability=0, blur_probability=0,
    coarse_probability=0, noise_probability=0,
)  # fmt: skip


@pytest.fixture
def frames():
    torch.manual_seed(0)
    return torch.nn.functional.interpolate(torch.rand(6, 3, 8, 8), size=64, mode="bicubic").clamp(0, 1)


def test_augmented_images_have_the_size_and_range_of_images(frames):
    x = augment(frames, 32, 0.75, Augmentation())
    assert x.shape == (6, 3, 32, 32)
    assert x.isfinite().all() and x.min() >= 0 and x.max() <= 1


def test_the_same_seed_gives_the_same_batch_and_another_seed_another(frames):
    batches = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        batches.append(augment(frames, 32, 0.75, Augmentation()))
    assert torch.equal(batches[0], batches[1])
    assert not torch.allclose(batches[0], batches[2], atol=0.01)


def test_without_any_change_the_view_is_the_centred_crop_or_its_mirror_image(frames):
    view = random_view(frames, 32, 0.5, STILL)
    centre = frames[:, :, 16:48, 16:48]
    for image, expected in zip(view, centre, strict=True):
        assert min((image - expected).abs().max(), (image - expected.flip(2)).abs().max()) < 1e-4


def test_stain_jitter_leaves_white_white_and_keeps_darker_darker():
    a = Augmentation(white_balance=0, stain_mixing=0, desaturate=0)
    ramp = torch.linspace(0.05, 1, 64).view(1, 1, 1, 64).expand(4, 3, 8, 64)
    jittered = jitter_stain(ramp, a)
    assert torch.allclose(jittered[..., -1], torch.ones(4, 3, 8))
    assert (jittered.diff(dim=3) >= 0).all()


def test_stains_get_stronger_and_weaker_from_image_to_image():
    torch.manual_seed(0)
    still = Augmentation(white_balance=0, stain_mixing=0, desaturate=0, gamma=0)
    jittered = jitter_stain(torch.full((200, 3, 4, 4), 0.5), still).log() / torch.tensor(0.5).log()
    gains = jittered.mean((1, 2, 3)).log()  # of the optical density: exp of two normal numbers
    assert 0.2 < gains.std() < 0.4 and gains.mean().abs() < 0.1


def test_blur_keeps_the_mean_and_lowers_the_contrast(frames):
    blurred = blur(frames, torch.full((6,), 1.5))
    assert torch.allclose(blurred.mean((2, 3)), frames.mean((2, 3)), atol=0.01)
    assert (blurred.std((2, 3)) < frames.std((2, 3))).all()
    assert torch.allclose(blur(frames, torch.zeros(6)), frames, atol=1e-4)


def test_jpeg_keeps_the_cell_and_loses_the_more_the_lower_the_quality(frames):
    torch.manual_seed(1)
    seen = augment(frames, 32, 0.5, STILL)
    losses = []
    for quality in (5, 40, 95):
        torch.manual_seed(1)
        a = replace(STILL, jpeg_probability=1, jpeg_quality=(quality, quality))
        through = augment(frames, 32, 0.5, a)
        losses.append((through - seen).abs().mean().item())
    assert 0.2 > losses[0] > losses[1] > losses[2] > 0


def _styles(x):
    density = -x.clamp(min=1 / 255).log()
    return torch.cat([density.mean((2, 3)), density.std((2, 3))], 1)


def test_mixed_styles_are_between_those_of_two_images_of_the_batch():
    torch.manual_seed(0)
    shapes = torch.nn.functional.interpolate(torch.rand(40, 3, 6, 6), size=48, mode="bicubic").clamp(0, 1)
    tints = torch.tensor([[0.5, 0.3, 0.4], [0.4, 0.5, 0.3]]).repeat(20, 1).view(40, 3, 1, 1)
    x = 0.3 + tints * shapes
    before, after = _styles(x), _styles(mix_styles(x, 1.0))
    assert (after >= before.amin(0) - 0.01).all() and (after <= before.amax(0) + 0.01).all()
    assert ((after - before).abs() > 0.01).any(1).float().mean() > 0.5


def test_mixed_styles_leave_the_picture_and_the_other_images_alone(frames):
    x = 0.2 + 0.6 * frames
    torch.manual_seed(1)
    mixed = mix_styles(x, 0.5)
    same = (mixed == x).flatten(1).all(1)
    assert 0 < same.sum() < len(x)
    for old, new in zip(x, mixed, strict=True):
        for a, b in zip(old.flatten(1), new.flatten(1), strict=True):
            assert torch.corrcoef(torch.stack([a.log(), b.log()]))[0, 1] > 0.99
    assert torch.allclose(mix_styles(x[:1], 1.0), x[:1], atol=1e-5), "alone it has no other colours to take"


def test_an_image_of_one_colour_stays_one(frames):
    flat = torch.full_like(frames[:1], 0.5) + 0.001 * torch.randn(1, 3, 64, 64)
    torch.manual_seed(2)
    assert mix_styles(torch.cat([flat, frames]), 1.0)[0].std((1, 2)).max() < 0.1
