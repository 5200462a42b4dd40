"""How wide a red cell is in a field, from all that speaks of it; the images of one upload are read together.

What red cells are seen is for `detection`; DESIGN's rule: without a scale no cell of a field is `ok`.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from blood_lib.detection.ruler import RED_CELL_UM, Ruler, agree

__all__ = ["AGREED", "GIVEN", "OWN", "SOURCES", "TAG", "UNKNOWN", "Scale", "UploadScale"]

GIVEN, OWN, AGREED, TAG, UNKNOWN = SOURCES = ("given", "ruler", "agreed", "tag", "unknown")
"""Where a scale comes from: a person, the field's red cells, those of all fields, the file, or nowhere."""

TOLERANCE = 0.15
"""How far two sources may differ before the scale is in doubt."""
_ENOUGH_FIELDS = 3  # from which on all fields together know better than one


@dataclass(frozen=True)
class Scale:
    """The scale of one image."""

    diameter: float | None  # of a red cell, in the image's pixels; None: unknown
    source: str = UNKNOWN  # one of SOURCES
    doubtful: bool = False  # two sources differ by more than TOLERANCE

    @property
    def um_per_pixel(self) -> float | None:
        """Micrometres, by a red cell of RED_CELL_UM."""
        return None if self.diameter is None else RED_CELL_UM / self.diameter


class UploadScale:
    """Settles the scale of one image after the other, in their order.

    Images of the same size come from the same camera: their red cells are taken together.
    """

    def __init__(self, pixel_size: float | None = None) -> None:
        """pixel_size: of every image in micrometres, where a person has given it."""
        self._given = None if pixel_size is None else RED_CELL_UM / pixel_size
        self._rulers: dict[tuple[int, int], list[Ruler]] = defaultdict(list)

    def add(self, size: tuple[int, int], ruler: Ruler | None) -> None:
        """Take what was measured in a field of `size` (width, height) into account."""
        if ruler is not None and ruler.is_sound:
            self._rulers[size].append(ruler)

    def agreed(self, size: tuple[int, int]) -> Ruler | None:
        """What the fields of `size` agree on so far."""
        return agree(self._rulers[size], tolerance=TOLERANCE)

    def settle(self, size: tuple[int, int], ruler: Ruler | None, *, pixel_size: float | None = None) -> Scale:
        """The scale of an image of `size`; pixel_size: what its file says, in micrometres."""
        own = ruler.diameter if ruler is not None and ruler.is_sound else None
        if self._given is not None:
            return Scale(self._given, GIVEN, doubtful=own is not None and _differ(own, self._given))
        agreed = self.agreed(size)
        if agreed is not None and (own is None or agreed.n_fields >= _ENOUGH_FIELDS):
            return Scale(agreed.diameter, AGREED, doubtful=own is not None and _differ(own, agreed.diameter))
        if own is not None:
            return Scale(own, OWN)
        return Scale(None) if pixel_size is None else Scale(RED_CELL_UM / pixel_size, TAG)


def _differ(a: float, b: float) -> bool:
    return bool(abs(np.log(a / b)) > np.log1p(TOLERANCE))
