"""Which cells people have put where, step by step, to take back and do again; plain values without widgets.

What a step may contain is for `review.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from blood_lib.dashboard.state import Cell

__all__ = ["Groups", "History", "Step", "regroup"]

Groups = Mapping[int, str | None]  # id of a cell -> where a person put it; None: nobody has
Step = Mapping[int, tuple[str | None, str | None]]  # id of a cell -> (group before, group after)


class History:
    """The steps that were done, and those that were taken back and can be done again."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def push(self, step: Step) -> None:
        """A new step; what was taken back before it is gone."""
        self._done.append(step)
        self._undone.clear()

    def undo(self) -> Groups:
        """Take the last step back; where its cells stood before, {} when there is no step."""
        if not self._done:
            return {}
        self._undone.append(self._done.pop())
        return {identity: before for identity, (before, _) in self._undone[-1].items()}

    def redo(self) -> Groups:
        """Do again what was last taken back; where its cells stood after it."""
        if not self._undone:
            return {}
        self._done.append(self._undone.pop())
        return {identity: after for identity, (_, after) in self._done[-1].items()}

    def clear(self) -> None:
        """Forget everything: the cells are gone."""
        self._done.clear()
        self._undone.clear()


def regroup(cells: Iterable[Cell], groups: Groups) -> tuple[Cell, ...]:
    """The cells with the groups that `groups` gives; those that do not change stay the same objects."""
    return tuple(
        replace(cell, group=groups[cell.id]) if cell.id in groups and groups[cell.id] != cell.group else cell
        for cell in cells
    )
