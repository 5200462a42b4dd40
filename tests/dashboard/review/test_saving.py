"""A review saved and opened again is the same; a file that is none, or another model's, is one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.review.review_file import read_review
from blood_lib.dashboard.state import EXCLUDED
from blood_lib.dashboard.state.commands import (
    Accept,
    Adapt,
    Cancel,
    Clear,
    Command,
    Forget,
    Move,
    OpenBundle,
    OpenReview,
    SaveBundle,
    SaveReview,
)
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.dashboard.upload.stream import command_for
from blood_lib.files.archives import read_zip, write_zip
from blood_lib.files.arrays import save_arrays
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import WAIT, classify, drawn_files, say
from tests.tools.fixtures_bundle import save_tiny_bundle


def do(app: App, command: Command) -> None:
    app.state.command = command
    app.controller.wait(WAIT)
    assert app.state.progress is None


def save(app: App, *, images: bool = True) -> bytes:
    do(app, SaveReview(images))
    return app.state.download.content


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    """A review under way: one cell moved, one excluded, one confirmed, and one file rejected."""
    app = App(tiny_classifier)
    classify(app, [*drawn_files(), ("text.jpg", b"I am a text.")])
    for cell, group in zip(app.state.cells, ("green", EXCLUDED, "blue"), strict=True):
        do(app, Move((cell.id,), group))
    app.state.reviewer, app.state.ranges = "Ada", {"red": (10.0, 20.5)}
    return app


@pytest.mark.parametrize("images", [True, False])
def test_what_is_saved_is_what_is_opened_elsewhere(
    app: App, tiny_classifier: Classifier, images: bool
) -> None:
    elsewhere = App(tiny_classifier)
    do(elsewhere, OpenReview(save(app, images=images)))
    assert not elsewhere.state.error
    assert (elsewhere.state.reviewer, elsewhere.state.ranges) == ("Ada", {"red": (10.0, 20.5)})
    for cell, other in zip(app.state.cells, elsewhere.state.cells, strict=True):
        for name in ("name", "group", "label", "status", "confidence", "place", "moved", "decided"):
            assert getattr(cell, name) == getattr(other, name), name
        for name in ("status", "reason", "label", "confidence", "ood_score", "focus", "side"):
            assert getattr(cell.result, name) == getattr(other.result, name), name
        for name in ("probs", "features", "cams"):
            np.testing.assert_array_equal(getattr(cell.result, name), getattr(other.result, name))
        assert other.content == (cell.content if images else b"")
    for file, other in zip(app.state.rejected, elsewhere.state.rejected, strict=True):
        assert (file.name, file.reason, file.reason.code) == (other.name, other.reason, other.reason.code)


def test_a_review_that_was_cancelled_at_the_last_moment_is_not_handed_over(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_cancel(files: Iterator) -> bytes:
        content = write_zip(files)
        app.state.command = Cancel()
        return content

    monkeypatch.setattr("blood_lib.dashboard.review.saving.write_zip", write_and_cancel)
    do(app, SaveReview(True))
    assert app.state.download is None
    assert app.state.notice == Sentence("status.stopped")


def test_a_review_that_was_cancelled_while_it_was_read_is_not_opened(
    app: App, tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, content = App(tiny_classifier), save(app)

    def read_and_cancel(*values: object) -> object:
        elsewhere.state.command = Cancel()
        return read_review(*values)

    monkeypatch.setattr("blood_lib.dashboard.review.saving.read_review", read_and_cancel)
    do(elsewhere, OpenReview(content))
    assert not elsewhere.state.cells


def test_what_was_reviewed_is_unsaved_until_a_file_has_it(app: App, tiny_classifier: Classifier) -> None:
    uploader, elsewhere = app.upload.uploader, App(tiny_classifier)
    assert uploader.unsaved == 3
    content, downloads = save(app), app.downloads
    assert uploader.unsaved == 3  # it is on its way, and may be cancelled
    do(app, Cancel())
    assert uploader.unsaved == 3
    save(app)
    say(downloads, kind="done", key=2)
    assert uploader.unsaved == 0
    do(app, Move((app.state.cells[0].id,), "blue"))
    assert uploader.unsaved == 3
    do(elsewhere, OpenReview(content))
    assert elsewhere.upload.uploader.unsaved == 0
    do(app, Clear())
    assert uploader.unsaved == 0


def test_without_images_everything_still_works(app: App) -> None:
    do(app, OpenReview(save(app, images=False)))
    cell = app.state.cells[0]
    app.state.current = cell.id
    assert app.viewer.image.startswith(b"\xff\xd8") and not app.viewer.heat
    do(app, Move((cell.id,), "red"))
    assert app.state.cells[0].label == "red"


def test_a_review_of_another_model_names_the_model(app: App, tmp_path: Path) -> None:
    other = App(Classifier(save_tiny_bundle(tmp_path, title={"en": "Squares of another laboratory"})))
    do(other, OpenReview(save(app)))
    assert "Coloured squares" in other.status.error and not other.state.cells


def test_a_review_from_before_a_detector_was_added_to_the_model_opens(app: App) -> None:
    bundle = app.state.bundle
    newer = bundle.change(files={}, card=bundle.card | {"detector": {"added_to": bundle.sha256}})
    elsewhere = App(Classifier(newer))
    do(elsewhere, OpenReview(save(app)))
    assert newer.sha256 != bundle.sha256 and not elsewhere.state.error
    assert [cell.label for cell in elsewhere.state.cells] == [cell.label for cell in app.state.cells]


def change(content: bytes, **values: object) -> bytes:
    files = read_zip(content, most_bytes=10**8)
    files["review.json"] = json.dumps(json.loads(files["review.json"]) | values).encode()
    return write_zip(files.items())


def swap(content: bytes, name: str, file: bytes) -> bytes:
    return write_zip((read_zip(content, most_bytes=10**8) | {name: file}).items())


CELL = {
    "name": "a.png", "status": "ok", "reason": None, "label": "red", "confidence": 0.9, "distance": 0.1,
    "place": None, "group": None, "bulk": False, "image": True,
}  # fmt: skip


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[: len(content) // 2],
        lambda content: change(content, format="x"),
        lambda content: change(content, cells=[]),
        lambda content: change(content, cells=[CELL | {"label": "violet"}] * 3),
        lambda content: change(content, cells=[CELL | {"confidence": "high"}] * 3),
        lambda content: change(content, cells=[CELL | {"place": [1]}] * 3),
        lambda content: change(content, cells=[CELL | {"reason": {"code": "none", "values": {}}}] * 3),
        lambda content: change(content, cells=[CELL | {"group": "red", "bulk": "yes"}] * 3),
        lambda content: change(content, ranges={"red": [30, 20]}),
        lambda content: change(content, rejected=[{"name": 3, "reason": None}]),
        lambda content: change(content, reviewer="a" * 10_000),
        lambda content: swap(content, "review.json", b"[" * 100_000),
        lambda content: swap(content, "arrays.npz", b"PK"),
        lambda content: swap(content, "arrays.npz", save_arrays(probs=np.array([{}], object))),
    ],
)
def test_a_file_that_cannot_be_is_one_sentence_and_changes_nothing(app: App, spoil, capfd) -> None:
    cells, content = app.state.cells, spoil(save(app))
    do(app, OpenReview(content))
    assert app.state.error == Sentence("saving.damaged")
    assert app.state.cells is cells


def test_a_file_of_a_newer_version_says_so(app: App, capfd) -> None:
    do(app, OpenReview(change(save(app), format=2)))
    assert app.state.error == Sentence("saving.newer")


def test_nothing_to_save_and_too_much_are_told(
    tiny_classifier: Classifier, app: App, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    empty = App(tiny_classifier)
    do(empty, SaveReview(True))
    assert empty.state.error == Sentence("saving.nothing")
    monkeypatch.setattr("blood_lib.dashboard.review.saving.MAX_BYTES", 10)
    do(app, SaveReview(True))
    assert app.state.error == Sentence("saving.large") and app.state.download is None


def test_who_decided_is_in_the_file_and_older_files_mean_a_person(app: App) -> None:
    state = app.state
    state.cells = (state.cells[0], replace(state.cells[1], bulk=True), state.cells[2])
    content = save(app)
    do(app, OpenReview(content))
    assert [cell.decided for cell in state.cells] == ["person", "bulk", "person"]
    cells = json.loads(read_zip(content, most_bytes=10**8)["review.json"])["cells"]
    older = [{name: value for name, value in cell.items() if name != "bulk"} for cell in cells]
    do(app, OpenReview(change(content, cells=older)))
    assert [cell.decided for cell in state.cells] == ["person"] * 3


@pytest.mark.parametrize("images", [True, False])
@pytest.mark.parametrize("learnt", [True, False])
def test_the_upload_takes_back_every_file_that_the_page_gives(app: App, images: bool, learnt: bool) -> None:
    if learnt:
        do(app, Adapt())
    assert isinstance(command_for("review.zip", save(app, images=images)), OpenReview)
    do(app, SaveBundle())
    assert isinstance(command_for("model.zip", app.state.download.content), OpenBundle)


def test_what_the_model_had_learnt_is_in_the_file(app: App, tiny_classifier: Classifier) -> None:
    do(app, Adapt())
    do(app, Accept())
    assert app.state.adapted
    elsewhere = App(tiny_classifier)
    do(elsewhere, OpenReview(save(app)))
    assert elsewhere.state.adapted and elsewhere.state.bundle.sha256 == app.state.bundle.sha256
    do(elsewhere, Forget())
    assert elsewhere.state.bundle is tiny_classifier.bundle
