"""Moving cells: what counts and what is selected afterwards, undo and redo, and that every tab follows."""

from __future__ import annotations

import re
import threading
from collections import Counter

import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.state import EXCLUDED, UNIDENTIFIED, RejectedFile
from blood_lib.dashboard.state.commands import Clear, Move, Redo, Undo, Upload
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import WAIT, classify, drawn_files, listen, say


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, drawn_files())
    return app


def move(app: App, *numbers: int, group: str | None) -> None:
    """Move the cells with these places in the upload."""
    app.state.command = Move(tuple(app.state.cells[i].id for i in numbers), group)


def labels(app: App) -> list[str]:
    return [cell.label for cell in app.state.cells]


def test_a_moved_cell_counts_where_it_was_put_and_keeps_what_the_model_said(app: App) -> None:
    move(app, 0, group="blue")
    cell = app.state.cells[0]
    assert (cell.label, cell.result.label) == ("blue", "red")
    assert cell.moved
    assert cell.reviewed


def test_a_cell_put_where_the_model_had_it_is_confirmed_and_not_moved(app: App) -> None:
    move(app, 0, group="red")
    cell = app.state.cells[0]
    assert cell.reviewed
    assert not cell.moved
    assert not cell.doubtful
    move(app, 0, group=None)
    assert not app.state.cells[0].reviewed


@pytest.mark.parametrize("group", [UNIDENTIFIED, EXCLUDED])
def test_the_extra_groups_do_not_count(app: App, group: str) -> None:
    move(app, 0, 1, group=group)
    assert [cell.counts for cell in app.state.cells] == [False, False, True]
    app.state.tab = "chart"
    assert re.findall(r'class="dash-count">(\d+)<', app.chart.page.value) == ["0", "0", "1"]


@pytest.mark.parametrize("group", ["nowhere", "", 5, ["red"]])
def test_there_is_no_moving_to_a_group_that_is_not_there(app: App, group: object) -> None:
    before = app.state.cells
    app.state.command = Move((before[0].id,), group)
    assert app.state.cells is before


def test_ids_without_a_cell_are_left_out(app: App) -> None:
    app.state.command = Move((10**9, app.state.cells[1].id), "red")
    assert labels(app) == ["red", "red", "blue"]


def test_undo_and_redo_take_whole_steps(app: App) -> None:
    move(app, 0, 1, group="blue")
    move(app, 0, group=EXCLUDED)
    app.state.command = Undo()
    assert labels(app) == ["blue", "blue", "blue"]
    app.state.command = Undo()
    assert labels(app) == ["red", "green", "blue"]
    assert not any(cell.reviewed for cell in app.state.cells)
    assert (app.state.can_undo, app.state.can_redo) == (False, True)
    app.state.command = Redo()
    assert labels(app) == ["blue", "blue", "blue"]
    assert (app.state.can_undo, app.state.can_redo) == (True, True)


def test_a_move_that_changes_nothing_is_no_step(app: App) -> None:
    move(app, 0, group=None)
    assert not app.state.can_undo


def test_only_what_was_moved_is_selected_no_longer(app: App) -> None:
    ids = [cell.id for cell in app.state.cells]
    app.state.selected = tuple(ids)
    move(app, 0, 2, group="blue")
    assert app.state.selected == (ids[1],)


def test_undo_is_not_offered_for_cells_that_are_gone(app: App) -> None:
    move(app, 0, group="blue")
    classify(app, drawn_files())
    assert not app.state.can_undo
    app.state.command = Undo()
    assert labels(app) == ["red", "green", "blue"]
    move(app, 0, group="blue")
    app.state.command = Clear()
    assert not app.state.can_undo


def test_a_cell_that_still_waits_can_be_moved_while_others_arrive(app: App) -> None:
    """What a background thread adds must not undo what a person has done meanwhile."""
    move(app, 1, group="red")
    app.state.cells += (app.state.cells[2],)
    assert Counter(labels(app)) == {"red": 2, "blue": 2}


def test_images_that_are_added_join_those_that_are_there_and_what_was_decided(app: App) -> None:
    move(app, 0, group="blue")
    before = app.state.cells
    app.classifying.max_images = 4  # on the page
    app.state.command = Upload(drawn_files(), add=True)
    app.controller.wait(WAIT)
    assert app.state.cells[:3] == before and len(app.state.cells) == 4
    assert app.state.notice.key.startswith("status.limit_")
    app.state.command = Undo()
    assert labels(app) == ["red", "green", "blue", "red"]


def test_files_that_were_rejected_meanwhile_stay_when_a_step_is_taken_back(app: App) -> None:
    first, late = RejectedFile("a.txt", None), RejectedFile("b.txt", None)
    with app.review.step():
        app.state.rejected = (first,)
    app.state.rejected += (late,)
    app.state.command = Undo()
    assert app.state.rejected == (late,)
    app.state.command = Redo()
    assert app.state.rejected == (first, late)


def test_other_files_in_an_archive_are_passed_over_and_no_rejected_cells(app: App) -> None:
    inside = {"a.png": drawn_files()[0][1], "notes.txt": b"text", "folder/list.csv": b"a,b", "b.jpg": b"none"}
    classify(app, [(f"cells.zip/{name}", content) for name, content in inside.items()] + [("c.txt", b"text")])
    assert [cell.name for cell in app.state.cells] == ["cells.zip/a.png"]
    assert [file.name for file in app.state.rejected] == ["cells.zip/b.jpg", "c.txt"]
    assert app.state.notice == Sentence("status.passed_over", {"n": 2})


def test_nothing_is_added_while_something_runs(app: App, capfd) -> None:
    before, release = app.state.cells, threading.Event()
    app.controller.jobs.start("report", lambda _job: release.wait(WAIT))
    app.state.command = Upload(drawn_files(), add=True)
    assert app.state.error == Sentence("status.busy")
    release.set()
    app.controller.wait(WAIT)
    assert app.state.cells is before


def test_the_gallery_is_told_of_the_moved_cells_only(app: App) -> None:
    gallery = app.classification.gallery
    say(gallery, kind="hello")
    heard = listen(gallery)
    move(app, 1, group="blue")
    assert [item[:3] for item in heard[-1].content["items"]] == [[app.state.cells[1].id, "green.png", 2]]


def test_every_tab_lives_with_cells_that_count_nowhere(app: App) -> None:
    move(app, 0, group=UNIDENTIFIED)
    move(app, 1, group=EXCLUDED)
    for tab in ("chart", "classification", "map", "upload"):
        app.state.tab = tab
        for cell in app.state.cells:
            app.state.current = cell.id
    assert not app.state.error
