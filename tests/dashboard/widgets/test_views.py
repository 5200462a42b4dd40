"""The views without a browser, both ways: state to what is shown, and what a browser says to the state."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from blood_lib.dashboard.app import App
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.dashboard.viewer.viewer import STRENGTH
from blood_lib.dashboard.widgets.markers import svg_marker, svg_shape
from blood_lib.dashboard.widgets.pictures import heat_overlay, thumbnail
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import classify, drawn_files, listen, say
from tests.tools.fixtures_bundle import draw_cell, encode, save_tiny_bundle

EVIL = '<img src=x onerror="alert(1)">.png'


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, [*drawn_files(), (EVIL, encode(draw_cell())), ("text.jpg", b"no image")])
    return app


# --- upload ---


def test_the_upload_tab_sums_up_what_came_of_it(app: App) -> None:
    uploader = app.upload.uploader
    assert uploader.summary["n"] == 4
    assert uploader.summary["rejected"] == 1
    assert uploader.progress == {}
    assert uploader.examples == 3


def test_buttons_become_commands(app: App) -> None:
    say(app.upload.uploader, kind="clear")
    assert app.state.cells == ()
    say(app.upload.uploader, kind="examples")
    app.controller.wait(60)
    assert len(app.state.cells) == 3


# --- chart ---


def test_nothing_is_drawn_before_its_tab_is_opened(app: App) -> None:
    assert app.chart.page.value == ""
    assert app.help.page.value == ""
    app.state.tab = "chart"
    assert "<svg" in app.chart.page.value


def test_marks_differ_between_neighbouring_classes() -> None:
    assert len({svg_shape(i) for i in range(12)}) == 12
    assert svg_marker(0, "#000000") != svg_marker(1, "#000000")


# --- help ---


def test_help_is_made_of_the_bundle_and_escaped(tmp_path) -> None:
    card = {
        "intended_use": {"en": "<script>alert(1)</script>"},
        "limits": [{"en": "Never <b>on</b> Mondays."}],
        "dataset": {"name": "Set & Co", "n_train": 1200, "n_valid": 300, "n_test": 30},
        "metrics": [
            {
                "name": "accuracy",
                "where": {"en": "test part"},
                "n": 300,
                "value": 0.99,
                "low": 0.97,
                "high": 1.0,
            },
            {"name": "odd_one", "value": "high"},
            "no metric",
        ],
        "per_class": [
            {
                "where": {"en": "type by type"},
                "rows": [{"name": "red", "n": 44, "recall": 0.5, "recall_low": 0.4}],
            },
        ],
    }
    app = App(Classifier(save_tiny_bundle(tmp_path, card=card)))
    app.state.tab = "help"
    html = app.help.page.value
    assert "<script" not in html
    assert "Never &lt;b&gt;on" in html
    assert "Set &amp; Co" in html
    for text in ("99.0 %", "97.0–100.0 %", "300", "1,200", "Odd one", "squares"):
        assert text in html
    assert re.search(r"type by type.*<td>red</td><td[^>]*>50.0 %</td><td[^>]*></td><td[^>]*>44<", html)


@pytest.mark.parametrize(
    "card",
    [{}, {"metrics": 5, "dataset": "x", "limits": {}}, {"intended_use": "plain"}, {"per_class": [1]}],
    ids=str,
)
def test_help_survives_any_card(tmp_path, card: dict) -> None:
    app = App(Classifier(save_tiny_bundle(tmp_path, card=card)))
    app.state.tab = "help"
    assert not app.state.error
    assert app.state.messages("help.no_metrics") in app.help.page.value


# --- gallery ---


def test_the_gallery_gets_all_once_and_then_only_what_is_new(app: App) -> None:
    gallery = app.classification.gallery
    heard = listen(gallery)
    say(gallery, kind="hello")
    assert heard[-1].content["kind"] == "reset"
    assert [item[2] for item in heard[-1].content["items"]] == [0, 1, 2, 0]
    reason = app.state.messages.reason(app.state.rejected[0].reason)
    assert heard[-1].content["rejected"] == [["text.jpg", reason]]
    app.state.cells += (replace(app.state.cells[0], id=10**6),)
    assert heard[-1].content["kind"] == "add"
    assert len(heard[-1].content["items"]) == 1


def test_thumbnails_are_made_for_cells_that_exist_and_no_others(app: App) -> None:
    gallery = app.classification.gallery
    heard = listen(gallery)
    first = app.state.cells[0].id
    for hostile in (None, "all", 5, [10**9, "x", None, -1, [1], first]):
        say(gallery, kind="thumbs", ids=hostile)
    assert [message.content["ids"] for message in heard] == [[first]]
    with Image.open(io.BytesIO(heard[0].buffers[0])) as image:
        assert image.size == (112, 112)


def test_a_request_for_very_many_thumbnails_is_cut(app: App) -> None:
    app.state.cells = tuple(replace(app.state.cells[0], id=i) for i in range(100, 300))
    heard = listen(app.classification.gallery)
    say(app.classification.gallery, kind="thumbs", ids=list(range(100, 300)) * 50)
    assert sum(len(message.buffers) for message in heard) == 64


@pytest.mark.parametrize("identity", [10**9, -1, "1", None, [1], 1.5, True])
def test_a_hostile_selection_selects_nothing(app: App, identity: object) -> None:
    say(app.classification.gallery, kind="open", id=identity)
    assert app.state.current is None


# --- pictures ---


def lightness(colours: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours (..., 3) in [0, 255]; about what somebody sees who sees no colours."""
    shares = colours / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16  # above 8, as all here are


