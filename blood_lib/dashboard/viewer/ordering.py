"""The order in which cells are shown and gone through: by group, the doubtful first; no widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from blood_lib.dashboard.state import Cell
from blood_lib.files.reasons import ANSWERED

__all__ = ["Walk", "order_cells"]

DOUBT = {status: place for place, status in enumerate(reversed(ANSWERED))}


def order_cells(cells: Iterable[Cell], groups: Sequence[str]) -> list[Cell]:
    """Sorted by group in the order of `groups`, then by how doubtful the model's answer is.

    What people have done counts for the group only: a cell that is confirmed stays where it is.
    """
    place = {group: i for i, group in enumerate(groups)}
    return sorted(cells, key=lambda cell: (place[cell.label], DOUBT[cell.status], cell.confidence, cell.id))


class Walk:
    """Goes through cells in the order that they had when it began: a cell that is moved keeps its turn."""

    def __init__(self, cells: Iterable[Cell] = (), groups: Sequence[str] = ()):
        self._ids = [cell.id for cell in order_cells(cells, groups)]
        self._places = {identity: i for i, identity in enumerate(self._ids)}

    def __len__(self) -> int:
        return len(self._ids)

    def place(self, identity: int) -> int:
        """Which one it is, from 0."""
        return self._places[identity]

    def step(
        self, identity: int | None, by: int, wanted: Callable[[int], bool] = lambda _: True
    ) -> int | None:
        """The next (by = 1) or previous (-1) one after `identity` that is wanted; None where none is.

        After the last one comes the first; without `identity` it begins at an end.
        """
        end = -1 if by > 0 else 0
        at = end if identity is None else self._places.get(identity, end)
        for n in range(1, len(self._ids) + 1):
            found = self._ids[(at + by * n) % len(self._ids)]
            if wanted(found):
                return found
        return None
