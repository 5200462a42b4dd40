"""Another language or another bundle while the page is open: every widget and view gets new words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.state import messages
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import classify, drawn_files
from tests.tools.fixtures_bundle import save_tiny_bundle


@pytest.fixture
def app(tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> App:
    """An app with a language more, whose every sentence begins with a sign."""
    english = json.loads((messages._FOLDER / "en.json").read_text("utf-8"))
    (tmp_path / "en.json").write_text(json.dumps(english), "utf-8")
    (tmp_path / "es.json").write_text(json.dumps({key: f"¡{text}" for key, text in english.items()}), "utf-8")
    monkeypatch.setattr(messages, "_FOLDER", tmp_path)
    app = App(tiny_classifier)
    classify(app, drawn_files())
    return app


def widgets(app: App) -> list:
    return [
        app.nav,
        app.status,
        app.viewer,
        app.upload.uploader,
        app.classification.gallery,
        app.chart.differential,
    ]


def test_another_language_reaches_every_part(app: App) -> None:
    before = [widget.edition for widget in widgets(app)]
    app.state.language = "es"
    for widget, edition in zip(widgets(app), before, strict=True):
        assert widget.language == "es"
        assert widget.edition == edition + 1
        assert all(text.startswith("¡") for text in widget.text.values())
    assert [kind["label"] for kind in app.classification.gallery.groups][:3] == ["rojo", "verde", "azul"]
    assert app.nav.title == "Cuadrados de colores"
    assert "cuadrados" in app.upload.uploader.text["drop"]


def test_another_language_reaches_a_tab_that_is_open(app: App) -> None:
    app.state.tab = "chart"
    app.state.language = "es"
    assert "rojo" in app.chart.page.value


def test_the_cells_stay_when_the_language_changes(app: App) -> None:
    before = app.state.cells
    app.state.language = "es"
    assert app.state.cells is before


def test_another_bundle_brings_its_words_and_takes_the_cells_away(app: App, tmp_path: Path) -> None:
    words = {"title": {"en": "Other things"}, "items": {"en": "things"}, "item": {"en": "thing"}}
    app.controller.use(Classifier(save_tiny_bundle(tmp_path / "other", **words)))
    assert app.state.cells == ()
    assert app.nav.title == "Other things"
    assert "things" in app.upload.uploader.text["drop"]
    classify(app, drawn_files())
    assert len(app.state.cells) == 3


def test_the_languages_are_those_that_have_a_file() -> None:
    folder = Path(messages.__file__).parent / "messages"
    assert list(messages.LANGUAGES) == sorted(path.stem for path in folder.glob("*.json"))
    assert "en" in messages.LANGUAGES


def test_the_reference_ranges_are_the_bundles_at_first(tmp_path: Path) -> None:
    from blood_lib.bundle import ClassInfo

    classes = [
        ClassInfo("red", {"en": "red"}, "#d62728", reference_range=(1, 4)),
        ClassInfo("green", {"en": "green"}, "#2ca02c"),
        ClassInfo("blue", {"en": "blue"}, "#1f77b4"),
    ]
    app = App(Classifier(save_tiny_bundle(tmp_path, classes=classes)))
    assert app.state.ranges == {"red": (1, 4)}
