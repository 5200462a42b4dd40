"""The only door for pixels: bytes or a path become an 8-bit RGB image, or a `Rejection` with its reason.

Where files lie is for `files.py` and `archives.py`, offered here too; what it shows is for `inference.py`.
"""

import threading
from contextlib import nullcontext, suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from blood_lib.files import iter_files, read_file
from blood_lib.files.archives import Rejection, iter_zip
from blood_lib.files.reasons import Reason

__all__ = ["Rejection", "crop_and_resize", "iter_files", "iter_zip", "load_image"]

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF")
MIN_SIDE = 16
MAX_PIXELS = 40_000_000
LARGE_PIXELS = 8_000_000  # what has more is decoded one at a time

_TOO_MANY_PIXELS = Reason("pixels", {"limit": MAX_PIXELS // 10**6})
_ONE_LARGE = threading.Lock()
Image.core.set_block_size(64 * 2**20)  # so large that glibc gives a block back, not keeps it for the thread


def load_image(source: bytes | Path) -> Image.Image | Rejection:
    """The image in a file or its content: RGB, 8 bit, upright by its EXIF tag, 16 px a side to 40 megapixels.

    CMYK is converted, 16-bit grey scaled to 8 bit, transparency laid on white; colour profiles are ignored.
    """
    content = read_file(source) if isinstance(source, Path) else source
    if isinstance(content, Rejection):
        return content
    if not content:
        return Rejection(Reason("empty"))
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if fault := _find_fault(image):
                return fault
            with _ONE_LARGE if image.width * image.height > LARGE_PIXELS else nullcontext():
                return _decode(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Rejection(_TOO_MANY_PIXELS)
    except Image.UnidentifiedImageError:
        return Rejection(Reason("no_image"))
    except Exception:  # a hostile file can make the decoders raise anything
        return Rejection(Reason("damaged"))


def _find_fault(image: Image.Image) -> Rejection | None:
    """What the headers already say against an image; no pixel has been decoded yet."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        return Rejection(_TOO_MANY_PIXELS)
    if min(width, height) < MIN_SIDE:
        return Rejection(Reason("small", {"width": width, "height": height, "limit": MIN_SIDE}))
    if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a camera's JPEG with a preview
        return Rejection(Reason("frames"))
    if image.mode in ("I", "F"):
        return Rejection(Reason("deep"))
    return None


def _decode(image: Image.Image) -> Image.Image | Rejection:
    is_deep = image.mode.startswith("I;") or ";16" in str(image.tile[:1])  # 16 bits a sample
    image.load()
    with suppress(Exception):  # a damaged EXIF block is no reason to refuse sound pixels
        ImageOps.exif_transpose(image, in_place=True)
    image = _to_rgb(image)
    if is_deep and max(high for _, high in image.getextrema()) < 4096 // 256:
        return Rejection(Reason("dark"))
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    """As few copies as can be: one of 40 megapixels is 160 MB."""
    if image.mode.startswith("I;"):
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGB", image.size, "white")
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        white.paste(image, mask=image)
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def crop_and_resize(image: Image.Image, *, image_size: int, crop: float) -> Image.Image:
    """The centred square of side `crop` * the shorter side of `image`, resized to `image_size` px a side."""
    width, height = image.size
    side = crop * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((image_size, image_size), Image.Resampling.BILINEAR, box=box)
