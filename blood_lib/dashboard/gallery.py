"""All cells by group, to choose from and to move; leaves how that looks to its scripts."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Int, List

from blood_lib.dashboard.glyphs import describe_groups, name_groups
from blood_lib.dashboard.part import Part, script
from blood_lib.dashboard.pictures import thumbnail
from blood_lib.dashboard.state import Cell, Command, DashboardState

__all__ = ["Gallery"]

THUMBNAIL = 112  # px a side
MOST_THUMBNAILS = 64  # in one request
MOST_IDS = 10_000  # in one message: no upload has more images


class Gallery(Part):
    """Gets new and changed cells as they come, and thumbnails only for what is in sight."""

    _esm = script("menu", "grid", "marks", "gestures", "cards", "gallery_keys", "gallery_bar", "gallery")
    accepts = ("hello", "thumbs", "select", "mark", "move", "confirm", "undo", "redo")

    groups = List(help="label, colour and shape of all groups, as name_groups has them").tag(sync=True)
    selected = Int(None, allow_none=True).tag(sync=True)
    can_undo = Bool(False).tag(sync=True)
    can_redo = Bool(False).tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "gallery")
        self._forget()
        self._marked: tuple[int, ...] = ()  # as the page has them
        state.observe(state.guard(self._show), ["cells", "rejected", "progress"])
        state.observe(state.guard(self._on_marked), "marked")
        state.observe(self._copy, ["selected", "can_undo", "can_redo"])

    def relabel(self) -> None:
        bundle = self.state.bundle
        self._names = name_groups(bundle) if bundle else []
        self._index = {name: i for i, name in enumerate(self._names)}
        self.groups = describe_groups(bundle, self.state.messages) if bundle else []

    def _copy(self, change: Any) -> None:
        setattr(self, change["name"], change["new"])

    # --- what the page gets ---

    def _forget(self) -> None:
        self._run = -1  # the run that the page has seen, with these cells and so many rejected files
        self._sent: dict[int, Cell] = {}
        self._n_rejected = 0
        self._more = False  # the page waits for more cells

    def _show(self, _change: Any = None) -> None:
        """Send what is new or not as it was the last time; all of it when another run has begun."""
        state = self.state
        fresh = self._run != state.runs
        if fresh:
            self._forget()
        cells = [cell for cell in state.cells if self._sent.get(cell.id) is not cell]
        rejected = state.rejected[self._n_rejected :]
        more = state.progress is not None and state.progress.kind == "classify"
        if not (fresh or cells or rejected or more != self._more):
            return
        self._run, self._n_rejected, self._more = state.runs, len(state.rejected), more
        self._sent |= {cell.id: cell for cell in cells}
        message = {
            "kind": "reset" if fresh else "add",
            "run": state.runs,
            "items": [self._describe(cell) for cell in cells],
            "rejected": [[file.name, self.state.messages.reason(file.reason)] for file in rejected],
            "more": more,
        }
        self.send(message | {"marked": list(state.marked)} if fresh else message)

    def _describe(self, cell: Cell) -> list:
        return [
            cell.id,
            cell.name,
            self._index[cell.label],
            self._index[cell.result.label],
            cell.status,
            round(cell.confidence, 4),
            cell.reviewed,
        ]

    def _on_marked(self, _change: Any) -> None:
        """Marks from elsewhere; the page's own would overtake what is marked there meanwhile."""
        if self.state.marked != self._marked:
            self._marked = self.state.marked
            self.send({"kind": "marked", "run": self.state.runs, "ids": list(self._marked)})

    # --- what the page says ---

    def _on_hello(self, _content: dict, _buffers: list) -> None:
        self._forget()
        self._show()

    def _on_thumbs(self, content: dict, _buffers: list) -> None:
        cells = self._cells(content)[:MOST_THUMBNAILS]
        for some in (cells[i : i + 16] for i in range(0, len(cells), 16)):
            pictures = [thumbnail(cell.content, THUMBNAIL) for cell in some]
            ids = [cell.id for cell in some]
            self.send({"kind": "thumbs", "run": self.state.runs, "ids": ids}, pictures)

    def _cells(self, content: dict) -> list[Cell]:
        """The cells whose ids a message names, each once."""
        ids = content.get("ids")
        named = ids[:MOST_IDS] if isinstance(ids, list) else []
        found = [cell for cell in map(self.state.cell, named) if cell is not None]
        return list({cell.id: cell for cell in found}.values())

    def _on_select(self, content: dict, _buffers: list) -> None:
        cell = self.state.cell(content.get("id"))
        if cell is not None:
            self.state.selected = cell.id

    def _on_mark(self, content: dict, _buffers: list) -> None:
        self._marked = tuple(cell.id for cell in self._cells(content))
        self.state.marked = self._marked

    def _on_move(self, content: dict, _buffers: list) -> None:
        group = content.get("group")
        if type(group) is int and 0 <= group < len(self._names):
            self._command("move", content, group=self._names[group])

    def _on_confirm(self, content: dict, _buffers: list) -> None:
        self._command("confirm", content)

    def _command(self, kind: str, content: dict, **more: Any) -> None:
        ids = tuple(cell.id for cell in self._cells(content))
        self.state.command = Command(kind, ids=ids, **more)

    def _on_undo(self, _content: dict, _buffers: list) -> None:
        self.state.command = Command("undo")

    def _on_redo(self, _content: dict, _buffers: list) -> None:
        self.state.command = Command("redo")
