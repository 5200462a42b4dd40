"""What the gallery and the map have in common: each shows every cell, to open, to select and to move.

How they show them is left to them.
"""

from __future__ import annotations

from typing import Any

from traitlets import Int, List

from blood_lib.dashboard.state import Cell, DashboardState
from blood_lib.dashboard.state.commands import Move
from blood_lib.dashboard.widgets.markers import describe_groups, name_groups
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget

__all__ = ["CellCollection"]

MOST_IDS = 10_000  # in one message: no upload has more images


class CellCollection(Widget):
    """Gets new and changed cells as they come, and hears which are opened, selected and moved."""

    accepts: tuple[str, ...] = ("hello", "open", "select", "move")

    groups: List[dict[str, Any]] = List(
        help="name, label, colour and shape of all groups, as name_groups has them"
    ).tag(sync=True)
    current = Int(None, allow_none=True).tag(sync=True)

    def __init__(self, state: DashboardState, section: str):
        super().__init__(state, section)
        self._forget()
        self._selected: tuple[int, ...] = ()  # as the page has them
        state.observe(state.guard(self._on_selected), "selected")
        state.observe(self._copy, "current")

    def relabel(self) -> None:
        bundle = self.state.bundle
        self._names = name_groups(bundle) if bundle else []
        self._index = {name: i for i, name in enumerate(self._names)}
        self.groups = describe_groups(bundle, self.state.messages) if bundle else []

    def _copy(self, change: Any) -> None:
        setattr(self, change["name"], change["new"])

    # --- what the page gets ---

    def _forget(self) -> None:
        self._run = -1  # the run that the page has seen, with these cells
        self._sent: dict[int, Cell] = {}

    def _find_news(self) -> tuple[bool, list[Cell], list[Cell]]:
        """Whether another run has begun, the cells that are new, and those that are not as they were sent."""
        fresh = self._run != self.state.runs
        if fresh:
            self._forget()
            self._run = self.state.runs
        new = [cell for cell in self.state.cells if cell.id not in self._sent]
        changed = [cell for cell in self.state.cells if self._sent.get(cell.id, cell) is not cell]
        self._sent |= {cell.id: cell for cell in (*new, *changed)}
        return fresh, new, changed

    def _find_gone(self) -> list[int]:
        """The ids of cells that were sent and are there no longer; call `_find_news` first."""
        if len(self._sent) == len(self.state.cells):
            return []
        gone = self._sent.keys() - {cell.id for cell in self.state.cells}
        for identity in gone:
            del self._sent[identity]
        return sorted(gone)

    def _show(self, _change: Any = None) -> None:
        """Send what is new or not as it was the last time; all of it when another run has begun."""
        raise NotImplementedError

    def _on_selected(self, _change: Any) -> None:
        """What is selected elsewhere; the page's own would overtake what is selected there meanwhile."""
        if self.state.selected != self._selected:
            self._selected = self.state.selected
            self.send({"kind": "selected", "run": self.state.runs, "ids": list(self._selected)})

    # --- what the page says ---

    def _on_hello(self, _content: Content, _buffers: Buffers) -> None:
        self._forget()
        self._show()

    def _cells(self, content: Content) -> list[Cell]:
        """The cells whose ids a message names, each once."""
        ids = content.get("ids")
        named = ids[:MOST_IDS] if isinstance(ids, list) else []
        found = [cell for cell in map(self.state.cell, named) if cell is not None]
        return list({cell.id: cell for cell in found}.values())

    def _ids(self, content: Content) -> tuple[int, ...]:
        return tuple(cell.id for cell in self._cells(content))

    def _on_open(self, content: Content, _buffers: Buffers) -> None:
        cell = self.state.cell(content.get("id"))
        if cell is not None:
            self.state.current = cell.id

    def _on_select(self, content: Content, _buffers: Buffers) -> None:
        self._selected = self._ids(content)
        self.state.selected = self._selected

    def _on_move(self, content: Content, _buffers: Buffers) -> None:
        group = content.get("group")
        if type(group) is int and 0 <= group < len(self._names):
            self.state.command = Move(self._ids(content), self._names[group])
