"""The viewer without a browser: what it shows of a cell, how one goes on, and what people say about it."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from blood_lib.bundle import SubtypeInfo
from blood_lib.dashboard.app import App
from blood_lib.dashboard.state import EXCLUDED, UNIDENTIFIED, Cell
from blood_lib.dashboard.state.commands import Clear
from blood_lib.dashboard.viewer.viewer import frame_of
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import classify, drawn_files, say

RED, GREEN, BLUE = range(3)


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, drawn_files())
    return app


def shown(app: App) -> Cell:
    return app.state.cell(app.state.current)


def select(app: App, index: int) -> Cell:
    app.state.current = app.state.cells[index].id
    return shown(app)


# --- what is shown ---


def test_the_current_cell_is_shown_with_all_that_the_model_says(app: App) -> None:
    cell, viewer = select(app, GREEN), app.viewer
    assert viewer.cell["name"] == cell.name
    assert viewer.cell["group"] == viewer.cell["said"] == GREEN
    assert (viewer.cell["at"], viewer.cell["total"]) == (2, 3)
    kinds, probs = zip(*viewer.cell["probabilities"], strict=True)
    assert kinds[0] == GREEN
    assert list(probs) == sorted(probs, reverse=True)
    assert sum(probs) == pytest.approx(1, abs=1e-5)
    assert sum(n for _, n in viewer.near["counts"]) == 10
    for picture in (viewer.image, viewer.heat):
        assert Image.open(io.BytesIO(picture)).size > (1, 1)


def test_the_image_comes_before_what_takes_longer(app: App) -> None:
    sent: list[set] = []
    app.viewer.send_state = lambda key=None: sent.append(set(key or ()))
    select(app, RED)
    first = next(keys for keys in sent if "image" in keys)
    last = next(keys for keys in reversed(sent) if "heat" in keys)
    assert "cell" in first
    assert sent.index(last) > sent.index(first)
    assert "image" not in last


def test_the_reference_cells_are_there_for_the_small_map(app: App) -> None:
    assert len(app.viewer.reference) == 3
    assert sum(map(len, app.viewer.reference)) == 2 * len(app.state.classifier.atlas)


def test_a_moved_cell_shows_where_it_stands_and_what_the_model_said(app: App) -> None:
    select(app, RED)
    image = app.viewer.image
    say(app.viewer, kind="move", group=BLUE)
    assert (app.viewer.cell["group"], app.viewer.cell["said"]) == (BLUE, RED)
    assert app.viewer.cell["moved"]
    assert app.viewer.image is image


def test_a_subtype_is_shown_where_the_bundle_tells_one(app: App) -> None:
    cell = app.state.cells[0]
    select(app, 0)
    assert app.viewer.cell["subtype"] is None
    infos = tuple(SubtypeInfo(name, {"en": name}) for name in ("crimson", "scarlet"))
    app.state.bundle = replace(app.state.bundle, subtypes=infos)
    subtypes = {"subtype": "crimson", "subtype_probs": np.array([0.75, 0.25])}
    told = SimpleNamespace(**vars(cell.result) | subtypes)
    app.state.cells = (replace(cell, result=told), *app.state.cells[1:])
    assert app.viewer.cell["subtype"] == ("crimson", 0.75)


def test_another_language_names_the_same_cell_anew(app: App) -> None:
    select(app, RED)
    before = app.viewer.edition
    app.viewer.groups = []
    app.state.messages = type(app.state.messages).for_bundle(app.state.bundle, "en")
    assert app.viewer.edition == before + 1
    assert len(app.viewer.groups) == 5
    assert app.viewer.cell["id"] == app.state.current


def test_the_frame_is_the_centred_square_that_the_network_saw() -> None:
    assert frame_of((100, 100), 0.8) == pytest.approx({"left": 0.1, "top": 0.1, "width": 0.8, "height": 0.8})
    wide = frame_of((200, 100), 0.5)
    assert wide == pytest.approx({"left": 0.375, "top": 0.25, "width": 0.25, "height": 0.5})


# --- going through the cells ---


def test_one_goes_through_all_cells_and_closes(app: App) -> None:
    ids = [cell.id for cell in app.state.cells]  # a cell of each class, in the bundle's order
    say(app.viewer, kind="step", by=1)
    assert app.state.current == ids[0]
    say(app.viewer, kind="step", by=-1)
    assert app.state.current == ids[-1]
    for hostile in (10**9, "1", None, 0.5, [1]):
        say(app.viewer, kind="step", by=hostile)
        assert app.state.current == ids[-1]
    say(app.viewer, kind="close")
    assert app.viewer.cell == app.viewer.near == {}
    assert app.viewer.image == app.viewer.heat == b""


def test_a_moved_cell_keeps_its_turn(app: App) -> None:
    first, second, _ = (cell.id for cell in app.state.cells)
    select(app, 0)
    say(app.viewer, kind="move", group=BLUE)
    say(app.viewer, kind="step", by=1)
    assert app.state.current == second
    say(app.viewer, kind="step", by=-1)
    assert app.state.current == first


def test_a_cell_that_is_chosen_elsewhere_begins_a_walk_in_the_order_of_now(app: App) -> None:
    select(app, 0)
    say(app.viewer, kind="move", group=BLUE)
    assert app.viewer.cell["at"] == 1
    select(app, 1)
    assert app.viewer.cell["at"] == 1  # red is empty now


def test_the_next_doubtful_cell_is_one_that_nobody_has_looked_at(app: App) -> None:
    doubtful = [replace(cell, result=replace(cell.result, status="uncertain")) for cell in app.state.cells]
    app.state.cells = (app.state.cells[0], *doubtful[1:])
    select(app, 0)
    say(app.viewer, kind="step", by=1, doubtful=True)
    assert app.state.current == doubtful[1].id
    say(app.viewer, kind="confirm")
    say(app.viewer, kind="step", by=-1, doubtful=True)
    assert app.state.current == doubtful[2].id
    say(app.viewer, kind="confirm")
    say(app.viewer, kind="step", by=1, doubtful=True)
    assert app.state.current == doubtful[2].id


# --- what people say ---


def test_a_cell_is_confirmed_moved_set_aside_and_given_back(app: App) -> None:
    select(app, RED)
    say(app.viewer, kind="confirm")
    assert shown(app).group == "red"
    for group, name in ((BLUE, "blue"), (3, UNIDENTIFIED), (4, EXCLUDED), (None, None)):
        say(app.viewer, kind="move", group=group)
        assert shown(app).group == name


def test_confirming_leaves_a_moved_cell_where_it_is(app: App) -> None:
    select(app, RED)
    say(app.viewer, kind="move", group=GREEN)
    say(app.viewer, kind="confirm")
    assert shown(app).group == "green"


@pytest.mark.parametrize("group", [5, -1, True, "blue", 1.0, [0], {}])
def test_a_hostile_group_moves_nothing(app: App, group: object) -> None:
    select(app, RED)
    say(app.viewer, kind="move", group=group)
    assert not shown(app).reviewed
    assert not app.state.error


def test_a_key_moves_the_selected_cells_and_a_button_the_one_that_is_shown(app: App) -> None:
    first, second, third = (cell.id for cell in app.state.cells)
    app.state.selected = (second, third)
    select(app, RED)
    say(app.viewer, kind="move", group=BLUE)
    assert [cell.group for cell in app.state.cells] == ["blue", None, None]
    say(app.viewer, kind="move", group=RED, selected=True)
    assert [cell.group for cell in app.state.cells] == ["blue", "red", "red"]


def test_nothing_is_moved_where_nothing_is_shown(app: App) -> None:
    say(app.viewer, kind="move", group=BLUE)
    say(app.viewer, kind="confirm")
    assert not any(cell.reviewed for cell in app.state.cells)
    assert not app.state.error


def test_the_keys_take_a_move_back_and_do_it_again(app: App) -> None:
    select(app, RED)
    say(app.viewer, kind="move", group=BLUE)
    say(app.shortcuts, kind="undo")
    assert not shown(app).reviewed
    say(app.shortcuts, kind="redo")
    assert shown(app).group == "blue"


def test_it_tells_how_many_doubtful_cells_are_left_to_decide(app: App) -> None:
    state = app.state
    state.cells = tuple(
        replace(cell, result=replace(cell.result, status="uncertain")) for cell in state.cells
    )
    n = len(state.cells)
    assert app.viewer.left == n
    say(app.viewer, kind="step", by=1, doubtful=True)
    say(app.viewer, kind="confirm")
    assert app.viewer.left == n - 1
    state.command = Clear()
    assert app.viewer.left is None
