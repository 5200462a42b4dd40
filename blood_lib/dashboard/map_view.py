"""The tab with the map: one figure for as long as the page is open, and a bar to move what is chosen on it.

What the figure shows is for `figure.py`.
"""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets
from traitlets import Bool, Int, List

from blood_lib.dashboard.figure import (
    build_layout,
    build_traces,
    build_widget,
    describe_cells,
    find_changes,
    load_widget_class,
)
from blood_lib.dashboard.glyphs import describe_groups, name_groups, svg_mark
from blood_lib.dashboard.part import Part, script
from blood_lib.dashboard.state import Command, DashboardState
from blood_lib.dashboard.views import View, split

__all__ = ["MapView", "MarkedBar", "Ring"]


class MarkedBar(Part):
    """How many cells are marked, and where to put them; switches the map between moving and choosing."""

    _esm = script("menu", "marked")
    accepts = ("choose", "move", "unmark")

    groups = List(help="label, colour and shape of all groups, as name_groups has them").tag(sync=True)
    marked = Int(0, help="number of marked cells").tag(sync=True)
    choosing = Bool(False, help="a drag on the map chooses cells").tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "marked")
        state.observe(lambda change: setattr(self, "marked", len(change["new"])), "marked")

    def relabel(self) -> None:
        bundle = self.state.bundle
        self.groups = describe_groups(bundle, self.state.messages) if bundle else []

    def _on_choose(self, content: dict, _buffers: list) -> None:
        self.choosing = content.get("on") is True

    def _on_move(self, content: dict, _buffers: list) -> None:
        names, group = name_groups(self.state.bundle), content.get("group")
        if self.state.marked and type(group) is int and 0 <= group < len(names):
            self.state.command = Command("move", ids=self.state.marked, group=names[group])

    def _on_unmark(self, _content: dict, _buffers: list) -> None:
        self.state.marked = ()


class Ring(Part):
    """The ring around the selected cell: over the figure, which knows nothing of it."""

    _esm = script("ring")

    place = List(help="of the selected cell on the map, [x, y]; [] where there is none").tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "map")
        state.observe(state.guard(self._show), ["selected", "cells"])

    def _show(self, _change: Any) -> None:
        cell = self.state.cell(self.state.selected)
        self.place = list(cell.place) if cell is not None and cell.place is not None else []


