"""One view a tab. A view is given the state only: it observes it, and writes to it what the user wants.

Views never see each other and never compute: numbers come from the core. The Chart tab and the map have
modules of their own, `chart_view.py` and `map_view.py`.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from blood_lib.dashboard.gallery import Gallery
from blood_lib.dashboard.help_page import build_help
from blood_lib.dashboard.lessons import Lessons
from blood_lib.dashboard.part import Part
from blood_lib.dashboard.parts import progress_values
from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.uploader import Uploader

__all__ = ["ClassificationView", "HelpView", "UploadView", "View", "split"]


class View(widgets.VBox):
    """A tab's panel: draws itself when it is on the screen and something it shows has changed."""

    tab = ""
    watches: tuple[str, ...] = ()

    def __init__(self, state: DashboardState, children: list[widgets.Widget]):
        super().__init__(children)
        self.add_class("dash-panel").add_class(f"dash-panel-{self.tab}")
        self.state = state
        self._stale = True
        state.observe(state.guard(self._on_change), [*self.watches, "messages"])
        state.observe(state.guard(self._on_tab), "tab")

    def _on_change(self, _change: Any) -> None:
        self._stale = True
        self._on_tab(None)

    def _on_tab(self, _change: Any) -> None:
        if self._stale and self.state.tab == self.tab and self.state.bundle is not None:
            self._stale = False
            self.draw()

    def draw(self) -> None:
        """Show the state as it is."""


class UploadView(View):
    """Where files come in, and what became of them."""

    tab = "upload"

    def __init__(self, state: DashboardState):
        self.uploader = Uploader(state)
        super().__init__(state, [self.uploader])
        state.observe(state.guard(self._show), ["progress", "cells", "rejected", "saved", "ready", "failed"])
        state.observe(state.guard(self._repeat), "connected")
        self._show()

    def _repeat(self, _change: Any) -> None:
        """The classifier may have been loaded after the page asked for everything and before it listened."""
        self.uploader.send_state("phase")

    def _show(self, _change: Any = None) -> None:
        state, uploader = self.state, self.uploader
        with uploader.hold_sync():
            uploader.progress, uploader.unsaved = progress_values(state), state.unsaved
            uploader.phase = "ready" if state.ready else "failed" if state.failed else "preparing"
            if state.progress is None:
                uploader.summary = summarise(state)


def summarise(state: DashboardState) -> dict[str, int]:
    """How many cells there are, and how many of each doubtful kind; {} before anything was uploaded."""
    if not state.cells and not state.rejected:
        return {}
    found = [cell.status for cell in state.cells]
    doubts = {status: found.count(status) for status in ("uncertain", "unfamiliar")}
    return {"n": len(found), **doubts, "rejected": len(state.rejected)}


class HelpView(View):
    """What the tool is, how good, and where not to trust it."""

    tab = "help"

    def __init__(self, state: DashboardState):
        self.page = widgets.HTML()
        super().__init__(state, [self.page])

    def draw(self) -> None:
        self.page.value = build_help(self.state.bundle, self.state.messages)


class ClassificationView(View):
    """Learning from corrections, the gallery by type, and the cell that is looked at."""

    tab = "classification"

    def __init__(self, state: DashboardState, viewer: Part):
        self.lessons, self.gallery = Lessons(state), Gallery(state)
        super().__init__(state, [split(widgets.VBox([self.lessons, self.gallery]), viewer)])


def split(main: widgets.Widget, viewer: Part) -> widgets.Box:
    """Two columns: what there is, and the cell that is looked at."""
    side = widgets.Box([viewer]).add_class("dash-side")
    return widgets.Box([main, side]).add_class("dash-split")
