"""A file of an upload while its results come: one cell's image, or a field that cells are cut out of.

It is decoded at most once, and let go with its last result. What the results say is for the core.
"""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image

from blood_lib.dashboard.state import Cell, Field, known
from blood_lib.dashboard.widgets.pictures import field_picture, keep_picture, shrink
from blood_lib.detection.ruler import RED_CELL_UM
from blood_lib.images import Rejection, load_image
from blood_lib.inference import Result
from blood_lib.inference.fields import cut_picture

__all__ = ["KEEP_BYTES", "Opened", "build_cell", "count_kept", "name_cell"]

KEEP_BYTES = 128 * 2**20
"""Of all fields' files together: twenty photographs of 12 megapixels, or hundreds of small ones."""


class Opened:
    """One file, and the field that it shows, if it shows one."""

    def __init__(self, content: bytes | Rejection):
        self._content = content
        self._image: Image.Image | None = None
        self.field: Field | None = None

    def picture(self, result: Result) -> bytes:
        """The image of a cell, as large as the page needs it."""
        image = None if result.window is None else self._decode()
        if image is None:
            return shrink(self._content)
        return keep_picture(cut_picture(image, known(result.window)))

    def read(self, identity: int, result: Result, *, room: int) -> Field:
        """The field that `result` comes from; room: how many bytes of the file may be kept."""
        content = self._content if isinstance(self._content, bytes) else b""
        image = self._decode()
        picture = b"" if image is None else field_picture(content, image)
        original = content if len(content) <= room and picture is not content else b""
        self.field = Field(identity, result.name, known(result.field), picture, original)
        return self.field

    def _decode(self) -> Image.Image | None:
        if self._image is None and isinstance(self._content, bytes):
            image = load_image(self._content)
            self._image = None if isinstance(image, Rejection) else image
        return self._image


def count_kept(fields: Iterable[Field]) -> int:
    """The bytes of the files that are kept beside their pictures."""
    return sum(len(field.original) for field in fields)


def build_cell(
    identity: int,
    result: Result,
    content: bytes,
    place: tuple[float, float] | None,
    *,
    field: int | None,
    window: float | None,
) -> Cell:
    """A cell that nobody has looked at yet; window: the side of what is classified, in red cells."""
    has_scale = result.window is not None and (
        result.field is None or result.field.scale.um_per_pixel is not None
    )
    um_wide = window * RED_CELL_UM if window is not None and has_scale else None
    return Cell(
        identity, name_cell(result), result, content, place, field=field, box=result.box, um_wide=um_wide
    )


def name_cell(result: Result) -> str:
    """What people read: the file's name, and the cell's number where the file shows several."""
    return result.name if result.cell is None else f"{result.name} · {result.cell}"
