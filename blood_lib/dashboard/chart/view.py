"""The Chart tab: the differential as a table, its reference ranges, charts, and buttons that save.

The numbers and their words come from `differential_table.py`; a report is made by `reports.py`.
"""

from __future__ import annotations

from typing import Any

import ipywidgets
from traitlets import Dict, List, Unicode

from blood_lib.bundle import Bundle
from blood_lib.dashboard.chart.charts import draw_charts
from blood_lib.dashboard.chart.differential_table import (
    SIGNS,
    DifferentialTable,
    Group,
    Row,
    build_differential_table,
    parse_range,
    show_limit,
)
from blood_lib.dashboard.chart.save_buttons import SaveButtons
from blood_lib.dashboard.chart.target import TARGETS
from blood_lib.dashboard.state import DashboardState, known
from blood_lib.dashboard.state.commands import SaveReport, SaveTable
from blood_lib.dashboard.widgets.markers import describe_types
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.view import View
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget
from blood_lib.files.archives import printable

__all__ = ["ChartView", "DifferentialWidget"]

MAX_NAME = 200


class DifferentialWidget(Widget):
    """The table of the differential. Its script changes the texts only, so that no input loses the focus."""

    _esm = script("chart/differential_table.js")
    accepts = ("range", "reset", "reviewer", "report", "table", "target")

    types: List[dict[str, Any]] = List().tag(sync=True)
    table = Dict(help="all that is shown, as texts; {}: nothing has been classified").tag(sync=True)
    reviewer = Unicode("").tag(sync=True)
    targets: List[int] = List(list(TARGETS), help="numbers to count to; 0: none").tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "chart")
        state.observe(lambda change: setattr(self, "reviewer", change["new"]), "reviewer")
        self.reviewer = state.reviewer

    def relabel(self) -> None:
        self.types = describe_types(self.state.bundle, self.state.messages) if self.state.bundle else []

    def show(self) -> None:
        """Everything as it is now."""
        state = self.state
        if not state.cells and not state.rejected:
            self.table = {}
            return
        bundle = known(state.bundle)
        table = build_differential_table(
            state.cells, len(state.rejected), bundle, state.ranges, state.messages, state.fields
        )
        self.table = self._describe(table, bundle)

    def _describe(self, table: DifferentialTable, bundle: Bundle) -> dict[str, Any]:
        state, t = self.state, self.state.messages
        return {
            "title": table.title,
            "groups": [self._describe_group(group) for group in table.groups],
            "ranged": bundle.differential is not None,
            "target": self._describe_target(table.differential.n),
            "edited": state.ranges != bundle.ranges,
            "unjudged": table.unjudged,
            "caution": table.caution,
            "decided": table.decided,
            "doubtful": t("chart.doubtful", n=table.doubtful) if table.doubtful else "",
            "notes": table.notes,
        }

    def _describe_target(self, n: int) -> dict[str, Any]:
        """How far the count is."""
        t, target = self.state.messages, self.state.target
        sentence = t("chart.target_reached", n=target) if n >= target else ""
        short = t("chart.target_short", n=n, target=target, rest=target - n)
        return {"n": n, "of": target, "sentence": (sentence or short) if target else ""}

    def _describe_group(self, group: Group) -> dict[str, Any]:
        rows = [self._describe_row(row) for row in group.rows]
        return {"kind": group.kind, "title": group.title, "rows": rows}

    def _describe_row(self, row: Row) -> dict[str, Any]:
        t = self.state.messages
        low, high = (show_limit(value, t) for value in row.limits) if row.limits else ("", "")
        return {
            "label": row.label,
            "index": row.index,
            "n": t.number(row.n),
            "share": row.share,
            "interval": row.interval,
            "low": low,
            "high": high,
            "flag": row.flag,
            "sign": SIGNS.get(row.flag, ""),
            "verdict": t(f"flag.{row.flag}") if row.flag else "",
        }

    # --- what a person does ---

    def _on_range(self, content: Content, _buffers: Buffers) -> None:
        """Another reference range, or none, for the class number `index`; the page is told how that went."""
        index, classes = content.get("index"), self.state.bundle.classes if self.state.bundle else ()
        if type(index) is not int or not 0 <= index < len(classes) or not classes[index].in_differential:
            return
        try:
            limits = parse_range(content.get("low"), content.get("high"))
        except ValueError:
            return self.send({"kind": "range", "index": index, "fits": False})
        others = {name: kept for name, kept in self.state.ranges.items() if name != classes[index].name}
        self.state.ranges = others | ({classes[index].name: limits} if limits else {})
        return self.send({"kind": "range", "index": index, "fits": True})

    def _on_reset(self, _content: Content, _buffers: Buffers) -> None:
        if self.state.bundle:
            self.state.ranges = self.state.bundle.ranges

    def _on_reviewer(self, content: Content, _buffers: Buffers) -> None:
        name = content.get("name")
        if isinstance(name, str):
            self.state.reviewer = printable(name[:MAX_NAME].strip())

    def _on_target(self, content: Content, _buffers: Buffers) -> None:
        if content.get("n") in TARGETS:
            self.state.target = content["n"]

    def _on_report(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = SaveReport()

    def _on_table(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = SaveTable()


class ChartView(View):
    """The differential, the buttons that save, bars and a pie."""

    tab = "chart"
    watches = ("cells", "rejected", "fields", "ranges", "target")

    def __init__(self, state: DashboardState):
        self.differential, self.save_buttons, self.page = (
            DifferentialWidget(state),
            SaveButtons(state),
            ipywidgets.HTML(),
        )
        super().__init__(state, [self.differential, self.save_buttons, self.page])

    def draw(self) -> None:
        state = self.state
        self.differential.show()
        self.save_buttons.some = bool(state.cells)
        self.page.value = draw_charts(state.cells, known(state.bundle), state.messages) if state.cells else ""
