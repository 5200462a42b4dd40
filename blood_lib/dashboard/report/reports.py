"""The report and the table of results, made when they are asked for.

What a report says is for `page.py`, how a file reaches the visitor for `downloads.py`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from blood_lib.dashboard.report.page import Facts, iter_report
from blood_lib.dashboard.state import Cell, Download, RejectedFile, known
from blood_lib.dashboard.state.commands import SaveReport, SaveTable
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.jobs import Job
from blood_lib.dashboard.state.messages import DashboardError, Messages, Sentence
from blood_lib.inference import Result
from blood_lib.tables.cells import Reviewed, write_reviewed

__all__ = ["Reports", "make_table"]


class Reports:
    """Carries out `SaveReport`, in the background, and `SaveTable`, at once."""

    def __init__(self, controller: Controller):
        self.controller, self.state = controller, controller.state
        controller.register(SaveReport, self._on_report)
        controller.register(SaveTable, self._on_table)

    def _on_report(self, _command: SaveReport) -> None:
        self._check()
        facts, total = self._snapshot(datetime.now().astimezone()), len(self.state.cells)
        pieces = iter_report(facts, self.state.messages)
        self.controller.jobs.start("report", lambda job: self._write(job, facts, pieces), total=total)

    def _snapshot(self, when: datetime) -> Facts:
        """The state as it is now: what changes while the report is written is not in it."""
        state = self.state
        return Facts(
            bundle=known(state.bundle),
            cells=state.cells,
            rejected=state.rejected,
            ranges=dict(state.ranges),
            reviewer=state.reviewer,
            adapted=state.adapted,
            when=when,
            fields=state.fields,
        )

    def _write(self, job: Job, facts: Facts, pieces: Iterator[str]) -> None:
        total = len(facts.cells)
        content = b"".join(_encode(job, pieces, total))
        name = f"{self.state.messages('report.file')} {facts.when:%Y-%m-%d %H.%M.%S}.html"
        with self.state.lock:
            if job.wanted:
                self.state.download = Download(name, "text/html", content)

    def _on_table(self, _command: SaveTable) -> None:
        self._check()
        state = self.state
        table = make_table(state.cells, state.rejected, known(state.bundle).names, state.messages)
        when = datetime.now().astimezone()
        name = f"{state.messages('report.table_file')} {when:%Y-%m-%d %H.%M.%S}.csv"
        state.download = Download(name, "text/csv", table)

    def _check(self) -> None:
        if not self.state.cells and not self.state.rejected:
            raise DashboardError(Sentence("report.nothing"))


def _encode(job: Job, pieces: Iterable[str], total: int) -> Iterator[bytes]:
    """The pieces as bytes until somebody cancels, telling how many there were."""
    for done, piece in enumerate(pieces):
        if job.cancelled.is_set():
            return
        if done % 10 == 0:
            job.tell(min(done, total), total)
        yield piece.encode("utf-8", "replace")


def make_table(
    cells: Sequence[Cell], rejected: Sequence[RejectedFile], names: Sequence[str], messages: Messages
) -> bytes:
    """The CSV of `blood classify` with where each cell stands, and who says so (one of DECIDED).

    The reasons, made for people, are in the language of the page; whatever programs read stays in English.
    The rejected files come last; at its start is the mark by which Excel knows UTF-8.
    """
    rows = [Reviewed(cell.result, cell.label, cell.decided) for cell in cells]
    rows += [Reviewed(Result(file.name, "rejected", file.reason)) for file in rejected]
    text = io.StringIO()
    write_reviewed(rows, names, text, say=messages.reason)
    return text.getvalue().encode("utf-8-sig")
