"""The Upload tab: where files come in, and what became of them.

How a browser hands them over is for `uploader.py`, what is done with them for `classification.py`.
"""

from __future__ import annotations

from typing import Any

from blood_lib.dashboard.review.keeping import Keeping
from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.upload.uploader import Uploader
from blood_lib.dashboard.widgets.page import progress_values
from blood_lib.dashboard.widgets.view import View
from blood_lib.files.reasons import ANSWERED

__all__ = ["UploadView", "summarise"]


class UploadView(View):
    """Where files come in, and what became of them."""

    tab = "upload"

    def __init__(self, state: DashboardState):
        self.uploader, self.keeping = Uploader(state), Keeping(state)
        super().__init__(state, [self.uploader, self.keeping])
        state.observe(
            state.guard(self._show), ["progress", "cells", "rejected", "fields", "saved", "ready", "failed"]
        )
        state.observe(state.guard(self._repeat), "connected")
        self._show()

    def _repeat(self, _change: Any) -> None:
        """The classifier may have been loaded after the page asked for everything and before it listened."""
        self.uploader.send_state("phase")

    def _show(self, _change: Any = None) -> None:
        state, uploader = self.state, self.uploader
        with uploader.hold_sync():
            uploader.progress, uploader.unsaved = progress_values(state), state.unsaved
            uploader.there = len(state.cells) + len(state.rejected)
            uploader.phase = "ready" if state.ready else "failed" if state.failed else "preparing"
            if state.progress is None:
                uploader.summary = summarise(state)


def summarise(state: DashboardState) -> dict[str, int]:
    """How many cells there are, in how many fields, how many of each doubtful kind; {} before any upload."""
    if not state.cells and not state.rejected:
        return {}
    found = [cell.status for cell in state.cells]
    doubts = {status: found.count(status) for status in ANSWERED[1:]}
    return {"n": len(found), "fields": len(state.fields), **doubts, "rejected": len(state.rejected)}
