"""What an image file says of its scale: the resolution tags of TIFF, PNG and JPEG, ImageJ's and OME's words.

Most files say 72 or 96 dots an inch, which is no microscope's; so only what can be one's is believed.
"""

import re

from PIL import Image

__all__ = ["find_pixel_size"]

_PLAUSIBLE = (0.01, 4.0)  # micrometres
_UM_PER_INCH = 25_400.0
_DESCRIPTION, _X_RESOLUTION, _UNIT = 270, 282, 296  # TIFF tags
_UM_PER_UNIT = {2: _UM_PER_INCH, 3: 10_000.0}  # of TIFF: inch, centimetre
_NAMED_UNITS = {"nm": 1e-3, "um": 1.0, "micron": 1.0, "microns": 1.0, "mm": 1e3, "cm": 1e4}
_MOST_WORDS = 1 << 16  # of a description that is read
_OME_SIZE = re.compile(r'PhysicalSizeX="([0-9.eE+-]+)"')
_OME_UNIT = re.compile(r'PhysicalSizeXUnit="([^"]*)"')
_IMAGEJ_UNIT = re.compile(r"^unit=(\S+)", re.MULTILINE)


def find_pixel_size(image: Image.Image) -> float | None:
    """The side of a pixel in micrometres; None where the file does not say. Only headers are read."""
    description, resolution, unit = _read_tags(image)
    for size in (_read_ome(description), _read_imagej(description, resolution), _divide(unit, resolution)):
        if size is not None and _PLAUSIBLE[0] <= size <= _PLAUSIBLE[1]:
            return size
    return _read_dpi(image)


def _read_tags(image: Image.Image) -> tuple[str, float, float]:
    """Description, pixels per unit, and the unit in micrometres (0: none is named) of a TIFF."""
    tags = getattr(image, "tag_v2", {})
    description = str(tags.get(_DESCRIPTION, ""))[:_MOST_WORDS].replace("\\u00B5", "u").replace("\u00b5", "u")
    unit = _UM_PER_UNIT.get(tags.get(_UNIT, 0), 0.0)
    return description.replace("\u03bc", "u"), float(tags.get(_X_RESOLUTION, 0) or 0), unit


def _read_ome(description: str) -> float | None:
    size, unit = _OME_SIZE.search(description), _OME_UNIT.search(description)
    if not size:
        return None
    factor = _NAMED_UNITS.get(unit.group(1), 0.0) if unit else 1.0  # OME: micrometres where no unit is named
    return float(size.group(1)) * factor


def _read_imagej(description: str, resolution: float) -> float | None:
    unit = _IMAGEJ_UNIT.search(description)
    return _divide(_NAMED_UNITS.get(unit.group(1), 0.0), resolution) if unit else None


def _divide(unit: float, resolution: float) -> float | None:
    return unit / resolution if resolution > 0 and unit > 0 else None


def _read_dpi(image: Image.Image) -> float | None:
    dpi = image.info.get("dpi", (0,))
    size = _divide(_UM_PER_INCH, float(dpi[0]))
    return size if size is not None and _PLAUSIBLE[0] <= size <= _PLAUSIBLE[1] else None
