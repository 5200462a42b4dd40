"""The only door for pixels: bytes or a path become an 8-bit RGB image, or a `Rejection` with its reason.

Where files lie is for `files.py` and `archives.py`, offered here too; what it shows is for `inference.py`.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from blood_lib.archives import Rejection, iter_zip
from blood_lib.files import iter_files, read_file

__all__ = ["Rejection", "crop_and_resize", "iter_files", "iter_zip", "load_image"]

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF")
MIN_SIDE = 16
MAX_PIXELS = 40_000_000

_NOT_AN_IMAGE = "not an image that can be read: give JPEG, PNG, BMP, TIFF, WebP or GIF files."
_TOO_MANY_PIXELS = f"more than {MAX_PIXELS // 10**6} megapixels: crop the cells out of it or save it smaller."
_DAMAGED = "the image is damaged or incomplete: export or download it again."


def load_image(source: bytes | Path) -> Image.Image | Rejection:
    """The image in a file or its content: RGB, 8 bit, upright by its EXIF tag, 16 px a side to 40 megapixels.

    CMYK is converted, 16-bit grey scaled to 8 bit, transparency laid on white; colour profiles are ignored.
    """
    content = read_file(source) if isinstance(source, Path) else source
    if isinstance(content, Rejection):
        return content
    if not content:
        return Rejection("the file is empty: export or download it again.")
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Rejection(_TOO_MANY_PIXELS)
    except Image.UnidentifiedImageError:
        return Rejection(_NOT_AN_IMAGE)
    except Exception:  # a hostile header can make the decoders raise anything
        return Rejection(_DAMAGED)
    with image:
        return _find_fault(image) or _decode(image)


def _find_fault(image: Image.Image) -> Rejection | None:
    """What the header already says against an image; nothing has been decoded yet."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        return Rejection(_TOO_MANY_PIXELS)
    if min(width, height) < MIN_SIDE:
        return Rejection(f"only {width}x{height} pixels: a cell needs at least {MIN_SIDE} a side.")
    if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a camera's JPEG with a preview
        return Rejection("several frames or pages in one file: save each as an image of its own.")
    return None


def _decode(image: Image.Image) -> Image.Image | Rejection:
    try:
        image.load()
        return _to_rgb(_turn_upright(image))
    except Exception:  # as above: the content is a stranger's
        return Rejection(_DAMAGED)


def _turn_upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block is no reason to refuse sound pixels
        return image.copy()


def _to_rgb(image: Image.Image) -> Image.Image | Rejection:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.asarray(image)
        if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
            return Rejection("pixels of 32 bits: save the image with 8 or 16 bits.")
        return Image.fromarray((values.astype(np.uint32) // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def crop_and_resize(image: Image.Image, *, image_size: int, crop: float) -> Image.Image:
    """The centred square of side `crop` * the shorter side of `image`, resized to `image_size` px a side."""
    width, height = image.size
    side = crop * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((image_size, image_size), Image.Resampling.BILINEAR, box=box)
