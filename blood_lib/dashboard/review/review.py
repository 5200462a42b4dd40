"""What people correct: cells put into another group, and every step of a review taken back and done again.

How a cell is chosen is for the views; what a model learns from it, for `learning.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from blood_lib.dashboard.review.history import History, Step, compare
from blood_lib.dashboard.state import EXCLUDED, UNIDENTIFIED, Cell, known
from blood_lib.dashboard.state.commands import Confirm, Move, Redo, Undo
from blood_lib.dashboard.state.controller import Controller

__all__ = ["Review"]

RECORDS = ("cells", "rejected")  # traits of the state: tuples of records with an id
SAME = 1e-4  # of probabilities: rounding, and no other answer
VALUES = ("classifier", "bundle", "base", "adapted", "lesson")  # and others; a step takes all of them back


class Review:
    """Carries out `Move`, `Confirm`, `Undo` and `Redo`; forgets all steps when the cells go.

    Whatever changes cells that are there does so inside `step()`, or undo would not lead back to what was.
    """

    def __init__(self, controller: Controller):
        self.state = controller.state
        self._history = History()
        controller.register(Move, self._on_move)
        controller.register(Confirm, self._on_confirm)
        controller.register(Undo, lambda _command: self._take(self._history.undo()))
        controller.register(Redo, lambda _command: self._take(self._history.redo()))
        self.state.observe(self.state.guard(self._on_runs), "runs")

    @contextmanager
    def step(self) -> Iterator[None]:
        """All that changes inside, cells, their number or the model, is one step."""
        state = self.state
        with state.lock, state.hold_trait_notifications():
            before = self._values()
            yield
            self._history.push(compare(before, self._values(), RECORDS))
            self._tell()

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self.state, name) for name in (*RECORDS, *VALUES)}

    def _take(self, step: Step | None) -> None:
        """Go where the step leads."""
        state = self.state
        with state.hold_trait_notifications():
            for name, value in (step.apply(self._values()) if step else {}).items():
                setattr(state, name, value)
            self._tell()

    def _tell(self) -> None:
        state = self.state
        state.can_undo, state.can_redo = self._history.can_undo, self._history.can_redo
        state.selected = tuple(identity for identity in state.selected if state.cell(identity))
        if state.cell(state.current) is None:
            state.current = None  # it is gone

    def _on_runs(self, _change: Any) -> None:
        self._history.clear()
        self._tell()

    # --- what a person says of cells ---

    def _on_move(self, command: Move) -> None:
        if command.group is None:
            self._change(command.ids, self._give_back)
        elif command.group in (UNIDENTIFIED, EXCLUDED, *known(self.state.bundle).names):
            self._change(command.ids, lambda cell: _put(cell, command.group))

    def _on_confirm(self, command: Confirm) -> None:
        """They are right where they are."""
        self._change(command.ids, lambda cell: _put(cell, cell.label))

    def _change(self, ids: Iterable[int], change: Callable[[Cell], Cell]) -> None:
        """Change cells on a person's word, as one step; ids without a cell are left out."""
        wanted = set(ids)
        with self.step():
            self.state.cells = tuple(change(cell) if cell.id in wanted else cell for cell in self.state.cells)
        self._deselect(wanted)

    def _give_back(self, cell: Cell) -> Cell:
        """To where the model in use puts it, which may have learnt, or forgotten, since it answered."""
        if cell.group is None:
            return cell
        (answer,) = known(self.state.classifier).reconsider([cell.result])
        same = np.allclose(known(answer.probs), known(cell.result.probs), atol=SAME)
        return replace(_put(cell, None), result=cell.result if same else answer)

    def _deselect(self, ids: set[int]) -> None:
        """What has been moved is selected no longer."""
        self.state.selected = tuple(identity for identity in self.state.selected if identity not in ids)


def _put(cell: Cell, group: str | None) -> Cell:
    """The same object where nothing changes."""
    same = cell.group == group and not cell.bulk
    return cell if same else replace(cell, group=group, bulk=False)
