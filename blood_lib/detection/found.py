"""What is found in a field: kinds of cells with their roles, boxes, scores, and the field's ruler."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blood_lib.bundle import NAMED, RULER
from blood_lib.detection.boxes import centres_of
from blood_lib.detection.ruler import Ruler

__all__ = ["Found", "Kind"]


@dataclass(frozen=True)
class Kind:
    """One kind of cell that a detector finds."""

    name: str
    role: str  # one of bundle.ROLES
    lowest: float = 0.4
    """The score from which it is found."""


@dataclass(frozen=True, eq=False)
class Found:
    """The cells of one field, best first."""

    size: tuple[int, int]
    """The image's width and height."""
    kinds: Sequence[Kind]
    boxes: np.ndarray
    """(N, 4) float32: left, top, right, bottom in the image's pixels."""
    which: np.ndarray
    """(N,) int: places in `kinds`."""
    scores: np.ndarray
    """(N,) float32 in [0, 1]."""
    is_cut: np.ndarray
    """(N,) bool: cut by the edge, so not counted."""
    ruler: Ruler | None

    def __len__(self) -> int:
        return len(self.boxes)

    def with_role(self, role: str) -> np.ndarray:
        """(N,) bool."""
        roles = np.array([kind.role == role for kind in self.kinds], bool)
        return roles[self.which]

    def shows_one_cell(self) -> bool:
        """Whether this is the picture of one cell, not a field.

        It is at most `WIDEST_CROP` red cells wide, where a ruler is sound, and shows at most one named cell.
        A cell that is no ruler lies in the middle, unless none is to be named.
        """
        named = np.flatnonzero(self.with_role(NAMED) & ~self.is_cut)
        wide = (
            self.ruler is not None
            and self.ruler.is_sound
            and (max(self.size) > WIDEST_CROP * self.ruler.diameter)
        )
        if wide or (self.scores[named[1:]] >= FURTHER).any():
            return False
        return not len(named) or bool((self._is_central() & ~self.with_role(RULER)).any())

    def has_sure_middle(self) -> bool:
        """Whether one cell that is no ruler surely lies in the middle."""
        return bool((self._is_central() & ~self.with_role(RULER) & (self.scores >= SURE)).any())

    def _is_central(self) -> np.ndarray:
        away = np.abs(centres_of(self.boxes) / np.array(self.size) - 0.5)
        return np.asarray(away.max(1) <= OFF_CENTRE)


WIDEST_CROP = 6.2
"""In red cells."""
SURE = 0.6
"""The score from which there is no doubt about a cell in the middle."""
FURTHER = 0.75
"""The score from which a further named cell makes it a picture of several."""
OFF_CENTRE = 0.2
"""How far from the middle the one cell may lie, as a share of the side."""
