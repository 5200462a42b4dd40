"""The dashboard's state: cells found by id, errors caught and told, sentences filled in."""

from __future__ import annotations

import json
import threading
import weakref
from pathlib import Path

import pytest

import blood_lib.dashboard
from blood_lib.dashboard.state import Cell, DashboardState, Progress
from blood_lib.dashboard.state.messages import DashboardError, Messages, Sentence
from blood_lib.dashboard.widgets.page import StatusBar
from blood_lib.files.errors import BloodError

WORDS = {"item": "leaf", "items": "leaves", "Item": "Leaf", "Items": "Leaves"}
FOLDER = Path(blood_lib.dashboard.__file__).parent


@pytest.fixture
def state() -> DashboardState:
    return DashboardState()


def test_a_cell_is_found_by_its_id_and_by_nothing_else(state: DashboardState) -> None:
    state.cells = tuple(Cell(i, f"{i}.png", None, b"") for i in (3, 7))
    assert state.cell(7).name == "7.png"
    for hostile in (8, -1, "7", 7.0, None, True, [7], {"id": 7}):
        assert state.cell(hostile) is None


def test_new_cells_are_found_after_the_old_ones_were_looked_up(state: DashboardState) -> None:
    state.cells = (Cell(1, "a", None, b""),)
    assert state.cell(1)
    state.cells = (Cell(2, "b", None, b""),)
    assert state.cell(1) is None
    assert state.cell(2).name == "b"


def test_cells_that_are_gone_are_kept_by_nobody(state: DashboardState) -> None:
    cell = Cell(1, "a", None, b"")
    gone = weakref.ref(cell)
    state.cells = (cell,)
    assert state.cell(1) is cell
    del cell
    state.cells = ()
    assert gone() is None


def test_every_assignment_notifies_even_of_an_equal_record(state: DashboardState) -> None:
    heard = []
    state.observe(heard.append, "progress")
    state.progress = Progress(1, 2)
    state.progress = Progress(1, 2)
    assert len(heard) == 2


def test_an_error_in_a_handler_becomes_a_plain_sentence(state: DashboardState, capfd) -> None:
    def handler() -> None:
        raise ValueError("the file secret-name.png is odd")

    assert state.guard(handler)() is None
    assert state.error == Sentence("status.error")


def test_what_stands_on_the_screen_is_said_again_in_another_language(state: DashboardState, capfd) -> None:
    title = {"en": "Leaves", "es": "Hojas"}
    bar = StatusBar(state)
    state.notice = Sentence("bundle.loaded", {"title": title})
    state.report(DashboardError(Sentence("status.busy")))
    state.language = "es"
    spanish = Messages.for_bundle(None, "es")
    assert bar.notice == spanish("bundle.loaded", title="Hojas") and "Hojas" in bar.notice
    assert bar.error == spanish("status.busy")
    state.language = "en"
    assert "Leaves" in bar.notice


def test_what_has_no_other_words_stays_as_it_is(state: DashboardState, capfd) -> None:
    state.report(BloodError("The disk is full."))
    state.language = "es"
    assert (state.error, state.notice) == ("The disk is full.", None)


def test_the_log_names_the_place_and_nothing_that_was_uploaded(state: DashboardState, capfd) -> None:
    def handler() -> None:
        raise ValueError("the file secret-name.png is odd")

    state.guard(handler)()
    logged = capfd.readouterr().err
    assert "ValueError" in logged
    assert "test_state.py" in logged
    assert "secret" not in logged


def test_an_error_made_for_the_user_is_shown_as_it_is(state: DashboardState, capfd) -> None:
    def handler() -> None:
        raise BloodError("the bundle is gone: get it again.")

    state.guard(handler)()
    assert state.error == "the bundle is gone: get it again."


def test_handlers_wait_for_each_other(state: DashboardState) -> None:
    order = []
    with state.lock:
        thread = threading.Thread(target=state.guard(lambda: order.append("handler")))
        thread.start()
        thread.join(0.2)
        order.append("holder")
    thread.join(10)
    assert order == ["holder", "handler"]


def test_sentences_use_the_bundles_words() -> None:
    messages = Messages("en", WORDS)
    assert messages("upload.done", n=1234) == "1,234 leaves classified"
    assert messages("upload.done", n=1) == "1 leaf classified"
    assert "leaves" in messages.section("upload")["drop"]


def test_a_section_keeps_what_only_the_page_can_fill_in() -> None:
    assert "{done}" in Messages("en", WORDS).section("upload")["of"]


def test_a_text_of_the_bundle_comes_in_the_language_or_in_english() -> None:
    assert Messages("en").pick({"es": "hoja", "en": "leaf"}) == "leaf"
    assert Messages("en").pick({"es": "hoja"}) == "hoja"
    assert Messages("en").pick(None) == ""


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "state" / "messages").glob("*.json")), ids=lambda path: path.stem
)
def test_every_language_has_the_same_sentences_with_the_same_gaps(path: Path) -> None:
    import re

    english = json.loads((FOLDER / "state" / "messages" / "en.json").read_text("utf-8"))
    other = json.loads(path.read_text("utf-8"))
    assert other.keys() == english.keys()
    for key, text in english.items():
        gaps = [set(re.findall(r"\{(\w+)\}", words)) - set(WORDS) for words in (text, other[key])]
        assert gaps[0] == gaps[1], key
