"""Puts the dashboard together: state, controller and one view a tab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from blood_lib.bundle import Bundle, load_bundle
from blood_lib.dashboard.chart.target import Target
from blood_lib.dashboard.chart.view import ChartView
from blood_lib.dashboard.field.drawing import Drawing
from blood_lib.dashboard.field.view import FieldsView
from blood_lib.dashboard.gallery.view import ClassificationView
from blood_lib.dashboard.help.view import HelpView
from blood_lib.dashboard.map.view import MapView
from blood_lib.dashboard.report.reports import Reports
from blood_lib.dashboard.review.learning import Learning
from blood_lib.dashboard.review.review import Review
from blood_lib.dashboard.review.saving import Saving
from blood_lib.dashboard.state import DashboardState, known
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.dashboard.upload.bundles import Bundles
from blood_lib.dashboard.upload.classification import Classification
from blood_lib.dashboard.upload.view import UploadView
from blood_lib.dashboard.viewer.viewer import Viewer
from blood_lib.dashboard.widgets.downloads import Downloads
from blood_lib.dashboard.widgets.page import Keys, Nav, StatusBar
from blood_lib.files.errors import BloodError

if TYPE_CHECKING:
    from blood_lib.inference import Classifier

__all__ = ["BUNDLE_VARIABLE", "App"]

BUNDLE_VARIABLE = "BLOOD_BUNDLE"  # how `blood serve --bundle` tells the kernels


class App(ipywidgets.VBox):
    """The dashboard. Without a classifier it loads the bundle named in $BLOOD_BUNDLE, or the shipped one."""

    def __init__(self, classifier: Classifier | None = None, *, language: str = "en"):
        bundle, problem = _find_bundle(classifier)
        self.state = DashboardState(bundle, language=language)
        if problem:
            self.state.error = Sentence("status.bundle", {"reason": problem})
            self.state.failed = True
        self.controller = Controller(self.state, lambda: classifier or _load_classifier(known(bundle)))
        self.classifying, self.review = Classification(self.controller), Review(self.controller)
        self.reports, self.target = Reports(self.controller), Target(self.state)
        self.learning = Learning(self.controller, self.review)
        self.drawing = Drawing(self.controller, self.review)
        self.saving, self.bundles = Saving(self.controller), Bundles(self.controller)
        super().__init__(self._build())
        self.add_class("dash-app")
        if bundle is not None:
            self.controller.warm_up(self.map.map.prepare)
        else:
            self.controller.loaded.set()

    def _build(self) -> list[ipywidgets.Widget]:
        state = self.state
        self.nav, self.status, self.viewer = Nav(state), StatusBar(state), Viewer(state)
        self.downloads, self.shortcuts = Downloads(state), Keys(state)
        self.upload, self.help, self.chart = UploadView(state), HelpView(state), ChartView(state)
        self.classification, self.map = ClassificationView(state, self.viewer), MapView(state, self.viewer)
        self.nav.add_class("dash-top")
        self.status.add_class("dash-status")
        self.fields = FieldsView(state, self.viewer)
        panels = [self.upload, self.help, self.fields, self.chart, self.classification, self.map]
        return [self.nav, self.status, *panels, self.downloads, self.shortcuts]


def _find_bundle(classifier: Classifier | None) -> tuple[Bundle | None, str]:
    """(bundle, "") or (None, what is wrong with it)."""
    if classifier is not None:
        return classifier.bundle, ""
    path = os.environ.get(BUNDLE_VARIABLE)
    try:
        return load_bundle(Path(path) if path else None), ""
    except BloodError as error:
        return None, str(error)


def _load_classifier(bundle: Bundle) -> Classifier:
    from blood_lib.inference import Classifier

    return Classifier(bundle)
