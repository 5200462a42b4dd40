"""A photograph of a whole field as the page keeps it, and the boxes of the cells in it; no widgets.

What was found in it is said by the core (`FieldReading`); the cells that are named are `Cell`s of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blood_lib.inference.results import FieldReading

__all__ = ["SCREEN_SIDE", "Box", "Field"]

SCREEN_SIDE = 1600
"""The largest side of a field's picture for the screen, px."""

Box = tuple[float, float, float, float]
"""x, y, width and height in the pixels of the field's own file."""


@dataclass(frozen=True, eq=False)
class Field:
    """One field. Both contents are empty where a review was saved without images."""

    id: int
    name: str
    reading: FieldReading  # what the detector found, whatever people do
    content: bytes = field(repr=False)  # a picture of it for the screen
    original: bytes = field(default=b"", repr=False)  # the file, for cells to be cut from; b"": not kept

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the file's image."""
        return self.reading.found.size

    @property
    def um_per_pixel(self) -> float | None:
        """Micrometres; None where the scale is unknown."""
        return self.reading.scale.um_per_pixel

    @property
    def photograph(self) -> bytes:
        """What cells can be cut from: the file, or a picture of the same size; b"" where neither was kept."""
        whole = max(self.size) <= SCREEN_SIDE
        return self.original or (self.content if whole else b"")
