"""How many cells shall be counted: tells once when they are. What counts is for `blood_lib.counts`."""

from __future__ import annotations

from typing import Any

from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.state.messages import Sentence

__all__ = ["TARGETS", "Target", "count_counted"]

TARGETS = (0, 100, 200, 400)  # 0: none


def count_counted(state: DashboardState) -> int:
    """How many cells stand in a class of the differential."""
    classes = state.bundle.classes if state.bundle else ()
    counted = {info.name for info in classes if info.in_differential}
    return sum(cell.label in counted for cell in state.cells)


class Target:
    """Watches the cells, and gives a notice when there are enough that were too few before."""

    def __init__(self, state: DashboardState):
        self.state = state
        self._n = 0  # counted before
        state.observe(state.guard(self._on_cells), "cells")

    def _on_cells(self, _change: Any) -> None:
        before, self._n, target = self._n, count_counted(self.state), self.state.target
        if before < target <= self._n:
            self.state.notice = Sentence("chart.target_reached", {"n": target})