class MapView(View):
    """The map; a click on an uploaded cell selects it everywhere, a lasso around several marks them."""

    tab = "map"
    watches = ("cells", "marked", "progress", "classifier")

    def __init__(self, state: DashboardState, viewer: Part):
        self.intro, self.legend = widgets.HTML(), widgets.HTML()
        self.bar, self.ring = MarkedBar(state), Ring(state)
        self.waiting = widgets.HTML()
        self.frame = widgets.Box([self.waiting]).add_class("dash-map").add_class("dash-figure-box")
        self.figure: Any = None
        self._alive = False  # the figure has been drawn in a page: from then on it takes updates
        self._ids: list[int] = []  # of the cells on the map, as their trace has them
        self._cells: dict[str, Any] = {}  # what their trace shows
        self._layout: tuple[Any, dict] | None = None  # atlas, and the layout that shows it
        self._laid_out: Any = None  # the atlas that the figure shows
        main = widgets.VBox([self.intro, self.bar, self.frame, self.legend])
        super().__init__(state, [split(main, viewer)])
        self._show_words()
        state.observe(state.guard(self._on_prepared), ["connected", "prepared"])
        self.bar.observe(state.guard(self._show_choosing), "choosing")

    # --- the figure ---

    def prepare(self) -> None:
        """Compute what the figure will show, on any thread; nothing is drawn yet."""
        load_widget_class()
        self._lay_out()

    def _lay_out(self) -> dict[str, Any]:
        """The layout of the atlas in use; it takes a fifth of a second, so it is kept."""
        atlas = self.state.classifier.atlas
        if self._layout is None or self._layout[0] is not atlas:
            self._layout = atlas, build_layout(atlas, self.state.bundle)
        return self._layout[1]

    def _on_prepared(self, _change: Any) -> None:
        """Build the figure as soon as a page is there, so that it is drawn before anyone opens its tab."""
        if self.state.connected and self.state.prepared and self.figure is None:
            self.build()

    def build(self) -> None:
        """Make the one figure; its script is five megabytes, so there is never a second."""
        state, layout = self.state, self._lay_out()
        self._laid_out = state.classifier.atlas
        figure = build_widget(build_traces(state.bundle, state.messages), layout)
        cells = figure.data[0]
        cells.on_click(state.guard(self._on_click))
        cells.on_selection(state.guard(self._on_selection))
        cells.on_deselect(state.guard(self._on_selection))
        figure.observe(state.guard(self._on_alive), "_js2py_traceDeltas")
        self.figure = figure
        self.frame.children = [figure, self.ring]
        self._update()

    def _on_alive(self, _change: Any) -> None:
        """What was sent before the page listened is lost, and only changes are sent: so all of it again."""
        if not self._alive:
            self._alive, self._cells = True, {}
            self._update()

    # --- what it shows ---

    def draw(self) -> None:
        self._show_words()
        if self.figure is None and self.state.ready:
            self.build()
        elif self.figure is not None:
            self._update()

    def _on_change(self, change: Any) -> None:
        super()._on_change(change)
        over = change["name"] == "progress" and change["new"] is None
        if over and self._stale and self.figure is not None:  # be ready before the tab is opened
            self._stale = False
            self.draw()

    def _update(self) -> None:
        state, figure = self.state, self.figure
        placed = [cell for cell in state.cells if cell.place is not None]
        self._ids = [cell.id for cell in placed]
        self._show_intro()
        if self._laid_out is not state.classifier.atlas:
            self._show_atlas()
        cells = describe_cells(placed, state.bundle, state.messages, state.marked)
        if changes := find_changes(self._cells, cells):
            figure.restyle(changes)
        self._cells = cells

    def _show_atlas(self) -> None:
        """Another bundle has other reference cells, and its map reaches elsewhere."""
        layout, self._laid_out = self._lay_out(), self.state.classifier.atlas
        with self.figure.batch_update():
            for name in ("images", "xaxis", "yaxis"):
                self.figure.layout[name] = layout[name]

    def _show_choosing(self, _change: Any) -> None:
        if self.figure is not None:
            self.figure.layout.dragmode = "lasso" if self.bar.choosing else "pan"

    def _show_words(self) -> None:
        self.waiting.value = f'<p class="dash-empty">{escape(self.state.messages("map.waiting"))}</p>'
        self.legend.value = _legend(self.state)
        self._show_intro()

    def _show_intro(self) -> None:
        sentence = self.state.messages("map.intro" if self._ids else "map.empty")
        self.intro.value = f'<p class="dash-intro">{escape(sentence)}</p>'

    # --- what a visitor does on it; `points` comes from the browser ---

    def _on_click(self, _trace: Any, points: Any, _device: Any) -> None:
        for identity in self._find(points)[:1]:
            self.state.selected = identity

    def _on_selection(self, _trace: Any, points: Any, _selector: Any = None) -> None:
        """A lasso has been drawn, or taken away by a double click."""
        self.state.marked = tuple(self._find(points))

    def _find(self, points: Any) -> list[int]:
        """The ids of the cells that are meant."""
        known = range(len(self._ids))
        return [self._ids[i] for i in points.point_inds if type(i) is int and i in known]


def _legend(state: DashboardState) -> str:
    """The classes with their marks, and how reviewed cells look."""
    if state.bundle is None:
        return ""
    marks = [
        f"<span>{svg_mark(i, info.colour)}{escape(state.messages.pick(info.label))}</span>"
        for i, info in enumerate(state.bundle.classes)
    ]
    reviewed = f'<span><i class="dash-reviewed"></i>{escape(state.messages("map.reviewed"))}</span>'
    return f'<p class="dash-legend">{"".join(marks)}{reviewed}</p>'
