"""One view a tab. A view is given the state only: it observes it, and writes to it what the user wants.

Views never see each other and never compute: numbers come from the core, pictures from `figure.py`. The Chart
tab has a module of its own, `chart_view.py`.
"""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets

from blood_lib.dashboard.figure import (
    CONFIG,
    build_layout,
    build_traces,
    describe_cells,
    draw_ring,
    load_widget_class,
)
from blood_lib.dashboard.gallery import Gallery
from blood_lib.dashboard.glyphs import svg_mark
from blood_lib.dashboard.help_page import build_help
from blood_lib.dashboard.lessons import Lessons
from blood_lib.dashboard.part import Part
from blood_lib.dashboard.parts import progress_values
from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.takeaway import TakeAway
from blood_lib.dashboard.uploader import Uploader

__all__ = ["ClassificationView", "HelpView", "MapView", "UploadView", "View"]


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
        state.observe(state.guard(self._show), ["progress", "cells", "rejected", "ready", "failed"])
        self._show()

    def _show(self, _change: Any = None) -> None:
        state, uploader = self.state, self.uploader
        with uploader.hold_sync():
            uploader.progress = progress_values(state)
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
    """The gallery by type, and the cell that is looked at."""

    tab = "classification"

    def __init__(self, state: DashboardState, viewer: Part):
        self.lessons, self.gallery, self.take = Lessons(state), Gallery(state), TakeAway(state)
        super().__init__(state, [self.lessons, _split(self.gallery, viewer), self.take])


def _split(main: widgets.Widget, viewer: Part) -> widgets.Box:
    side = widgets.Box([viewer]).add_class("dash-side")
    return widgets.Box([main, side]).add_class("dash-split")


class MapView(View):
    """The map; a click on an uploaded cell selects it everywhere."""

    tab = "map"
    watches = ("cells", "selected", "progress")

    def __init__(self, state: DashboardState, viewer: Part):
        t = state.messages
        self.intro = widgets.HTML(_intro(t("map.empty")))
        self.frame = (
            widgets.Box([_waiting(t("map.waiting"))]).add_class("dash-map").add_class("dash-figure-box")
        )
        self.legend = widgets.HTML(_legend(state))
        self.figure: Any = None
        self._alive = False  # the figure has been drawn in a page: from then on it takes updates
        self._ids: list[int] = []
        main = widgets.VBox([self.intro, self.frame, self.legend])
        super().__init__(state, [_split(main, viewer)])
        self._plan: tuple[list, dict] | None = None  # traces and layout
        state.observe(state.guard(self._on_prepared), ["connected", "prepared"])

    def prepare(self) -> None:
        """Compute what the figure will show, on any thread; nothing is drawn yet."""
        load_widget_class()
        state, atlas = self.state, self.state.classifier.atlas
        self._plan = build_traces(atlas, state.bundle, state.messages), build_layout(atlas, state.bundle)

    def _on_prepared(self, _change: Any) -> None:
        """Build the figure as soon as a page is there, so that it is drawn before anyone opens its tab."""
        if self.state.connected and self.state.prepared and self.figure is None:
            self.build()

    def build(self) -> None:
        """Make the one figure; its script is five megabytes, so there is never a second."""
        if self._plan is None:
            self.prepare()
        state, (traces, layout) = self.state, self._plan
        figure = load_widget_class()(data=traces, layout=layout)
        figure._config = figure._config | CONFIG
        figure.data[-2].on_click(state.guard(self._on_click))
        figure.observe(state.guard(self._on_alive), "_js2py_traceDeltas")
        self.figure = figure
        self.frame.children = [figure]
        self._update()

    def _on_alive(self, _change: Any) -> None:
        if not self._alive:
            self._alive = True
            self._update()  # what was sent before the page listened may be lost: say it again

    def draw(self) -> None:
        if self.figure is None and self.state.ready:
            self.build()
        elif self.figure is not None:
            self._update()

    def _on_change(self, change: Any) -> None:
        super()._on_change(change)
        over = change["name"] == "progress" and change["new"] is None
        if over and self._stale and self.figure is not None:  # be ready before the tab is opened
            self._stale = False
            self._update()

    def _update(self) -> None:
        state = self.state
        placed = [cell for cell in state.cells if cell.place is not None and cell.counts]
        self._ids = [cell.id for cell in placed]
        self.intro.value = _intro(state.messages("map.intro" if placed else "map.empty"))
        with self.figure.batch_update():
            self.figure.data[-2].update(describe_cells(placed, state.bundle, state.messages), overwrite=False)
            self.figure.data[-1].update(draw_ring(state.cell(state.selected)))

    def _on_click(self, _trace: Any, points: Any, _device: Any) -> None:
        """points.point_inds comes from the browser."""
        for index in list(points.point_inds)[:1]:
            if isinstance(index, int) and 0 <= index < len(self._ids):
                self.state.selected = self._ids[index]


def _intro(sentence: str) -> str:
    return f'<p class="dash-intro">{escape(sentence)}</p>'


def _waiting(sentence: str) -> widgets.HTML:
    return widgets.HTML(f'<p class="dash-empty">{escape(sentence)}</p>')


def _legend(state: DashboardState) -> str:
    if state.bundle is None:
        return ""
    marks = [
        f"<span>{svg_mark(i, info.colour)}{escape(state.messages.pick(info.label))}</span>"
        for i, info in enumerate(state.bundle.classes)
    ]
    return f'<p class="dash-legend">{"".join(marks)}</p>'
