"""The gallery's talk with its page: what is sent when, and what becomes of true and false messages."""

from __future__ import annotations

import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.gallery.gallery import Gallery
from blood_lib.dashboard.state import Progress
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import classify, drawn_files, listen, say


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, drawn_files())
    return app


@pytest.fixture
def gallery(app: App) -> Gallery:
    say(app.classification.gallery, kind="hello")
    return app.classification.gallery


def ids(app: App) -> list[int]:
    return [cell.id for cell in app.state.cells]


def test_the_page_is_told_where_a_cell_stands_and_what_the_model_said(app: App, gallery: Gallery) -> None:
    heard = listen(gallery)
    say(gallery, kind="move", ids=ids(app)[:1], group=4)
    identity, name, group, said, status, confidence, *said_by_people = heard[-1].content["items"][0]
    assert (identity, name, group, said, said_by_people) == (ids(app)[0], "red.png", 4, 0, ["person", False])
    assert status == app.state.cells[0].status
    assert confidence == pytest.approx(app.state.cells[0].confidence, abs=1e-4)
    assert [app.state.cells[0].label, gallery.groups[4]["label"]] == ["excluded", "excluded"]


def test_a_confirmed_cell_stays_where_it_stands(app: App, gallery: Gallery) -> None:
    say(gallery, kind="move", ids=ids(app)[:1], group=2)
    say(gallery, kind="confirm", ids=ids(app))
    assert [cell.label for cell in app.state.cells] == ["blue", "green", "blue"]
    assert all(cell.reviewed for cell in app.state.cells)
    say(gallery, kind="undo")
    assert [cell.reviewed for cell in app.state.cells] == [True, False, False]
    assert (gallery.can_undo, gallery.can_redo) == (True, True)
    say(gallery, kind="redo")
    assert all(cell.reviewed for cell in app.state.cells)


@pytest.mark.parametrize("group", [5, -1, "0", None, True, 1.0, [0]])
def test_a_false_group_moves_nothing(app: App, gallery: Gallery, group: object) -> None:
    say(gallery, kind="move", ids=ids(app), group=group)
    assert not any(cell.reviewed for cell in app.state.cells)


@pytest.mark.parametrize("hostile", [None, "all", 5, {}, [None, "1", -1, 10**9, [1], True]])
def test_false_ids_are_no_cells(app: App, gallery: Gallery, hostile: object) -> None:
    for kind in ("move", "confirm", "select"):
        say(gallery, kind=kind, ids=hostile, group=0)
    assert not any(cell.reviewed for cell in app.state.cells)
    assert app.state.selected == ()
    assert not app.state.error


def test_what_the_page_selects_is_not_sent_back_and_others_are(app: App, gallery: Gallery) -> None:
    """An echo could overtake what is selected meanwhile."""
    heard = listen(gallery)
    say(gallery, kind="select", ids=ids(app)[:2])
    assert app.state.selected == tuple(ids(app)[:2])
    assert not heard
    app.state.selected = tuple(ids(app)[2:])
    assert heard[-1].content["ids"] == ids(app)[2:]


def test_a_page_that_starts_anew_gets_the_marks_too(app: App, gallery: Gallery) -> None:
    app.state.selected = tuple(ids(app)[:1])
    heard = listen(gallery)
    say(gallery, kind="hello")
    assert (heard[-1].content["kind"], heard[-1].content["selected"]) == ("reset", ids(app)[:1])


def test_the_page_knows_whether_more_cells_come(app: App, gallery: Gallery) -> None:
    heard = listen(gallery)
    app.state.progress = Progress(1, 9)
    assert heard[-1].content["more"]
    app.state.progress = None
    assert not heard[-1].content["more"]
    app.state.progress = Progress(1, 9, "report")
    assert len(heard) == 2
