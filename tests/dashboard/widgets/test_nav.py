"""The head of the page: what a browser says about language and theme, and what comes of it."""

from __future__ import annotations

import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.state.messages import LANGUAGES
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import listen, say


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    return App(tiny_classifier)


def test_a_page_that_says_hello_gets_its_language(app: App) -> None:
    heard = listen(app.nav)
    say(app.nav, kind="hello", languages=["es-AR", "en"])
    assert app.state.language == app.nav.language == "es"
    assert app.nav.title == "Cuadrados de colores"
    assert heard[-1].content == {"kind": "tab", "tab": "upload"}


def test_a_page_that_listens_late_is_told_again_that_all_is_ready(app: App, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(app.upload.uploader, "send_state", lambda key=None: told.append(key))
    say(app.nav, kind="hello")
    assert "phase" in told


@pytest.mark.parametrize("languages", [None, "es", 5, [], [None, {}], ["xx"] * 1000 + ["es"]], ids=repr)
def test_a_strange_hello_leaves_english(app: App, languages: object) -> None:
    say(app.nav, kind="hello", languages=languages)
    assert app.state.language == "en"
    assert app.state.connected


def test_the_switches_offer_every_language_and_take_no_other(app: App) -> None:
    assert [language for language, _ in app.nav.languages] == list(LANGUAGES)
    assert dict(app.nav.languages)["es"] == "Español"
    for hostile in ("xx", None, ["es"], "../es"):
        say(app.nav, kind="language", language=hostile)
        assert app.state.language == "en"
    say(app.nav, kind="language", language="es")
    assert app.state.language == "es"


def test_the_theme_is_known_to_what_python_draws(app: App) -> None:
    say(app.nav, kind="theme", theme="auto", dark=True)
    assert (app.state.theme, app.state.dark) == ("auto", True)
    say(app.nav, kind="theme", theme="light", dark="yes")
    assert (app.state.theme, app.state.dark) == ("light", False)
    say(app.nav, kind="theme", theme="pink", dark=True)
    assert (app.state.theme, app.state.dark) == ("light", False)
