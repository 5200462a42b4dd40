"""The map without a browser: what its script is told, and what a visitor does on it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.map.data import pack_atlas
from blood_lib.dashboard.state import EXCLUDED
from blood_lib.dashboard.state.commands import Confirm, Move
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import Wrapped, classify, drawn_files, listen, say
from tests.tools.fixtures_bundle import draw_cell, encode, save_tiny_bundle
from tests.tools.serving import wait_for

EVIL = '<img src=x onerror="alert(1)">.png'


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, [*drawn_files(), (EVIL, encode(draw_cell()))])
    return app


def greet(app: App) -> list[SimpleNamespace]:
    """A page has opened the map: what it hears, from the first message on."""
    wait_for(lambda: app.state.prepared)
    heard = listen(app.map.map)
    say(app.map.map, kind="hello")
    return heard


def kinds(heard: list[SimpleNamespace]) -> list[str]:
    return [message.content["kind"] for message in heard]


def appearance(message: SimpleNamespace) -> dict[int, list[int]]:
    """id -> group, status, review."""
    ids, rows = np.frombuffer(message.buffers[0], "<u4"), np.frombuffer(message.buffers[1], np.uint8)
    return dict(zip(ids.tolist(), rows.reshape(-1, 3).tolist(), strict=True))


# --- what the page gets ---


def test_a_page_that_says_hello_hears_of_the_atlas_and_of_all_cells(app: App) -> None:
    atlas, reset, cells = greet(app)
    assert kinds([atlas, reset, cells]) == ["atlas", "reset", "cells"]
    assert cells.content["names"] == [cell.name for cell in app.state.cells]
    places = np.frombuffer(cells.buffers[3], "<f4").reshape(-1, 2)
    assert places == pytest.approx(np.array([cell.place for cell in app.state.cells]), abs=1e-6)
    assert list(appearance(cells)) == [cell.id for cell in app.state.cells]


def test_the_atlas_is_sent_with_each_reference_cell_and_a_zone_of_every_class(
    tiny_classifier: Classifier,
) -> None:
    atlas = tiny_classifier.atlas
    content, (places, target, raster) = pack_atlas(atlas)
    assert np.frombuffer(places, "<f4").reshape(-1, 2) == pytest.approx(atlas.embedding)
    assert np.frombuffer(target, np.uint8).tolist() == atlas.target.tolist()
    assert set(raster) == {*range(len(tiny_classifier.bundle.classes)), 255}
    left, bottom, right, top = content["bounds"]
    assert left < atlas.embedding[:, 0].min() < atlas.embedding[:, 0].max() < right
    assert bottom < atlas.embedding[:, 1].min() < atlas.embedding[:, 1].max() < top


def test_a_page_that_came_first_hears_of_the_atlas_when_it_is_ready(tiny_classifier: Classifier) -> None:
    app = App(tiny_classifier)
    heard = greet(app)
    app.state.prepared = False
    say(app.map.map, kind="hello")
    assert kinds(heard).count("atlas") == 1
    app.state.prepared = True
    assert kinds(heard).count("atlas") == 2


def test_another_bundle_brings_its_atlas_and_takes_the_cells_away(app: App, tmp_path) -> None:
    heard = greet(app)
    before = heard[0].buffers
    heard.clear()
    app.controller.use(Classifier(save_tiny_bundle(tmp_path, seed=1)))
    assert sorted(kinds(heard)) == ["atlas", "reset"]
    (atlas,) = [message for message in heard if message.content["kind"] == "atlas"]
    assert atlas.buffers != before


def test_cells_without_a_place_are_not_on_the_map(tiny_classifier: Classifier, capfd) -> None:
    class Lost(Wrapped):
        def transform(self, features: np.ndarray) -> np.ndarray:
            raise MemoryError

    app = App(Wrapped(tiny_classifier, atlas=Lost(tiny_classifier.atlas)))
    heard = listen(app.map.map)
    classify(app, drawn_files())
    say(app.map.map, kind="hello")
    assert len(app.state.cells) == 3
    assert set(kinds(heard)) == {"reset"}


# --- what a review changes ---


def test_of_a_move_only_the_appearance_of_the_moved_cells_travel(app: App) -> None:
    heard = greet(app)
    heard.clear()
    first = app.state.cells[0]
    app.state.command = Move((first.id,), "blue")
    (message,) = heard
    assert message.content == {"kind": "appearance", "run": app.state.runs}
    ((identity, (group, _, review)),) = appearance(message).items()
    assert (identity, group, review) == (first.id, 2, 2)
    app.state.tab = "map"
    assert len(heard) == 1


def test_a_look_tells_group_status_review_and_confidence(app: App) -> None:
    cells = app.state.cells
    app.state.command = Confirm((cells[1].id,))
    app.state.command = Move((cells[2].id,), EXCLUDED)
    message = greet(app)[-1]
    told, confidences = appearance(message), np.frombuffer(message.buffers[2], "<f4")
    assert [told[cell.id][2] for cell in cells] == [0, 1, 2, 0]
    assert told[cells[2].id][0] == len(app.state.bundle.classes) + 1
    assert confidences == pytest.approx([cell.confidence for cell in cells], abs=1e-6)


def test_marks_from_elsewhere_reach_the_map_and_its_own_do_not_come_back(app: App) -> None:
    heard, first = greet(app), app.state.cells[0].id
    heard.clear()
    app.state.selected = (first,)
    assert heard.pop().content == {"kind": "selected", "run": app.state.runs, "ids": [first]}
    say(app.map.map, kind="select", ids=[])
    assert app.state.selected == ()
    assert not heard


# --- what a visitor does ---


def test_a_click_on_the_map_selects_and_a_false_one_does_not(app: App) -> None:
    known = app.state.cells[1].id
    for identity, expected in [(known, known), (99, None), (-1, None), ("0", None), (True, None)]:
        app.state.current = None
        say(app.map.map, kind="open", id=identity)
        assert app.state.current == app.map.map.current == expected


def test_a_lasso_marks_cells_and_the_bar_moves_them(app: App) -> None:
    ids = [app.state.cells[i].id for i in (0, 3)]
    say(app.map.map, kind="select", ids=[*ids, 99, "1", True, ids[0]])
    assert app.state.selected == tuple(ids)
    for hostile in (None, 5, -1, "green", True):
        say(app.map.map, kind="move", group=hostile, ids=ids)
    assert not any(cell.reviewed for cell in app.state.cells)
    say(app.map.map, kind="move", group=1, ids=ids)
    assert [cell.group for cell in app.state.cells] == ["green", None, None, "green"]
    assert app.state.selected == ()
