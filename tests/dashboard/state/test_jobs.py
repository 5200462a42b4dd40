"""Long work: one piece at a time, its progress, and what cancelling and failing leave behind."""

from __future__ import annotations

import threading

import pytest

from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.state.commands import Cancel, Clear
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.jobs import Job
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from tests.tools.dashboard_tools import WAIT


@pytest.fixture
def controller() -> Controller:
    return Controller(DashboardState(), load=lambda: None)


def until_cancelled(job: Job) -> None:
    assert job.cancelled.wait(WAIT)


def test_progress_is_shown_while_it_runs_and_gone_afterwards(controller: Controller) -> None:
    seen = []
    controller.state.observe(lambda change: seen.append(change["new"]), "progress")
    controller.jobs.start("report", lambda job: job.tell(1, 3), total=3)
    controller.wait(WAIT)
    assert [(p.done, p.total, p.kind) for p in seen[:-1]] == [(0, 3, "report"), (1, 3, "report")]
    assert seen[-1] is None


def test_a_second_piece_of_work_is_refused_or_takes_the_place_of_the_first(controller: Controller) -> None:
    first = controller.jobs.start("adapt", until_cancelled)
    with pytest.raises(DashboardError, match="status.busy"):
        controller.jobs.start("report", until_cancelled)
    assert not first.cancelled.is_set()
    controller.jobs.start("classify", lambda job: None, replace=True)
    controller.wait(WAIT)
    assert first.cancelled.is_set()


def test_two_pieces_of_work_never_run_at_once(controller: Controller) -> None:
    running, most = [], []

    def work(_job: Job) -> None:
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.05)
        running.pop()

    for _ in range(4):
        controller.jobs.start("classify", work, replace=True)
    controller.wait(WAIT)
    assert set(most) == {1}


def test_cancel_says_so_and_leaves_the_way_free(controller: Controller) -> None:
    controller.jobs.start("adapt", until_cancelled)
    controller.state.command = Cancel()
    controller.wait(WAIT)
    assert controller.state.notice == Sentence("status.stopped")
    assert controller.state.progress is None
    controller.jobs.start("adapt", lambda job: None)
    controller.wait(WAIT)


def test_work_that_fails_is_told_and_not_quoted(controller: Controller, capfd) -> None:
    def work(_job: Job) -> None:
        raise ZeroDivisionError("secret-name.png")

    controller.jobs.start("report", work)
    controller.wait(WAIT)
    assert controller.state.error == Sentence("status.error")
    assert "secret" not in capfd.readouterr().err
    assert controller.state.progress is None


def test_what_is_cleared_shows_no_progress_of_what_still_ends(controller: Controller) -> None:
    go_on = threading.Event()

    def work(job: Job) -> None:
        go_on.wait(WAIT)
        job.tell(5, 5)

    controller.jobs.start("adapt", work)
    controller.state.command = Clear()
    go_on.set()
    controller.wait(WAIT)
    assert controller.state.progress is None
