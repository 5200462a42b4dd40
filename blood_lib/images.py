"""The only door for pixels: files, images and arrays become 8-bit RGB images, or a `Rejection`.

Finding and reading files is for `files`; its `iter_files` and `iter_zip` are offered here too. What an image
shows is for `inference`.
"""

import os
import threading
from contextlib import nullcontext, suppress
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

from blood_lib.files import iter_files, read_file
from blood_lib.files.archives import Rejection, iter_zip
from blood_lib.files.reasons import Reason
from blood_lib.files.resolution import find_pixel_size

__all__ = [
    "SOURCES",
    "Rejection",
    "Source",
    "crop_and_resize",
    "iter_files",
    "iter_zip",
    "load_image",
    "read_pixel_size",
]

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF")
MIN_SIDE = 16
MAX_PIXELS = 40_000_000
LARGE_PIXELS = 8_000_000  # what has more is decoded one at a time

Source: TypeAlias = bytes | str | os.PathLike[str] | Image.Image | np.ndarray
SOURCES = (bytes, str, os.PathLike, Image.Image, np.ndarray)

_MOST_OF_16_BITS = 65535
_LEAST_OF_16_BITS = 4096  # an image of 16 bits whose maximum is lower holds 12 bits
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _PLANAR = 258, 284  # TIFF tags
_MOST_LEVELS = 16  # of a pyramid
_TOO_MANY_PIXELS = Reason("pixels", {"limit": MAX_PIXELS // 10**6})
_ONE_LARGE = threading.Lock()
Image.core.set_block_size(64 * 2**20)  # so large that glibc gives a block back, not keeps it for the thread


def load_image(source: Source) -> Image.Image | Rejection:
    """The image in a file or its content, or another image: RGB, 8 bit, 16 px a side to 40 megapixels.

    source: a path, the bytes of an image file, a PIL image of any mode, or an array (H, W), (H, W, 3) or
    (H, W, 4) of uint8, uint16, bool, or floats in [0, 1]. It is turned upright by its EXIF tag. CMYK is
    converted, 16 bits are scaled to 8, transparency is laid on white; colour profiles are ignored. Raises
    TypeError for any other type.
    """
    if not isinstance(source, SOURCES):
        raise TypeError(f"{type(source).__name__} is no image: give a path, bytes, a PIL image or an array.")
    try:
        if isinstance(source, np.ndarray):
            return _from_array(source)
        if isinstance(source, Image.Image):
            return _from_pillow(source)
        return _from_file(source if isinstance(source, bytes) else read_file(Path(source)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Rejection(_TOO_MANY_PIXELS)
    except Exception:  # a hostile file can make the decoders raise anything
        return Rejection(Reason("damaged"))


def read_pixel_size(source: bytes | Image.Image) -> float | None:
    """The side of a pixel in micrometres, as the file says; None where it does not, or cannot be."""
    if isinstance(source, Image.Image):
        return find_pixel_size(source)
    with suppress(Exception), Image.open(BytesIO(source), formats=FORMATS) as image:
        return find_pixel_size(image)
    return None  # `load_image` says what is wrong with it


def _from_file(content: bytes | Rejection) -> Image.Image | Rejection:
    if isinstance(content, Rejection):
        return content
    if not content:
        return Rejection(Reason("empty"))
    try:
        opened = Image.open(BytesIO(content), formats=FORMATS)
    except Image.UnidentifiedImageError:
        is_tiff = content.startswith(_TIFF_STARTS)
        return Rejection(Reason("odd_tiff") if is_tiff else Reason("no_image"))
    with opened as image:
        _seek_largest(image)
        if fault := _find_fault(image):
            return fault
        if image.mode in ("I", "F"):
            return Rejection(Reason("deep"))
        with _ONE_LARGE if image.width * image.height > LARGE_PIXELS else nullcontext():
            return _decode(image, in_place=True)


def _from_pillow(image: Image.Image) -> Image.Image | Rejection:
    """The image itself stays as it is."""
    if fault := _find_fault(image):
        return fault
    if image.mode == "I":
        values = np.asarray(image)
        fits = values.min() >= 0 and values.max() <= _MOST_OF_16_BITS
        return _from_array(values.astype(np.uint16)) if fits else Rejection(Reason("deep"))
    return _from_array(np.asarray(image)) if image.mode == "F" else _decode(image, in_place=False)


def _from_array(values: np.ndarray) -> Image.Image | Rejection:
    if values.ndim not in (2, 3) or values.shape[2:] not in ((), (3,), (4,)):
        return Rejection(Reason("array_shape", {"shape": str(values.shape)}))
    if fault := _find_fault_in_size(values.shape[1], values.shape[0]):
        return fault
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "f" and values.min() >= 0 and values.max() <= 1:  # not so where a NaN is among them
        values = np.round(255 * values)
    elif kind == "b":
        values = 255 * values.astype(np.uint8)
    elif kind == "u" and size == 2:
        if values.max() < _LEAST_OF_16_BITS:
            return Rejection(Reason("dark"))
        values = values // 257
    elif kind != "u" or size != 1:
        return Rejection(Reason("array_values", {"dtype": str(values.dtype)}))
    return _to_rgb(Image.fromarray(values.astype(np.uint8)))


def _seek_largest(image: Image.Image) -> None:
    """To the largest page of a pyramid: a TIFF whose pages are one image, smaller and smaller."""
    n = getattr(image, "n_frames", 1)
    if image.format != "TIFF" or not 1 < n <= _MOST_LEVELS:
        return
    sizes = []
    for i in range(n):
        image.seek(i)
        sizes.append(image.size)
    widths, shapes = sorted({width for width, _ in sizes}), [width / height for width, height in sizes]
    is_pyramid = len(widths) == n and max(shapes) < 1.1 * min(shapes)
    image.seek(sizes.index(max(sizes)) if is_pyramid else 0)
    image.info["is_pyramid"] = is_pyramid


def _find_fault(image: Image.Image) -> Rejection | None:
    """What the headers already say against an image; no pixel has been decoded yet."""
    if fault := _find_fault_in_size(*image.size):
        return fault
    if getattr(image, "is_animated", False) and not (image.format == "MPO" or image.info.get("is_pyramid")):
        return Rejection(Reason("frames"))  # MPO: a camera's JPEG with a preview
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PLANAR) == 2 and max(tags.get(_BITS, (8,))) > 8:  # Pillow decodes it wrongly, and silently
        return Rejection(Reason("planes"))
    return None


def _find_fault_in_size(width: int, height: int) -> Rejection | None:
    if width * height > MAX_PIXELS:
        return Rejection(_TOO_MANY_PIXELS)
    if min(width, height) < MIN_SIDE:
        return Rejection(Reason("small", {"width": width, "height": height, "limit": MIN_SIDE}))
    return None


def _decode(image: Image.Image, *, in_place: bool) -> Image.Image | Rejection:
    is_deep = image.mode.startswith("I;") or ";16" in str(getattr(image, "tile", [])[:1])  # 16 bits a sample
    image.load()
    with suppress(Exception):  # a damaged EXIF block is no reason to refuse sound pixels
        if in_place:
            ImageOps.exif_transpose(image, in_place=True)
        else:
            image = ImageOps.exif_transpose(image)
    image = _to_rgb(image)
    if is_deep and int(np.max(image.getextrema())) < _LEAST_OF_16_BITS // 256:
        return Rejection(Reason("dark"))
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    """As few copies as can be: one of 40 megapixels is 160 MB."""
    if image.mode.startswith("I;"):
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "La":  # Pillow converts it to nothing else
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        if not image.getchannel("A").getextrema()[1]:  # a channel that nobody filled: nothing would be seen
            return image.convert("RGB")
        white = Image.new("RGB", image.size, "white")
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
