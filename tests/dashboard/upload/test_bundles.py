"""Another model while the page is open: it comes, everything follows, it goes again."""

from __future__ import annotations

from pathlib import Path

import pytest

from blood_lib.bundle import ClassInfo, load_bundle_zip
from blood_lib.dashboard.app import App
from blood_lib.dashboard.state.commands import Cancel, OpenBundle, ResetBundle, SaveBundle
from blood_lib.files.archives import list_zip, write_zip
from blood_lib.inference import Classifier
from tests.dashboard.review.test_saving import do
from tests.tools.dashboard_tools import classify, drawn_files
from tests.tools.fixtures_bundle import save_tiny_bundle

CLASSES = [ClassInfo(name, {"en": name}, "#101010") for name in ("warm", "fresh", "cold")]


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, drawn_files())
    return app


@pytest.fixture
def other(tmp_path: Path) -> bytes:
    bundle = save_tiny_bundle(tmp_path, title={"en": "Moods"}, classes=CLASSES, items={"en": "moods"})
    return write_zip(bundle.contents().items())


def test_a_model_comes_and_goes(app: App, other: bytes) -> None:
    do(app, OpenBundle(other, "moods.zip"))
    assert app.state.bundle.names == ["warm", "fresh", "cold"]
    assert app.state.foreign and not app.state.cells
    assert "Moods" in app.status.notice
    classify(app, drawn_files())
    assert {cell.label for cell in app.state.cells} <= {"warm", "fresh", "cold"}
    do(app, ResetBundle())
    assert app.state.bundle.names == ["red", "green", "blue"] and not app.state.foreign


def test_a_file_that_is_no_model_is_told_and_changes_nothing(app: App, other: bytes, capfd) -> None:
    cells = app.state.cells
    do(app, OpenBundle(other[:-100], "../../half.zip"))
    assert "half.zip" in app.status.error
    assert app.state.cells is cells and app.state.bundle.names == ["red", "green", "blue"]


def test_a_model_that_was_cancelled_while_it_was_loaded_is_not_used(
    app: App, other: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_and_cancel(*values: object, **_options: object) -> object:
        app.state.command = Cancel()
        return load_bundle_zip(*values)

    monkeypatch.setattr("blood_lib.dashboard.upload.bundles.load_bundle_zip", load_and_cancel)
    do(app, OpenBundle(other, "moods.zip"))
    assert app.state.bundle.names == ["red", "green", "blue"] and len(app.state.cells) == 3


def test_it_is_told_how_far_a_model_is(app: App, other: bytes) -> None:
    told: list = []
    app.state.observe(lambda change: told.append(change["new"]), "progress")
    do(app, OpenBundle(other, "moods.zip"))
    n = len(list_zip(other))
    assert {one.total for one in told if one and one.total} == {n + 1}


def test_the_model_in_use_can_be_taken_away(app: App, other: bytes) -> None:
    do(app, OpenBundle(other, "moods.zip"))
    do(app, SaveBundle())
    assert app.state.download.name == "Moods.zip"
    again = load_bundle_zip(app.state.download.content, Path("again.zip"))
    assert again.sha256 == app.state.bundle.sha256


def test_a_page_without_a_model_takes_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: bytes
) -> None:
    monkeypatch.setenv("BLOOD_BUNDLE", str(tmp_path / "nowhere"))
    app = App()
    assert app.state.failed
    do(app, OpenBundle(other, "moods.zip"))
    assert app.state.ready and not app.state.failed and not app.state.error
    classify(app, drawn_files())
    assert len(app.state.cells) == 3
