"""From files to what the network sees: one view for a picture of one cell, one for each cell of a field.

What the network says of a view is for `classifier`; what a field holds for `fields`.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from PIL import Image

from blood_lib.bundle import NAMED, Preprocessing
from blood_lib.detection.boxes import centres_of, diameters_of
from blood_lib.detection.upload_scale import Scale
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection, Source, crop_and_resize, load_image, read_pixel_size
from blood_lib.inference.decoding import decode_ahead
from blood_lib.inference.fields import CellPicture, FieldReader, Look, cut_picture
from blood_lib.inference.focus import measure_focus
from blood_lib.inference.results import Box, FieldReading, Result
from blood_lib.inference.sources import Named

__all__ = ["Shown", "ViewMaker", "prepare"]

Reopen: TypeAlias = Callable[[], Image.Image | Rejection]


@dataclass(frozen=True, eq=False)
class Shown:
    """What the network sees of one cell, and what its answer is about; the rest as in `Result`."""

    name: str
    view: np.ndarray  # (S, S, 3) uint8
    reopen: Reopen  # gives the picture that the view is of
    side: float
    cell: int | None = None
    box: Box | None = None
    window: Box | None = None
    diameter_um: float | None = None
    field: FieldReading | None = None

    @property
    def focus(self) -> float:
        """How sharp the view is."""
        return measure_focus(self.view)


@dataclass(frozen=True, eq=False)
class _Seen:
    """An image, decoded: its look, and the view where it is a picture of one cell."""

    look: Look | None
    view: np.ndarray | None = None
    side: float = math.inf
    window: Box | None = None
    diameter_um: float | None = None


def prepare(image: Image.Image, how: Preprocessing, *, crop: float | None = None) -> np.ndarray:
    """(S, S, 3) uint8: what the network sees of an image, or of another `crop` of it."""
    return np.asarray(crop_and_resize(image, image_size=how.image_size, crop=crop or how.crop))


class ViewMaker:
    """Makes views of the files of one upload, in their order."""

    def __init__(self, how: Preprocessing, reader: FieldReader | None) -> None:
        """reader: None where every image is a picture of one cell."""
        self._how, self._reader = how, reader

    def iter_views(self, files: Iterable[Named], batch_size: int) -> Iterator[list[Shown | Result]]:
        """Views and the rejected, at most `batch_size` at once."""
        for batch in decode_ahead(files, self._decode, batch_size):
            waiting: list[Shown | Result] = []
            for one in self._unfold(batch):
                waiting.append(one)
                if len(waiting) == batch_size:
                    yield waiting
                    waiting = []
            yield waiting

    def show_cell(self, name: str, picture: CellPicture, field: FieldReading, cell: int) -> Shown:
        """The view of a cell of a field."""
        view = prepare(picture.image, self._how)
        about = (cell, picture.box, picture.window, picture.diameter_um, field)
        side = picture.window[2] - picture.window[0]
        return Shown(name, view, lambda: picture.image, side, *about)

    # --- on any thread ---

    def _decode(self, content: Source | Rejection) -> _Seen | Rejection:
        image = content if isinstance(content, Rejection) else load_image(content)
        if isinstance(image, Rejection):
            return image
        if self._reader is None:
            return _Seen(None, prepare(image, self._how), min(image.size))
        told = read_pixel_size(content) if isinstance(content, bytes | Image.Image) else None
        look = self._reader.look(image, pixel_size=told)
        return _Seen(look) if look.is_field else self._show_crop(image, look, self._reader)

    def _show_crop(self, image: Image.Image, look: Look, reader: FieldReader) -> _Seen:
        scale = reader.settle_crop(look)
        window = look.window(reader.window, scale)
        side = min(image.size) if window is None else window[2] - window[0]
        view = prepare(_cut(image, window), self._how)
        return _Seen(look, view, side, window, _measure_cell(look, scale))

    # --- in their order ---

    def _unfold(
        self, batch: Sequence[tuple[str, Source | Rejection, _Seen | Rejection]]
    ) -> Iterator[Shown | Result]:
        for _, _, seen in batch:
            if isinstance(seen, _Seen) and seen.view is None and self._reader and seen.look:
                self._reader.add(seen.look)
        for name, content, seen in batch:
            if isinstance(seen, Rejection):
                yield Result(name, "rejected", seen.reason)
            elif seen.view is not None:
                reopen = partial(_reopen, content, seen.window)
                yield Shown(
                    name,
                    seen.view,
                    reopen,
                    seen.side,
                    window=seen.window,
                    diameter_um=seen.diameter_um,
                )
            elif self._reader is not None and seen.look is not None:
                yield from self._unfold_field(name, content, seen.look, self._reader)

    def _unfold_field(
        self, name: str, content: Source | Rejection, look: Look, reader: FieldReader
    ) -> Iterator[Shown | Result]:
        image = _reopen(content, None)
        if isinstance(image, Rejection):  # as when memory has run out meanwhile
            yield Result(name, "rejected", image.reason)
            return
        field, n = reader.settle(name, look, image), 0
        for n, picture in enumerate(reader.cut(field, image), 1):
            yield self.show_cell(name, picture, field, n)
        if not n:
            yield Result(name, "rejected", Reason("no_cell"), field=field)


def _reopen(content: Source | Rejection, window: Box | None) -> Image.Image | Rejection:
    image = content if isinstance(content, Rejection) else load_image(content)
    return image if isinstance(image, Rejection) else _cut(image, window)


def _cut(image: Image.Image, window: Box | None) -> Image.Image:
    return image if window is None else cut_picture(image, window)


def _measure_cell(look: Look, scale: Scale) -> float | None:
    """The width in micrometres of the cell in the middle of a crop."""
    found = look.found
    boxes = found.boxes[found.with_role(NAMED)]
    if scale.um_per_pixel is None or not len(boxes):
        return None
    away = np.abs(centres_of(boxes) - np.array(found.size) / 2).max(1)
    return float(diameters_of(boxes)[away.argmin()]) * scale.um_per_pixel
