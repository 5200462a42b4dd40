"""The boxes that a person draws, moves and removes in a field; each is a step of the review.

A cell in a box is classified at once. How a box is drawn is for the scripts.
"""

from __future__ import annotations

from dataclasses import replace

from blood_lib.dashboard.field.opened import Opened, build_cell
from blood_lib.dashboard.review.review import Review
from blood_lib.dashboard.state import Box, Cell, DashboardState, Field, RejectedFile, known
from blood_lib.dashboard.state.commands import DrawBox, MoveBox, RemoveCell
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from blood_lib.files.reasons import Reason

__all__ = ["Drawing", "fit_box", "list_rejected"]

LEAST = 4.0  # px of the file, the smallest side of a box


class Drawing:
    """Carries out `DrawBox`, `MoveBox` and `RemoveCell`."""

    def __init__(self, controller: Controller, review: Review):
        self.controller, self.state, self._review = controller, controller.state, review
        controller.register(DrawBox, self._on_draw)
        controller.register(MoveBox, self._on_move)
        controller.register(RemoveCell, self._on_remove)

    def _on_draw(self, command: DrawBox) -> None:
        field = self.state.field(command.field)
        if field is not None:
            number = 1 + max((cell.result.cell or 0 for cell in cells_of(self.state, field)), default=0)
            cell = self._classify(next(self.controller.ids), field, command.box, number)
            self._change((*self.state.cells, cell))
            self.state.current = cell.id

    def _on_move(self, command: MoveBox) -> None:
        cell = self.state.cell(command.id)
        field = self.state.field(cell.field) if cell else None
        if cell is None or field is None:
            return
        found = self._classify(cell.id, field, command.box, known(cell.result.cell))
        moved = replace(found, group=cell.group, bulk=cell.bulk)
        self._change(tuple(moved if each is cell else each for each in self.state.cells))

    def _on_remove(self, command: RemoveCell) -> None:
        cell = self.state.cell(command.id)
        if cell is not None and cell.field is not None:
            self._change(tuple(each for each in self.state.cells if each is not cell))

    def _classify(self, identity: int, field: Field, box: Box, number: int) -> Cell:
        """The cell in this box, with a picture of it."""
        if not field.photograph:
            raise DashboardError(Sentence("field.not_kept", {"name": field.name}))
        classifier, opened = known(self.state.classifier), Opened(field.photograph)
        fitted = fit_box(box, field.size)
        (result,) = classifier.classify_boxes(field.photograph, [fitted], field.reading, first=number)
        (place,) = self.controller.find_places([result])
        window = classifier.bundle.preprocessing.window
        cell = build_cell(identity, result, opened.picture(result), place, field=field.id, window=window)
        return replace(cell, drawn=True)

    def _change(self, cells: tuple[Cell, ...]) -> None:
        """Other cells, as one step; the fields without any are rejected."""
        state = self.state
        with self._review.step():
            state.cells = cells
            state.rejected = list_rejected(state)


def cells_of(state: DashboardState, field: Field) -> list[Cell]:
    """The cells of one field."""
    return [cell for cell in state.cells if cell.field == field.id]


def list_rejected(state: DashboardState) -> tuple[RejectedFile, ...]:
    """The files that were rejected, but for fields that have a cell by now, and the fields without any."""
    filled = {cell.field for cell in state.cells}
    kept = [file for file in state.rejected if file.field is None or file.field not in filled]
    told = {file.field for file in kept}
    empty = [field for field in state.fields if field.id not in filled | told]
    return (*kept, *(RejectedFile(field.name, Reason("no_cell"), field.id) for field in empty))


def fit_box(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box within an image of `size`, with sides that are no shorter than LEAST."""
    fitted = [_fit(box[i], box[i + 2], size[i]) for i in (0, 1)]
    return fitted[0][0], fitted[1][0], fitted[0][1], fitted[1][1]


def _fit(start: float, length: float, whole: int) -> tuple[float, float]:
    low, high = max(start, 0.0), min(start + length, float(whole))
    side = max(high - low, LEAST)
    return min(low, whole - side), side
