"""The Help tab; what it says is for `page.py`."""

from __future__ import annotations

import ipywidgets

from blood_lib.dashboard.help.page import build_help
from blood_lib.dashboard.state import DashboardState, known
from blood_lib.dashboard.widgets.view import View

__all__ = ["HelpView"]


class HelpView(View):
    """What the tool is, how good, and where not to trust it."""

    tab = "help"

    def __init__(self, state: DashboardState):
        self.page = ipywidgets.HTML()
        super().__init__(state, [self.page])

    def draw(self) -> None:
        self.page.value = build_help(known(self.state.bundle), self.state.messages)
