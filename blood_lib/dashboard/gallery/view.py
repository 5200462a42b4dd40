"""The Classification tab: learning from corrections, the gallery, and the cell that is looked at."""

from __future__ import annotations

import ipywidgets as widgets

from blood_lib.dashboard.gallery.gallery import Gallery
from blood_lib.dashboard.review.learning_panel import Lessons
from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.widgets.view import View, split
from blood_lib.dashboard.widgets.widget import Part

__all__ = ["ClassificationView"]


class ClassificationView(View):
    """Learning from corrections, the gallery by type, and the cell that is looked at."""

    tab = "classification"

    def __init__(self, state: DashboardState, viewer: Part):
        self.lessons, self.gallery = Lessons(state), Gallery(state)
        super().__init__(state, [split(widgets.VBox([self.lessons, self.gallery]), viewer)])
