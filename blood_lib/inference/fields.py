"""Whole fields within an upload: what is a field, which cells it holds, and the picture of each cell.

Finding cells is for `detection`, naming them for `classifier`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from blood_lib.bundle import NAMED
from blood_lib.detection.boxes import diameters_of
from blood_lib.detection.detector import Detector
from blood_lib.detection.found import Found
from blood_lib.detection.ruler import RED_CELL_UM
from blood_lib.detection.upload_scale import GIVEN, TOLERANCE, Scale, UploadScale
from blood_lib.detection.windows import cut_window, window_of
from blood_lib.files.errors import BloodError
from blood_lib.inference.results import Box, FieldReading

__all__ = [
    "CELLS",
    "FIELDS",
    "KINDS",
    "PIXEL_SIZES",
    "CellPicture",
    "FieldReader",
    "Look",
    "check_kind",
    "cut_cell",
    "cut_picture",
    "scale_of_cell",
]

CELLS, FIELDS = KINDS = ("cells", "fields")
"""What images may be said to be."""

PICTURE_SIDE = 360
"""The largest side of a cell's picture, px."""

_CELL_WIDTH = 1.85  # of a white cell in red cells: what its window rests on where there is no scale
PIXEL_SIZES = (0.01, 10.0)  # micrometres, of any microscope


@dataclass(frozen=True, eq=False)
class Look:
    """What is seen in one image, whatever the others of its upload show."""

    found: Found
    is_field: bool
    pixel_size: float | None  # what the file says, in micrometres

    def window(self, width: float, scale: Scale) -> Box | None:
        """The square of a crop that is `width` red cells wide; None: the crop as it is shows as much."""
        if scale.diameter is None:
            return None
        shown = min(self.found.size) / scale.diameter
        if abs(np.log(shown / width)) <= np.log1p(TOLERANCE):
            return None
        box = np.array([0, 0, *self.found.size], float)
        return window_of(box, diameter=scale.diameter, width=width)


@dataclass(frozen=True, eq=False)
class CellPicture:
    """A cell of a field, cut out of it."""

    box: Box  # x, y, width, height
    window: Box  # left, top, right, bottom
    image: Image.Image
    diameter_um: float | None


class FieldReader:
    """Reads the images of one upload; `look` may run on any thread, `settle` must see them in their order."""

    def __init__(
        self,
        detector: Detector,
        window: float,
        *,
        kind: str | None = None,
        pixel_size: float | None = None,
    ) -> None:
        """window: the side that one cell is seen in, in red cells; kind and pixel_size: see `Classifier`."""
        self._detector, self.window, self._kind = detector, window, kind
        self._given, self._scales = pixel_size, UploadScale(pixel_size)

    def look(self, image: Image.Image, *, pixel_size: float | None = None) -> Look:
        """Find the cells of one image; pixel_size: what its file says."""
        if self._kind == FIELDS:
            return Look(self._detector(image), True, pixel_size)
        found = self._detector(image, crop_width=self.window)
        return Look(found, self._kind is None and not found.shows_one_cell(), pixel_size)

    def settle_crop(self, look: Look) -> Scale:
        """The scale of a picture of one cell: by what it shows itself."""
        return UploadScale(self._given).settle(look.found.size, look.found.ruler, pixel_size=look.pixel_size)

    def add(self, look: Look) -> None:
        """Take a field's ruler into account, before any field of its batch is settled."""
        self._scales.add(look.found.size, look.found.ruler)

    def settle(self, name: str, look: Look, image: Image.Image) -> FieldReading:
        """The field at its scale; it is looked at again where the other fields know its scale better."""
        found = look.found
        scale = self._scales.settle(found.size, found.ruler, pixel_size=look.pixel_size)
        if scale.diameter is not None and (found.ruler is None or not found.ruler.is_sound):
            found = self._detector(image, diameter=scale.diameter)
        return FieldReading(name, found, scale)

    def cut(self, field: FieldReading, image: Image.Image) -> Iterator[CellPicture]:
        """Each whole cell that the classifier names, row by row."""
        named = field.found.boxes[field.found.with_role(NAMED) & ~field.found.is_cut]
        for box in named[_order(named)]:
            yield cut_cell(image, box, field.scale, self.window)


def cut_cell(image: Image.Image, box: np.ndarray, scale: Scale, width: float) -> CellPicture:
    """The cell in `box` (left, top, right, bottom) of a field, in a window of `width` red cells."""
    diameter = float(diameters_of(box[None])[0])
    window = window_of(box, diameter=scale.diameter or diameter / _CELL_WIDTH, width=width)
    left, top, right, bottom = (float(value) for value in box)
    um = None if scale.um_per_pixel is None else diameter * scale.um_per_pixel
    return CellPicture((left, top, right - left, bottom - top), window, cut_picture(image, window), um)


def scale_of_cell(box: np.ndarray, diameter_um: float | None) -> Scale:
    """The scale of a field in which the cell in `box` is `diameter_um` micrometres wide."""
    if diameter_um is None:
        return Scale(None)
    return Scale(float(diameters_of(box[None])[0]) * RED_CELL_UM / diameter_um, GIVEN)


def cut_picture(image: Image.Image, window: Box) -> Image.Image:
    """What lies in `window`, in the image's own pixels up to PICTURE_SIDE a side."""
    return cut_window(image, window, size=min(PICTURE_SIDE, max(1, round(window[2] - window[0]))))


def _order(boxes: np.ndarray) -> np.ndarray:
    """As one reads: from the top, and from the left where cells lie side by side."""
    if not len(boxes):
        return np.zeros(0, int)
    height = max(float(np.median(boxes[:, 3] - boxes[:, 1])), 1.0)
    rows = np.floor((boxes[:, 1] + boxes[:, 3]) / 2 / height)
    return np.lexsort((boxes[:, 0], rows))


def check_kind(kind: str | None, pixel_size: float | None) -> None:
    """BloodError where images cannot be of this kind, or pixels not of this size in micrometres."""
    if kind is not None and kind not in KINDS:
        raise BloodError(f"{kind!r} is no kind of image: say {CELLS} or {FIELDS}, or leave it out.")
    low, high = PIXEL_SIZES
    if pixel_size is not None and not low <= pixel_size <= high:
        raise BloodError(
            f"a pixel of {pixel_size:g} micrometres cannot be: give its side in the smear, "
            f"from {low:g} to {high:g} micrometres."
        )
