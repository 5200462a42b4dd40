"""The tab with the map: every cell among the reference cells; a click shows one, a lasso selects several.

What is sent is packed by `data.py`; its scripts decide how it looks.
"""

from __future__ import annotations

from typing import Any

from blood_lib.atlas import Atlas
from blood_lib.dashboard.map.data import REVIEWS, PackedAtlas, pack_appearance, pack_atlas, pack_cells
from blood_lib.dashboard.state import DashboardState, known
from blood_lib.dashboard.widgets.cell_collection import CellCollection
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.view import View, split
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget
from blood_lib.files.reasons import ANSWERED

__all__ = ["Map", "MapView"]


class Map(CellCollection):
    """Gets the reference cells once for each atlas, and of a cell that has changed only what can change."""

    _esm = script("map/map.js")

    def __init__(self, state: DashboardState):
        self._heard = False  # a page listens
        self._packed: tuple[Atlas, PackedAtlas] | None = None  # an atlas, and what is sent of it
        self._atlas: Atlas | None = None  # the one that the page has
        super().__init__(state, "map")
        state.observe(state.guard(self._show), "cells")
        state.observe(state.guard(self._show_atlas), ["prepared", "classifier"])

    def words(self) -> dict[str, Any]:
        t = self.state.messages
        reviews = [t(f"map.{name}") if name else "" for name in REVIEWS]
        return super().words() | {"statuses": [t(f"state.{name}") for name in ANSWERED], "reviews": reviews}

    def prepare(self) -> None:
        """Compute what the page will get, on any thread."""
        self._pack()

    def _pack(self) -> PackedAtlas:
        """The atlas in use; its zones take a fifth of a second, so it is kept."""
        atlas = known(self.state.classifier).atlas
        if self._packed is None or self._packed[0] is not atlas:
            self._packed = atlas, pack_atlas(atlas)
        return self._packed[1]

    # --- what the page gets ---

    def _on_hello(self, content: Content, buffers: Buffers) -> None:
        self._heard, self._atlas = True, None
        self._show_atlas()
        super()._on_hello(content, buffers)

    def _show_atlas(self, _change: Any = None) -> None:
        state = self.state
        if self._heard and state.prepared and self._atlas is not known(state.classifier).atlas:
            self._atlas = known(state.classifier).atlas
            content, buffers = self._pack()
            self.send({"kind": "atlas", **content}, buffers)

    def _show(self, _change: Any = None) -> None:
        fresh, new, changed = self._find_news()
        new, changed = ([cell for cell in cells if cell.place is not None] for cells in (new, changed))
        run, gone = self.state.runs, self._find_gone()
        if fresh:
            self.send({"kind": "reset", "run": run, "selected": list(self.state.selected)})
        if new:
            names = [cell.name for cell in new]
            self.send({"kind": "cells", "run": run, "names": names}, pack_cells(new, self._index))
        if gone:
            self.send({"kind": "gone", "run": run, "ids": gone})
        if changed:
            self.send({"kind": "appearance", "run": run}, pack_appearance(changed, self._index))


class MapView(View):
    """The map and the current cell."""

    tab = "map"

    def __init__(self, state: DashboardState, viewer: Widget):
        self.map = Map(state)
        super().__init__(state, [split(self.map, viewer)])