def test_hotter_is_evenly_lighter() -> None:
    with Image.open(io.BytesIO(heat_overlay(np.linspace(0, 1, 17)[None]))) as image:
        seen = lightness(np.asarray(image.convert("RGB"), dtype=float)[0])
    steps = np.diff(seen)
    assert seen[-1] - seen[0] > 70
    assert steps.max() < 1.2 * steps.min()


@pytest.mark.parametrize("ground", ["#ffffff", "#f3d9cf", "#8060b0", "#401060", "#000000"])
def test_hotter_is_lighter_on_whatever_it_lies(ground: str) -> None:
    heat = np.linspace(0, 1, 17)[None]
    with Image.open(io.BytesIO(heat_overlay(heat))) as image:
        over = image.convert("RGBA")
    over.putalpha(over.getchannel("A").point(lambda alpha: alpha * STRENGTH // 100))
    laid = Image.alpha_composite(Image.new("RGBA", over.size, ground), over).convert("RGB")
    seen = lightness(np.asarray(laid, dtype=float)[0])
    assert np.diff(seen).min() > 0
    assert seen[-1] - seen[0] > 20


def test_a_thumbnail_is_square_whatever_the_image() -> None:
    with Image.open(io.BytesIO(thumbnail(encode(draw_cell(size=(300, 40))), 64))) as image:
        assert image.size == (64, 64)
    assert thumbnail(b"no image", 64) == b""


# --- tabs and status ---


def test_a_tab_is_opened_by_its_name_only(app: App) -> None:
    for hostile in ("nope", None, 5, ["map"], {"a": 1}):
        say(app.nav, kind="tab", tab=hostile)
        assert app.state.tab == "upload"
    say(app.nav, kind="tab", tab="help")
    assert app.state.tab == "help"


def test_the_page_is_told_its_tab_only_when_it_asks(app: App) -> None:
    """An echo could arrive after the visitor's next click and jump the page back."""
    heard = listen(app.nav)
    say(app.nav, kind="tab", tab="help")
    assert not heard and app.nav.tab == "upload"
    say(app.nav, kind="hello")
    assert [message.content for message in heard] == [{"kind": "tab", "tab": "help"}]


def test_the_page_is_answered_and_messages_can_be_closed(app: App) -> None:
    heard = listen(app.status)
    say(app.status, kind="ping")
    assert heard[-1].content == {"kind": "pong"}
    app.state.error, app.state.notice = "bad", Sentence("learning.same")
    assert (app.status.error, app.status.notice) == ("bad", app.state.messages("learning.same"))
    say(app.status, kind="dismiss", what="error")
    say(app.status, kind="dismiss", what="notice")
    assert (app.status.error, app.status.notice) == ("", "")


def test_scripts_never_parse_html() -> None:
    from blood_lib.dashboard.widgets.script import DASHBOARD

    for path in DASHBOARD.rglob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", path.read_text("utf-8")
        )
        assert "http:" not in path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
