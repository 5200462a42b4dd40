"""Augmented images are still images, differ as they should, and stay what they were where they should."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.train.augmentation import Augmentation, augment, blur, jitter_stain, random_view

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
