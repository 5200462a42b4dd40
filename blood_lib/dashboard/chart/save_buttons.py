"""Buttons that save the review to a file; making it is for `saving.py`."""

from __future__ import annotations

from traitlets import Bool

from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.state.commands import SaveReview
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget

__all__ = ["SaveButtons"]


class SaveButtons(Widget):
    """Shown where there are cells: `some` is set by the Chart tab, once its numbers stand above it."""

    _esm = script("chart/save_buttons.js")
    accepts = ("save",)

    some = Bool(False, help="there are cells").tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "save")

    def _on_save(self, content: Content, _buffers: Buffers) -> None:
        self.state.command = SaveReview(content.get("images") is True)
