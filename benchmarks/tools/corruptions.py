"""The corruptions of MedMNIST-C for blood cells, five severities each, from the packages of the study alone.

Di Salvo, Doerrich & Ledig 2024, arXiv:2406.17536, with the strengths of their package `medmnistc` 0.1.0 for
BloodMNIST. The package itself cannot be used here: it pins an old scikit-image, calls a function that NumPy
has removed, and needs ImageMagick's library on the machine. What it computes with OpenCV and ImageMagick is
computed here with NumPy and SciPy; only the shapes of its stain deposits, ten pictures, are drawn instead.
"""

import io
from collections.abc import Callable

import numpy as np
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from PIL import Image, ImageDraw, ImageEnhance
from scipy.signal import fftconvolve

from benchmarks.tools.pixels import to_image

__all__ = ["CORRUPTIONS", "Corruption", "N_SEVERITIES", "SIDE"]

SIDE = 224
"""Side of the images that the strengths are made for, px; marks are scattered as densely on larger ones."""

N_SEVERITIES = 5

Corruption = Callable[[Image.Image, int, np.random.Generator], Image.Image]


def _pixelate(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    factor = (0.6, 0.5, 0.4, 0.3, 0.25)[severity]
    small = [int(side * factor) for side in image.size]
    return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BOX)


def _compress(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=(50, 30, 15, 10, 7)[severity])
    return Image.open(file).convert("RGB")


def _defocus(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """A disk as kernel."""
    radius = (2, 3, 4, 5, 6)[severity]
    x = np.arange(-radius, radius + 1)
    disk = (x**2 + x[:, None] ** 2 <= radius**2).astype(float)
    padded = np.pad(np.asarray(image, float), ((radius, radius), (radius, radius), (0, 0)), "reflect")
    return to_image(fftconvolve(padded, disk[..., None] / disk.sum(), "valid", axes=(0, 1)))


def _blur_by_motion(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """Half a Gaussian along a line, as ImageMagick's motion blur."""
    radius, sigma = ((3, 3), (5, 5), (10, 5), (10, 7), (10, 9))[severity]
    angle, steps = np.deg2rad(rng.uniform(-45, 45)), np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    dx, dy = (np.ceil(steps * part(angle) - 0.5).astype(int) for part in (np.cos, np.sin))
    reach, (width, height) = len(steps), image.size
    padded = np.pad(np.asarray(image, np.float32), ((reach, reach), (reach, reach), (0, 0)), "edge")
    blurred = sum(
        weight * padded[reach + y : reach + y + height, reach + x : reach + x + width]
        for weight, x, y in zip(weights / weights.sum(), dx, dy, strict=True)
    )
    return to_image(blurred)


def _enhance(how: type, factors: tuple[float, ...]) -> Corruption:
    """One of Pillow's enhancers, by a factor for each severity."""
    return lambda image, severity, rng: how(image).enhance(factors[severity])


def _saturate(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    colours = rgb_to_hsv(np.asarray(image) / 255)
    colours[..., 1] = np.clip(colours[..., 1] + (0.05, 0.1, 0.15, 0.17, 0.2)[severity], 0, 1)
    return to_image(hsv_to_rgb(colours) * 255)


def _deposit_stain(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """Black blots with ragged outlines, up to three in a square of SIDE, wholly inside the image."""
    blot, most = (32 if severity == 4 else 24), (1, 2, 3, 3, 3)[severity]
    marked = image.copy()
    for _ in range(_scatter(image, rng.integers(1, most + 1), rng)):
        x, y = (rng.integers(10, side - blot - 9) + blot / 2 for side in image.size)
        turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        waves = sum(rng.normal(0, 0.12 / k) * np.cos(k * turns + rng.uniform(0, 7)) for k in range(2, 8))
        radii = blot * np.clip(0.43 + 0.43 * waves, 0.2, 0.5)
        outline = np.stack([x + radii * np.cos(turns), y + radii * np.sin(turns)], axis=1)
        ImageDraw.Draw(marked).polygon([tuple(point) for point in outline], fill="black")
    return marked


def _scatter(image: Image.Image, n: int, rng: np.random.Generator) -> int:
    """How many marks give this image the density of `n` in a square of SIDE; a fraction is left to chance."""
    return int(n * image.width * image.height / SIDE**2 + rng.uniform())


def _add_bubbles(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """White disks that let the cell shine through, with a brighter rim of two pixels."""
    largest, most = ((5, 10), (7, 10), (10, 10), (12, 12), (15, 12))[severity]
    layer = Image.new("RGBA", image.size, (255, 255, 255, 0))
    draw = ImageDraw.Draw(layer)
    for _ in range(_scatter(image, rng.integers(7, most + 1), rng)):
        radius = rng.integers(3, largest + 1)
        x, y = (rng.integers(radius, side - radius + 1) for side in image.size)
        for reach, alpha in ((radius + 2, 130), (radius, 100)):
            box = [int(end) for end in (x - reach, y - reach, x + reach, y + reach)]
            draw.ellipse(box, fill=(255, 255, 255, alpha))
    bubbly = image.copy()
    bubbly.paste(layer, (0, 0), layer)
    return bubbly


CORRUPTIONS: dict[str, Corruption] = {
    "pixelate": _pixelate,
    "jpeg_compression": _compress,
    "defocus_blur": _defocus,
    "motion_blur": _blur_by_motion,
    "brightness_up": _enhance(ImageEnhance.Brightness, (1.1, 1.2, 1.3, 1.35, 1.4)),
    "brightness_down": _enhance(ImageEnhance.Brightness, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "contrast_up": _enhance(ImageEnhance.Contrast, (1.1, 1.15, 1.2, 1.25, 1.3)),
    "contrast_down": _enhance(ImageEnhance.Contrast, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "saturate": _saturate,
    "stain_deposit": _deposit_stain,
    "bubble": _add_bubbles,
}
"""Name in MedMNIST-C -> what makes an RGB image worse: (image, severity from 0 to 4, rng) -> image."""
