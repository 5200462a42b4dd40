"""Small pictures for the screen, made from an image's bytes or a heat map; leaves decoding to `images.py`."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from blood_lib.dashboard.state.fields import SCREEN_SIDE
from blood_lib.images import Rejection, load_image

__all__ = [
    "display_image",
    "field_picture",
    "heat_overlay",
    "image_size",
    "keep_picture",
    "preview",
    "shrink",
    "thumbnail",
]

KEEP_BYTES = 400_000  # a file up to this size is kept as it came; a larger one as a smaller copy
DISPLAY_SIDE = 640
ORIENTATION = 0x0112  # the EXIF tag
# From dark blue to light yellow, on a straight line in Oklab (bottosson.github.io/posts/oklab): equal steps
# look equal, and lighter is more, so that it reads in grey and for every kind of colour vision.
HEAT = (
    (0, 24, 84), (24, 53, 93), (53, 78, 100), (84, 104, 105), (115, 129, 108),
    (149, 155, 108), (183, 182, 105), (219, 209, 98), (255, 236, 84),
)  # fmt: skip


def shrink(content: bytes | Rejection) -> bytes:
    """The content itself when it is small, or else a JPEG of at most DISPLAY_SIDE pixels a side."""
    if isinstance(content, Rejection):
        return b""
    return content if len(content) <= KEEP_BYTES else display_image(content)


def display_image(content: bytes) -> bytes:
    """A JPEG for the large view, at most DISPLAY_SIDE pixels a side; empty when the content is no image.

    For no content at all, as in a review that was saved without images, a drawn stand-in.
    """
    if not content:
        return _draw_placeholder(DISPLAY_SIDE // 2)
    image = load_image(content)
    if isinstance(image, Rejection):
        return b""
    image.thumbnail((DISPLAY_SIDE, DISPLAY_SIDE), Image.Resampling.LANCZOS)
    return _encode(image, "JPEG", quality=92)


def keep_picture(image: Image.Image) -> bytes:
    """A JPEG of a cell that was cut out of a larger image."""
    return _encode(image, "JPEG", quality=92)


def field_picture(content: bytes, image: Image.Image) -> bytes:
    """A JPEG of a whole field, at most SCREEN_SIDE pixels a side; the file itself where that is one.

    image: what `content` holds, decoded and upright.
    """
    if max(image.size) <= SCREEN_SIDE and _is_upright_jpeg(content):
        return content
    small = image.copy()
    small.thumbnail((SCREEN_SIDE, SCREEN_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return _encode(small, "JPEG", quality=88)


def _is_upright_jpeg(content: bytes) -> bool:
    with Image.open(BytesIO(content)) as image:
        return image.format == "JPEG" and image.mode == "RGB" and image.getexif().get(ORIENTATION, 1) == 1


def preview(content: bytes, side: int) -> bytes:
    """A JPEG of the whole picture, `side` pixels wide or high; a stand-in where there is none."""
    image = load_image(content) if content else None
    if image is None or isinstance(image, Rejection):
        return _draw_placeholder(side)
    image.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return _encode(image, "JPEG", quality=82)


def thumbnail(content: bytes, side: int) -> bytes:
    """A JPEG of the middle square, `side` pixels a side; empty, or a stand-in, as above."""
    if not content:
        return _draw_placeholder(side)
    image = load_image(content)
    if isinstance(image, Rejection):
        return b""
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    box = (left, top, left + short, top + short)
    image = image.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    return _encode(image, "JPEG", quality=82)


@cache
def _draw_placeholder(side: int) -> bytes:
    """A pale disc with a ring of dashes: something was here."""
    image = Image.new("RGB", (side, side), "#ececf0")
    pen, unit = ImageDraw.Draw(image), side / 16
    pen.ellipse((4 * unit, 4 * unit, 12 * unit, 12 * unit), fill="#d8d8e0")
    for start in range(0, 360, 30):
        box = (3 * unit, 3 * unit, 13 * unit, 13 * unit)
        pen.arc(box, start, start + 15, fill="#8a8a98", width=max(1, round(unit / 3)))
    return _encode(image, "JPEG", quality=82)


def heat_overlay(heat: np.ndarray) -> bytes:
    """A PNG to lay over the image; heat: (H, W) in [0, 1].

    It covers the cold as much as the hot: laid over light and dark alike, what is hotter is then lighter.
    """
    stops = np.linspace(0, 1, len(HEAT))
    channels = [np.interp(heat, stops, channel) for channel in zip(*HEAT, strict=True)]
    return _encode(Image.fromarray(np.rint(np.stack(channels, axis=-1)).astype(np.uint8)), "PNG")


def image_size(content: bytes) -> tuple[int, int]:
    """(width, height) of a picture made here; (1, 1) of none."""
    if not content:
        return 1, 1
    with Image.open(BytesIO(content)) as image:
        return image.size


def _encode(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
