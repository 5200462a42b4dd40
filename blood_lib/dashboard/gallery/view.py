"""The Classification tab: learning from corrections, the gallery, and the current cell."""

from __future__ import annotations

import ipywidgets

from blood_lib.dashboard.gallery.gallery import Gallery
from blood_lib.dashboard.review.learning_panel import LearningPanel
from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.widgets.view import View, split
from blood_lib.dashboard.widgets.widget import Widget

__all__ = ["ClassificationView"]


class ClassificationView(View):
    """Learning from corrections, the gallery by type, and the current cell."""

    tab = "classification"

    def __init__(self, state: DashboardState, viewer: Widget):
        self.learning_panel, self.gallery = LearningPanel(state), Gallery(state)
        super().__init__(state, [split(ipywidgets.VBox([self.learning_panel, self.gallery]), viewer)])
