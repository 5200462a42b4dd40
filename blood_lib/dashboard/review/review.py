"""What people correct: cells put into another group, taken back and done again.

How a cell is chosen is for the views; what a model learns from it, for `learning.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from blood_lib.dashboard.review.history import Groups, History, regroup
from blood_lib.dashboard.state import EXCLUDED, UNIDENTIFIED, known
from blood_lib.dashboard.state.commands import Confirm, Move, Redo, Undo
from blood_lib.dashboard.state.controller import Controller

__all__ = ["Review"]


class Review:
    """Carries out `Move`, `Confirm`, `Undo` and `Redo`; forgets all steps when the cells go."""

    def __init__(self, controller: Controller):
        self.state = controller.state
        self._history = History()
        controller.register(Move, self._on_move)
        controller.register(Confirm, self._on_confirm)
        controller.register(Undo, lambda _command: self._show(self._history.undo()))
        controller.register(Redo, lambda _command: self._show(self._history.redo()))
        self.state.observe(self.state.guard(self._on_runs), "runs")

    def _on_move(self, command: Move) -> None:
        if command.group in (None, UNIDENTIFIED, EXCLUDED, *known(self.state.bundle).names):
            self.put(dict.fromkeys(command.ids, command.group))

    def _on_confirm(self, command: Confirm) -> None:
        """They are right where they are."""
        cells = [cell for cell in map(self.state.cell, command.ids) if cell is not None]
        self.put({cell.id: cell.label for cell in cells})

    def put(self, groups: Groups) -> None:
        """Put cells into groups, as one step; ids without a cell are left out."""
        cells = [cell for cell in map(self.state.cell, groups) if cell is not None]
        step = {cell.id: (cell.group, groups[cell.id]) for cell in cells if cell.group != groups[cell.id]}
        if step:
            self._history.push(step)
            self._show({identity: after for identity, (_, after) in step.items()})
        self._deselect(groups)

    def _show(self, groups: Groups) -> None:
        state = self.state
        with state.hold_trait_notifications():
            if groups:
                state.cells = regroup(state.cells, groups)
            state.can_undo, state.can_redo = self._history.can_undo, self._history.can_redo

    def _deselect(self, ids: Iterable[int]) -> None:
        """What has been moved is selected no longer."""
        gone = set(ids)
        self.state.selected = tuple(identity for identity in self.state.selected if identity not in gone)

    def _on_runs(self, _change: Any) -> None:
        self._history.clear()
        self._show({})
