"""Images that are no blood cell: what a visitor might drop by mistake, from packages or drawn here.

Each source is either to choose a score on or to report on, never both. What a classifier makes of them is for
`ood_detection`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.tools.pixels import to_image

__all__ = ["Source", "draw_sources"]

SIDE = 200  # of what is drawn, px
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "clock", "coffee", "coins", "rocket")
TEXTURES = ("brick", "grass", "gravel")
TISSUE = ("immunohistochemistry", "retina")  # medical, even stained
SKY = ("hubble_deep_field", "moon")
DOCUMENTS = ("page", "text")
DRAWINGS = ("checkerboard", "colorwheel", "logo", "shepp_logan_phantom")
SLIDE_COLOURS = ((235, 215, 205), (240, 235, 235), (225, 190, 195), (205, 200, 225))  # background, no cell


@dataclass(frozen=True, eq=False)
class Source:
    """Images of one kind."""

    name: str
    to_choose: bool  # else to report
    images: list[Image.Image]


def draw_sources(n: int, *, seed: int = 0) -> list[Source]:
    """About `n` RGB images of each source; the same seed gives the same images. Needs scikit-learn's and
    scikit-image's own pictures, and no network.
    """
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(seed)
    china, flower = load_sample_images().images
    return [
        Source("photograph of a temple", True, _crop_all([china], n, rng)),
        Source("handwritten digits", True, list(_draw_digits(n, rng))),
        Source("uniform noise", True, [to_image(rng.integers(0, 256, (SIDE, SIDE, 3))) for _ in range(n)]),
        Source("one colour", True, [_fill(rng.integers(0, 256, 3)) for _ in range(n)]),
        Source("drawn text", True, _crop_all([_draw_text()], n, rng)),
        Source("photograph of a flower", False, _crop_all([flower], n, rng)),
        Source("other photographs", False, _crop_all(_load(PHOTOGRAPHS), n, rng)),
        Source("textures", False, _crop_all(_load(TEXTURES), n, rng)),
        Source("tissue and retina", False, _crop_all(_load(TISSUE), n, rng)),
        Source("sky and moon", False, _crop_all(_load(SKY), n, rng)),
        Source("printed documents", False, _crop_all(_load(DOCUMENTS), n, rng)),
        Source("drawings", False, _crop_all(_load(DRAWINGS), n, rng)),
        Source("drawn forms", False, [_draw_form(rng) for _ in range(n)]),
        Source("clouds of colour", False, [_draw_clouds(rng) for _ in range(n)]),
        Source("empty slides", False, [_draw_slide(rng) for _ in range(n)]),
        Source("random blobs", False, list(_draw_blobs(n, rng))),
    ]


def _load(names: Sequence[str]) -> list[np.ndarray]:
    """Pictures that scikit-image ships, (H, W, 3) uint8 each."""
    from skimage import data
    from skimage.util import img_as_ubyte

    pictures = [img_as_ubyte(getattr(data, name)()) for name in names]
    return [np.asarray(Image.fromarray(picture).convert("RGB")) for picture in pictures]


def _crop_all(pictures: Sequence[np.ndarray], n: int, rng: np.random.Generator) -> list[Image.Image]:
    """n squares in all, the pictures (H, W, 3) taking turns, each turned by chance."""
    return [_crop(pictures[i % len(pictures)], rng) for i in range(n)]


def _crop(picture: np.ndarray, rng: np.random.Generator) -> Image.Image:
    side = int(rng.uniform(0.3, 1) * min(picture.shape[:2]))
    top, left = (rng.integers(0, length - side + 1) for length in picture.shape[:2])
    square = picture[top : top + side, left : left + side]
    return to_image(np.rot90(square, rng.integers(4)))


def _fill(colour: Sequence[int]) -> Image.Image:
    return Image.new("RGB", (SIDE, SIDE), tuple(map(int, colour)))


def _draw_digits(n: int, rng: np.random.Generator) -> Iterator[Image.Image]:
    from sklearn.datasets import load_digits

    digits = load_digits().images
    for i in rng.choice(len(digits), n):
        grey = to_image(255 - digits[i] * 255 / 16).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        yield grey.convert("RGB")


def _draw_text() -> np.ndarray:
    page = Image.new("RGB", (600, 600), "white")
    for line in range(30):
        text = "the quick brown fox jumps over the lazy dog " * 2
        ImageDraw.Draw(page).text((20, 20 * line), text, "black")
    return np.asarray(page)


def _draw_form(rng: np.random.Generator) -> Image.Image:
    """A table with a coloured head, ruled lines and some numbers."""
    form = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(form)
    draw.rectangle((0, 0, SIDE, 30), fill=tuple(map(int, rng.integers(60, 220, 3))))
    for y in range(30, SIDE, int(rng.integers(18, 34))):
        draw.line((0, y, SIDE, y), fill="grey")
        draw.text((10, y + 4), f"{rng.integers(1_000_000)}   {rng.uniform():.3f}", "black")
    for x in rng.integers(20, SIDE - 20, 2):
        draw.line((int(x), 30, int(x), SIDE), fill="grey")
    return form


def _draw_clouds(rng: np.random.Generator) -> Image.Image:
    small = to_image(rng.integers(0, 256, (8, 8, 3)))
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _draw_slide(rng: np.random.Generator) -> Image.Image:
    """Background as between cells: one of its colours, unevenly lit, with the camera's noise."""
    colour = np.array(SLIDE_COLOURS[rng.integers(len(SLIDE_COLOURS))])
    light = 1 + np.linspace(-0.05, 0.05, SIDE)[:, None, None] * rng.normal()
    return to_image(colour * light + rng.normal(0, rng.uniform(1, 6), (SIDE, SIDE, 3)))


def _draw_blobs(n: int, rng: np.random.Generator) -> Iterator[Image.Image]:
    """Black and white shapes of scikit-image, in two colours by chance."""
    from skimage.data import binary_blobs

    for _ in range(n):
        share, size = rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.2)
        blobs = binary_blobs(SIDE, blob_size_fraction=size, volume_fraction=share, rng=rng)
        yield to_image(rng.integers(0, 256, (2, 3))[blobs.astype(int)])
