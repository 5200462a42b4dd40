"""The ruler: how wide a red cell is in a field, how sure that is, and what the fields of an upload agree on.

It misleads where red cells themselves are small or large, as in anaemia, and in animals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blood_lib.detection.boxes import diameters_of, find_overlaps, touches_edge

__all__ = ["RED_CELL_UM", "Ruler", "agree", "measure"]

RED_CELL_UM = 7.2
"""The width of a red cell in micrometres."""

ENOUGH_CELLS = 5
MOST_SPREAD = 0.15  # of single cells about their median, as a share of it
_ALIKE = 1.5  # the ratio to the median from which on it is a clump or a fragment
_FREE = 0.1  # the overlap (IoU) up to which a cell is seen whole


@dataclass(frozen=True)
class Ruler:
    """A red cell's diameter in a field's own pixels, or that of several fields together."""

    diameter: float
    """The median, in pixels."""
    spread: float
    """Of single cells: 1.48 times their median distance from it, in pixels."""
    n_cells: int
    n_fields: int = 1

    @property
    def is_sound(self) -> bool:
        """Whether it rests on enough cells that agree."""
        return self.n_cells >= ENOUGH_CELLS and self.spread <= MOST_SPREAD * self.diameter

    @property
    def um_per_pixel(self) -> float:
        return RED_CELL_UM / self.diameter


def measure(boxes: np.ndarray, size: tuple[int, int], scores: np.ndarray | None = None) -> Ruler | None:
    """The ruler of one field of `size` (width, height) from its red cells' boxes; None without any alike.

    Cells that the edge cuts are left out, and so are overlapping ones where enough lie free. Cells that are
    surely seen weigh most: those of half the score a sixteenth.
    """
    weights = np.ones(len(boxes)) if scores is None else np.asarray(scores, float) ** 4
    whole = ~touches_edge(boxes, size, margin=1.5)
    free = whole & _lies_free(boxes)
    chosen = free if free.sum() >= ENOUGH_CELLS else whole
    if not chosen.any():
        return None
    diameters, weights = diameters_of(boxes[chosen]), weights[chosen]
    middle = _weighted_median(diameters, weights)
    spread = 1.4826 * _weighted_median(np.abs(diameters - middle), weights)
    near = (diameters < _ALIKE * middle) & (diameters > middle / _ALIKE)
    if not near.any():  # a few that have nothing in common
        return None
    return Ruler(_weighted_median(diameters[near], weights[near]), spread, int(near.sum()))


def _lies_free(boxes: np.ndarray) -> np.ndarray:
    free = np.ones(len(boxes), bool)
    free[find_overlaps(boxes, limit=_FREE).ravel()] = False
    return free


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Where half of the weight lies below, between values by straight lines."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    below = (weights.cumsum() - weights / 2) / max(weights.sum(), 1e-12)
    return float(np.interp(0.5, below, values))


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
