"""The browser keeps a review: what it is given, piece by piece, is what is opened after a reload."""

from __future__ import annotations

import time

import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.review.keeping import PIECE
from blood_lib.dashboard.state.commands import Clear, Move, Upload
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.inference import Classifier
from tests.tools.dashboard_tools import WAIT, classify, drawn_files, listen, say


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    app = App(tiny_classifier)
    classify(app, drawn_files())
    return app


def keep(app: App, heard: list, *, whole: bool = False) -> dict[str, bytes]:
    """What a page gets when it asks for the review."""
    keeping, before = app.upload.keeping, len(heard)
    say(keeping, kind="keep", whole=whole)
    end = time.monotonic() + WAIT
    while len(heard) == before and time.monotonic() < end:
        time.sleep(0.01)
    offer, parts = heard[-1].content, {}
    for part, n in offer["pieces"].items():
        for number in range(n):
            say(keeping, kind="take", key=offer["key"], part=part, number=number)
            parts[part] = parts.get(part, b"") + bytes(heard[-1].buffers[0])
    return parts


def give_back(app: App, index: bytes, whole: bytes) -> None:
    uploader, stream = app.upload.uploader, index + whole
    files = [["review.json", len(index)], ["kept.zip", len(whole)]]
    say(uploader, kind="begin", key="k", files=files, unreadable=[], kept=True)
    for number, start in enumerate(range(0, len(stream), PIECE)):
        say(uploader, [stream[start : start + PIECE]], kind="piece", key="k", number=number)
    app.controller.wait(WAIT)


def test_what_is_kept_is_restored_with_the_decisions_made_since(
    app: App, tiny_classifier: Classifier
) -> None:
    heard = listen(app.upload.keeping)
    first = keep(app, heard, whole=True)
    app.state.command = Move((app.state.cells[0].id,), "blue")
    second = keep(app, heard)
    assert "whole" not in second  # a decision does not send the images again
    assert heard[-1].content["kind"] == "piece"
    elsewhere = App(tiny_classifier)
    give_back(elsewhere, second["index"], first["whole"])
    assert not elsewhere.state.error
    assert elsewhere.state.unsaved == 1  # no file has it
    assert [cell.group for cell in elsewhere.state.cells] == ["blue", None, None]
    assert [cell.content for cell in elsewhere.state.cells] == [cell.content for cell in app.state.cells]


def test_the_images_are_sent_again_when_there_are_others(app: App) -> None:
    heard = listen(app.upload.keeping)
    keep(app, heard, whole=True)
    app.state.command = Upload(drawn_files(), add=True)
    app.controller.wait(WAIT)
    assert "whole" in keep(app, heard)
    assert "whole" in keep(app, heard, whole=True)  # the page has lost what it had


def test_the_page_is_told_of_changes_but_not_while_something_runs(app: App) -> None:
    keeping = app.upload.keeping
    before = keeping.now["changes"]
    app.state.command = Move((app.state.cells[0].id,), "blue")
    assert keeping.now == {"changes": before + 1, "n": 3}
    app.state.command = Clear()
    assert keeping.now["n"] == 0


def test_a_review_that_is_too_large_is_not_kept(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blood_lib.dashboard.review.saving.MAX_BYTES", 10)
    heard = listen(app.upload.keeping)
    say(app.upload.keeping, kind="keep", whole=True)
    assert [message.content for message in heard] == [{"kind": "refused"}]


def test_a_damaged_one_is_one_sentence_and_changes_nothing(app: App, capfd) -> None:
    heard, cells = listen(app.upload.keeping), app.state.cells
    parts = keep(app, heard, whole=True)
    give_back(app, b"{", parts["whole"])
    assert app.state.error == Sentence("saving.damaged") and app.state.cells is cells


def test_messages_that_make_no_sense_are_ignored(app: App) -> None:
    heard = listen(app.upload.keeping)
    keep(app, heard, whole=True)
    n, key = len(heard), heard[-1].content["key"]
    for content in ({"key": key + 1}, {"part": "else"}, {"number": -1}, {"number": 10**9}, {"number": "0"}):
        say(app.upload.keeping, **({"kind": "take", "key": key, "part": "index", "number": 0} | content))
    say(app.upload.keeping, kind="found", date=5, n="x")
    assert len(heard) == n and not app.state.notice
    say(app.upload.keeping, kind="found", date="2026-12-01T10:00:00", n=3)
    assert app.state.notice == Sentence("keeping.found", {"date": "2026-12-01", "n": 3})
