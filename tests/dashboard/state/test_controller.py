"""The controller: files become cells and rejected files in the background, and failures become sentences."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.state.commands import Cancel, ClassifyExamples, Clear, Upload
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import WAIT, Wrapped, classify, drawn_files, failing
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    return App(tiny_classifier)


def test_files_become_cells_with_type_and_place(app: App) -> None:
    classify(app, drawn_files())
    assert [cell.label for cell in app.state.cells] == list(COLOURS)
    for cell in app.state.cells:
        assert max(abs(value) for value in cell.place) < 2
    assert not app.state.error


def test_bad_input_becomes_a_rejected_file_with_a_reason(app: App) -> None:
    bad = [
        ("empty.png", b""),
        ("text.jpg", b"hello, I am no image"),
        ("half.png", encode(draw_cell())[:-40]),
        ("dot.png", encode(draw_cell(size=(1, 1)))),
        ("gone.png", Rejection(Reason("unsent"))),
    ]
    classify(app, [*bad, *drawn_files()])
    assert [file.name for file in app.state.rejected] == [name for name, _ in bad]
    assert all(file.reason for file in app.state.rejected)
    assert len(app.state.cells) == 3


def test_the_bundles_examples_are_classified(app: App) -> None:
    app.state.command = ClassifyExamples()
    app.controller.wait(WAIT)
    assert len(app.state.cells) == len(app.state.bundle.examples) == 3


def test_a_new_upload_takes_the_place_of_the_old(app: App) -> None:
    classify(app, drawn_files())
    app.state.current = app.state.cells[0].id
    old = {cell.id for cell in app.state.cells}
    classify(app, drawn_files()[:1])
    assert len(app.state.cells) == 1
    assert app.state.current is None
    assert app.state.cells[0].id not in old


def test_clear_leaves_nothing(app: App) -> None:
    classify(app, [*drawn_files(), ("text.jpg", b"no")])
    app.state.command = Clear()
    assert app.state.cells == app.state.rejected == ()


class Endless:
    """Files without end, until they are cancelled."""

    total = 10**6

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        content = encode(draw_cell())
        while not self.cancelled.wait(0.001):
            yield "a.png", content

    def cancel(self) -> None:
        self.cancelled.set()


def test_cancel_ends_the_work_and_says_so(app: App) -> None:
    app.state.command = Upload(Endless())
    app.state.command = Cancel()
    app.controller.wait(WAIT)
    assert app.state.progress is None
    assert app.state.notice == Sentence("status.cancelled")


def test_an_upload_in_the_middle_of_another_wins(app: App) -> None:
    app.state.command = Upload(Endless())
    classify(app, drawn_files())
    assert [cell.name for cell in app.state.cells] == [name for name, _ in drawn_files()]


def test_too_many_images_are_cut_off_with_a_notice(app: App) -> None:
    app.classifying.max_images = 2
    classify(app, drawn_files())
    assert len(app.state.cells) == 2
    assert "2" in app.status.notice


def test_a_failure_of_the_classifier_is_told_and_not_quoted(tiny_classifier: Classifier, capfd) -> None:
    app = App(Wrapped(tiny_classifier, classify=failing))
    classify(app, drawn_files())
    assert app.state.error == Sentence("status.error")
    assert "secret" not in capfd.readouterr().err
    app.state.command = Clear()
    assert not app.state.error


def test_cells_without_a_map_are_still_classified(tiny_classifier: Classifier, capfd) -> None:
    class Broken:
        target = tiny_classifier.atlas.target

        def transform(self, _features: object) -> None:
            raise MemoryError

    app = App(Wrapped(tiny_classifier, atlas=Broken()))
    classify(app, drawn_files())
    assert [cell.place for cell in app.state.cells] == [None] * 3


def test_large_images_are_kept_small(app: App) -> None:
    large = encode(draw_cell(size=(2400, 2400)).effect_spread(8), "BMP")
    classify(app, [("large.bmp", large)])
    assert len(large) > 15e6
    assert len(app.state.cells[0].content) < 1e6


def test_a_broken_bundle_is_told_on_the_page(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOOD_BUNDLE", str(tmp_path))
    app = App()
    assert "bundle.json" in app.status.error
    assert app.upload.uploader.phase == "failed"
    app.state.tab = "map"
    app.state.command = ClassifyExamples()
    assert app.state.error
