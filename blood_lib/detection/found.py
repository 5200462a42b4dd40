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

        Where red cells are seen it is about square, and by a sound ruler at most `WIDEST_CROP` wide. A
        cell that is no ruler lies near the middle, unless none is to be named. Further named cells do not
        matter where one lies in the very middle.
        """
        if self._is_too_wide():
            return False
        named = np.flatnonzero(self.with_role(NAMED) & ~self.is_cut)
        away = self._measure_away()
        if (self.scores[named[1:]] >= FURTHER).any() and not (away[named] <= MIDDLE).any():
            return False
        return not len(named) or bool((away[~self.with_role(RULER)] <= OFF_CENTRE).any())

    def _is_too_wide(self) -> bool:
        if self.ruler is None:
            return False
        longest = max(self.size)
        is_wide = self.ruler.is_sound and longest > WIDEST_CROP * self.ruler.diameter
        return is_wide or longest > LONGEST_CROP * min(self.size)

    def has_sure_middle(self) -> bool:
        """Whether one cell that is no ruler surely lies in the middle."""
        is_sure = ~self.with_role(RULER) & (self.scores >= SURE)
        return bool((self._measure_away()[is_sure] <= OFF_CENTRE).any())

    def _measure_away(self) -> np.ndarray:
        """(N,) how far from the middle, as a share of the side."""
        return np.asarray(np.abs(centres_of(self.boxes) / np.array(self.size) - 0.5).max(1, initial=0))


WIDEST_CROP = 6.2
"""In red cells."""
SURE = 0.6
"""The score from which there is no doubt about a cell in the middle."""
LONGEST_CROP = 1.2
"""Of the longer side to the shorter."""
FURTHER = 0.8
"""The score from which a further named cell makes it a picture of several."""
MIDDLE, OFF_CENTRE = 0.1, 0.25
"""How far from the middle the one cell may lie, as a share of the side: to be alone, or at all."""
