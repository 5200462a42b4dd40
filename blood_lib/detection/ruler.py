"""The ruler: how wide a red cell is in a field, how sure that is, and what the fields of an upload agree on.

It misleads where red cells themselves are small or large, as in anaemia, and in animals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blood_lib.detection.boxes import compute_iou, diameters_of, touches_edge

__all__ = ["RED_CELL_UM", "Ruler", "agree", "measure"]

RED_CELL_UM = 7.2
"""The width of a red cell in micrometres."""

ENOUGH_CELLS = 5
MOST_SPREAD = 0.2  # of single cells about their median, as a share of it
_FREE = 0.1  # the overlap (IoU) up to which a cell is seen whole


@dataclass(frozen=True)
class Ruler:
    """A red cell's diameter in a field's own pixels, or that of several fields together."""

    diameter: float
    """The median, in pixels."""
    spread: float
    """Of single cells: 1.48 times their median distance from the median, in pixels."""
    n_cells: int
    n_fields: int = 1

    @property
    def is_sound(self) -> bool:
        """Whether it rests on enough cells that agree."""
        return self.n_cells >= ENOUGH_CELLS and self.spread <= MOST_SPREAD * self.diameter

    @property
    def um_per_pixel(self) -> float:
        return RED_CELL_UM / self.diameter


def measure(boxes: np.ndarray, size: tuple[int, int]) -> Ruler | None:
    """The ruler of one field of `size` (width, height) from its red cells' boxes; None without any.

    Cells that the edge cuts are left out, and so are overlapping ones where enough lie free.
    """
    whole = boxes[~touches_edge(boxes, size, margin=1.5)]
    free = whole[_lies_free(whole, boxes)]
    chosen = free if len(free) >= ENOUGH_CELLS else whole
    if not len(chosen):
        return None
    diameters = diameters_of(chosen)
    diameter = float(np.median(diameters))
    near = diameters[np.abs(np.log(diameters / diameter)) < np.log(1.6)]  # no clump, no fragment
    diameter = float(np.median(near))
    return Ruler(diameter, _spread(near, diameter), len(near))


def _lies_free(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    overlaps = compute_iou(boxes, others)
    overlaps[overlaps > 0.999] = 0  # itself
    return overlaps.max(1, initial=0) <= _FREE


def _spread(values: np.ndarray, middle: float) -> float:
    return float(1.4826 * np.median(np.abs(values - middle)))


def agree(rulers: Sequence[Ruler | None], *, tolerance: float = 0.15) -> Ruler | None:
    """What the fields of one upload agree on: None where fewer than two thirds of the sound ones do.

    Each sound ruler counts once, whatever its number of cells.
    """
    sound = [ruler for ruler in rulers if ruler and ruler.is_sound]
    if not sound:
        return None
    diameters = np.array([ruler.diameter for ruler in sound])
    middle = float(np.median(diameters))
    near = [ruler for ruler in sound if abs(np.log(ruler.diameter / middle)) <= np.log1p(tolerance)]
    if len(near) < 2 / 3 * len(sound):
        return None
    return Ruler(
        float(np.median([ruler.diameter for ruler in near])),
        float(np.median([ruler.spread for ruler in near])),
        sum(ruler.n_cells for ruler in near),
        len(near),
    )
