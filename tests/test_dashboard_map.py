"""The map without a browser: what the figure is told, and what a visitor does on it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.figure import (
    EXCLUDED_OPACITY,
    MARKED_SIZE,
    OUTLINE,
    REVIEWED,
    SIZE,
    build_traces,
    build_widget,
    draw_plane,
)
from blood_lib.dashboard.state import EXCLUDED, Command
from blood_lib.inference import Classifier
from tests.dashboard_tools import Wrapped, classify, drawn_files, say
from tests.fixtures_bundle import draw_cell, encode, save_tiny_bundle

EVIL = '<img src=x onerror="alert(1)">.png'


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, [*drawn_files(), (EVIL, encode(draw_cell()))])
    app.state.tab = "map"
    return app


def points(*indices: object) -> SimpleNamespace:
    return SimpleNamespace(point_inds=list(indices))


# --- the figure ---


def test_only_the_uploaded_cells_are_points(app: App) -> None:
    (cells,) = app.map.figure.data
    assert len(cells.x) == 4
    assert cells.marker.color[0] == app.state.bundle.classes[0].colour
    assert len(set(cells.marker.symbol)) == 3


def test_the_picture_below_has_a_mark_for_each_reference_cell(tiny_classifier: Classifier) -> None:
    atlas = tiny_classifier.atlas
    svg = draw_plane(atlas, atlas.zones(), tiny_classifier.bundle)
    assert svg.count("<use ") == len(atlas)
    assert all(info.colour in svg for info in tiny_classifier.bundle.classes)


def test_the_page_first_hears_of_a_figure_that_is_complete(app: App, monkeypatch) -> None:
    told: list[tuple] = []
    monkeypatch.setattr(
        "ipywidgets.Widget.open",
        lambda self: told.append((self._widget_data, self._widget_layout, self._config)),
    )
    layout = {"dragmode": "pan", "template": "none"}
    build_widget(build_traces(app.state.bundle, app.state.messages), layout)
    ((data, shown, config),) = told
    assert [trace["type"] for trace in data] == ["scatter"]
    assert shown["dragmode"] == "pan"
    assert not config["showSendToCloud"]


def test_a_page_that_listens_late_hears_of_all_cells(app: App) -> None:
    figure, sent = app.map.figure, []
    figure._send_restyle_msg = lambda restyle_data, **kwargs: sent.append(restyle_data)
    figure._js2py_traceDeltas = {"trace_deltas": [], "trace_edit_id": figure._last_trace_edit_id}
    ((x,),) = [data["x"] for data in sent]
    assert len(x) == 4


def test_the_map_offers_no_way_out(app: App) -> None:
    config = app.map.figure._config
    assert not config["showSendToCloud"]
    assert not config["plotlyServerURL"]
    assert not config["displaylogo"]


def test_texts_on_the_map_are_escaped_and_short(app: App) -> None:
    texts = app.map.figure.data[0].hovertext
    assert not any("<img" in text for text in texts)
    assert any("&lt;img" in text for text in texts)


def test_an_empty_map_says_what_to_do(app: App) -> None:
    assert app.state.messages("map.intro") in app.map.intro.value
    say(app.upload.uploader, kind="clear")
    assert app.state.messages("map.empty") in app.map.intro.value


def test_the_map_follows_a_new_upload(app: App) -> None:
    classify(app, drawn_files()[:1])
    assert len(app.map.figure.data[0].x) == 1


def test_the_figure_is_made_once_and_takes_another_bundle(app: App, tmp_path) -> None:
    first, before = app.map.figure, app.map.figure.layout.images[0].source
    app.state.tab = "chart"
    app.state.connected = True
    app.state.tab = "map"
    app.controller.use(Classifier(save_tiny_bundle(tmp_path, seed=1)))
    assert app.map.figure is first
    assert first.layout.images[0].source != before
    assert len(first.data[0].x) == 0


def test_cells_without_a_place_are_not_on_the_map(tiny_classifier: Classifier, capfd) -> None:
    class Lost(Wrapped):
        def place(self, features: np.ndarray) -> np.ndarray:
            raise MemoryError

    app = App(Wrapped(tiny_classifier, atlas=Lost(tiny_classifier.atlas)))
    classify(app, drawn_files())
    app.state.tab = "map"
    assert len(app.map.figure.data[0].x) == 0


# --- what a review changes ---


def test_only_what_has_changed_is_sent(app: App) -> None:
    sent: list[dict] = []
    app.map.figure._send_restyle_msg = lambda data, **kwargs: sent.append(data)
    app.state.command = Command("move", ids=(app.state.cells[0].id,), group="blue")
    assert set(sent.pop()) == {
        "marker.color",
        "marker.symbol",
        "marker.line.color",
        "marker.line.width",
        "hovertext",
    }
    app.state.cells = app.state.cells[1:]
    assert len(sent.pop()["x"][0]) == 3
    app.state.tab = "chart"
    app.state.tab = "map"
    assert not sent


def test_a_moved_cell_takes_the_look_of_its_new_type_at_once(app: App) -> None:
    app.state.command = Command("move", ids=(app.state.cells[0].id,), group="blue")
    marker = app.map.figure.data[0].marker
    assert marker.color[0] == app.state.bundle.classes[2].colour
    assert marker.symbol[0] == marker.symbol[2]
    assert marker.line.color[0] == REVIEWED
    assert marker.line.width[0] > marker.line.width[1] == OUTLINE
    assert app.state.messages("map.moved") in app.map.figure.data[0].hovertext[0]


def test_an_excluded_cell_is_faint(app: App) -> None:
    app.state.command = Command("move", ids=(app.state.cells[1].id,), group=EXCLUDED)
    assert list(app.map.figure.data[0].marker.opacity) == [1, EXCLUDED_OPACITY, 1, 1]


def test_another_language_changes_the_figure_that_is_there(app: App) -> None:
    first = app.map.figure
    app.state.messages = replace_word(app.state.messages, "map.moved", "put here")
    app.state.command = Command("move", ids=(app.state.cells[0].id,), group="blue")
    assert app.map.figure is first
    assert "put here" in first.data[0].hovertext[0]


def replace_word(messages, key: str, word: str):
    changed = type(messages)(messages.language, messages.words)
    changed._texts = messages._texts | {key: word}
    return changed


# --- clicks, lassos and the bar above ---


def test_a_click_on_the_map_selects_and_a_false_one_does_not(app: App) -> None:
    for index, expected in [(1, app.state.cells[1].id), (99, None), (-1, None), ("0", None), (True, None)]:
        app.state.selected = None
        app.map._on_click(None, points(index), None)
        assert app.state.selected == expected


def test_the_ring_is_where_the_selected_cell_is_and_the_figure_hears_nothing_of_it(app: App) -> None:
    sent: list[tuple] = []
    for name in ("_send_restyle_msg", "_send_relayout_msg", "_send_update_msg"):
        setattr(app.map.figure, name, lambda *args, **kwargs: sent.append(args))
    app.state.selected = app.state.cells[2].id
    assert app.map.ring.place == pytest.approx(app.state.cells[2].place)
    say(app.upload.uploader, kind="clear")
    assert app.map.ring.place == []
    app.state.selected = 99
    assert app.map.ring.place == []
    assert len(sent) == 1  # of the cells that were removed


def test_a_lasso_marks_cells_and_the_bar_moves_them(app: App) -> None:
    app.map._on_selection(None, points(0, 3, 99, "1", True))
    assert app.state.marked == (app.state.cells[0].id, app.state.cells[3].id)
    assert app.map.bar.marked == 2
    assert list(app.map.figure.data[0].marker.size) == [MARKED_SIZE, SIZE, SIZE, MARKED_SIZE]
    for hostile in (None, 5, -1, "green", True):
        say(app.map.bar, kind="move", group=hostile)
    assert not any(cell.reviewed for cell in app.state.cells)
    say(app.map.bar, kind="move", group=1)
    assert [cell.group for cell in app.state.cells] == ["green", None, None, "green"]
    assert app.state.marked == ()
    assert set(app.map.figure.data[0].marker.size) == {SIZE}


def test_the_bar_switches_between_moving_and_choosing_and_unmarks(app: App) -> None:
    for on, mode in ((True, "lasso"), (False, "pan"), ("yes", "pan")):
        say(app.map.bar, kind="choose", on=on)
        assert app.map.figure.layout.dragmode == mode
    app.state.marked = (app.state.cells[0].id,)
    say(app.map.bar, kind="unmark")
    assert app.state.marked == ()


def test_what_the_gallery_marks_is_marked_on_the_map(app: App) -> None:
    app.state.marked = (app.state.cells[1].id,)
    assert list(app.map.figure.data[0].marker.size) == [SIZE, MARKED_SIZE, SIZE, SIZE]


def test_the_legend_tells_the_types_and_what_was_reviewed(app: App) -> None:
    assert app.map.legend.value.count("<svg") == 3
    assert app.state.messages("map.reviewed") in app.map.legend.value
