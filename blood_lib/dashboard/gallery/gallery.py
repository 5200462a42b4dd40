"""All cells by group, to select and to move. The scripts decide how that looks."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Dict, List

from blood_lib.dashboard.state import Cell, DashboardState, RejectedFile
from blood_lib.dashboard.state.commands import Confirm, Redo, Undo
from blood_lib.dashboard.widgets.cell_collection import CellCollection
from blood_lib.dashboard.widgets.markers import CELL_SIGNS
from blood_lib.dashboard.widgets.pictures import thumbnail
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.widget import Buffers, Content
from blood_lib.files.reasons import ANSWERED

__all__ = ["Gallery"]

THUMBNAIL = 112  # px a side
MOST_THUMBNAILS = 64  # in one request


class Gallery(CellCollection):
    """Gets thumbnails only for what is in sight."""

    _esm = script("gallery/gallery.js")
    accepts = (*CellCollection.accepts, "thumbs", "confirm", "undo", "redo")

    statuses = List(list(ANSWERED), help="of cells, the surest first").tag(sync=True)
    signs = Dict(CELL_SIGNS).tag(sync=True)
    can_undo = Bool(False).tag(sync=True)
    can_redo = Bool(False).tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "gallery")
        state.observe(state.guard(self._show), ["cells", "rejected", "progress"])
        state.observe(self._copy, ["can_undo", "can_redo"])

    def words(self) -> dict[str, str]:
        """The filters speak of many items, a card of one: that has the words that every other place has."""
        states = self.state.messages.section("state")
        return super().words() | {f"is_{name}": word for name, word in states.items()}

    # --- what the page gets ---

    def _forget(self) -> None:
        super()._forget()
        self._rejected: tuple[RejectedFile, ...] = ()  # those that the page has been told of
        self._more = False  # the page waits for more cells

    def _show(self, _change: Any = None) -> None:
        state = self.state
        if state.rejected[: len(self._rejected)] != self._rejected:
            self._forget()  # files are rejected no longer: the page begins anew
        fresh, new, changed = self._find_news()
        gone, rejected = self._find_gone(), state.rejected[len(self._rejected) :]
        more = state.progress is not None and state.progress.kind == "classify"
        if not (fresh or new or changed or gone or rejected or more != self._more):
            return
        self._rejected, self._more = state.rejected, more
        message = {
            "kind": "reset" if fresh else "add",
            "run": state.runs,
            "items": [self._describe(cell) for cell in (*new, *changed)],
            "rejected": [[file.name, self.state.messages.reason(file.reason)] for file in rejected],
            "gone": gone,
            "more": more,
        }
        self.send(message | {"selected": list(state.selected)} if fresh else message)

    def _describe(self, cell: Cell) -> list[Any]:
        return [
            cell.id,
            cell.name,
            self._index[cell.label],
            self._index[cell.said],
            cell.status,
            cell.confidence,
            cell.decided,
            cell.proposed,
        ]

    # --- what the page says ---

    def _on_thumbs(self, content: Content, _buffers: Buffers) -> None:
        cells = self._cells(content)[:MOST_THUMBNAILS]
        for some in (cells[i : i + 16] for i in range(0, len(cells), 16)):
            pictures = [thumbnail(cell.content, THUMBNAIL) for cell in some]
            ids = [cell.id for cell in some]
            self.send({"kind": "thumbs", "run": self.state.runs, "ids": ids}, pictures)

    def _on_confirm(self, content: Content, _buffers: Buffers) -> None:
        self.state.command = Confirm(self._ids(content))

    def _on_undo(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Undo()

    def _on_redo(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Redo()
