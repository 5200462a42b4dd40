"""What every view is. A view is given the state only: it observes it, and writes to it what the user wants.

Views never see each other and never compute: numbers come from the core. Each view lies in its area's folder.
"""

from __future__ import annotations

from typing import Any

import ipywidgets

from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.widgets.widget import Widget

__all__ = ["View", "split"]


class View(ipywidgets.VBox):
    """A tab's panel: draws itself when it is on the screen and something it shows has changed."""

    tab = ""
    watches: tuple[str, ...] = ()

    def __init__(self, state: DashboardState, children: list[ipywidgets.Widget]):
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


def split(main: ipywidgets.Widget, viewer: Widget) -> ipywidgets.Box:
    """Two columns: what there is, and the current cell."""
    side = ipywidgets.Box([viewer]).add_class("dash-side")
    return ipywidgets.Box([main, side]).add_class("dash-split")
