"""Uploading without a browser: pieces, false claims, hostile messages; every file arrives or is named."""

from __future__ import annotations

import io
import zipfile

import pytest

from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.upload.uploader import Upload, Uploader, announced_entries
from blood_lib.files.archives import MAX_FILE_BYTES
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection
from tests.dashboard_tools import listen, say


def pieces(content: bytes, size: int = 7) -> list[bytes]:
    return [content[i : i + size] for i in range(0, len(content), size)]


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


FILES = [("a.png", b"first file"), ("empty.png", b""), ("b.png", b"the second file"), ("c.png", b"x")]
ENTRIES = [(name, len(content)) for name, content in FILES]
STREAM = b"".join(content for _, content in FILES)


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_files_come_out_as_they_went_in_whatever_the_size_of_a_piece(size: int) -> None:
    upload = Upload(ENTRIES)
    for number, piece in enumerate(pieces(STREAM, size)):
        assert upload.feed(number, piece) == number + 1
    assert upload.complete
    assert list(upload) == FILES


def test_a_piece_that_comes_twice_or_too_early_changes_nothing() -> None:
    upload, parts = Upload(ENTRIES), pieces(STREAM)
    for number, piece in enumerate(parts):
        assert upload.feed(number + 1, b"too early") == number
        upload.feed(number, piece)
        assert upload.feed(number, b"twice") == number + 1
    assert list(upload) == FILES


def test_more_bytes_than_announced_are_thrown_away() -> None:
    upload = Upload([("a.png", 3)])
    upload.feed(0, b"abcdef")
    assert list(upload) == [("a.png", b"abc")]


def test_an_upload_of_empty_files_needs_no_piece() -> None:
    upload = Upload([("a.png", 0), ("b.png", 0)])
    assert upload.complete
    assert [name for name, _ in upload] == ["a.png", "b.png"]


def test_a_zip_is_opened_and_its_entries_are_counted() -> None:
    content = zipped(**{"x/a.png": b"1", "b.png": b"22"})
    upload = Upload([("cells.zip", len(content))])
    upload.feed(0, content)
    assert list(upload) == [("cells.zip/b.png", b"22"), ("cells.zip/x/a.png", b"1")]
    assert upload.total == 2
    assert announced_entries(content) == 2
    assert announced_entries(b"no zip") == 1


def test_a_file_too_large_is_named_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blood_lib.dashboard.upload.uploader.MAX_FILE_BYTES", 8)
    upload = Upload([("large.png", 30), ("small.png", 2)])
    for number, piece in enumerate(pieces(b"L" * 30 + b"ok", 8)):
        upload.feed(number, piece)
        assert len(upload._buffer) <= 8
    (large, why), small = list(upload)
    assert large == "large.png"
    assert isinstance(why, Rejection)
    assert small == ("small.png", b"ok")


def test_what_the_browser_could_not_read_is_named() -> None:
    upload = Upload([("a.png", 1)], ["gone.png"])
    upload.feed(0, b"a")
    assert list(upload) == [("gone.png", Rejection(Reason("unsent"))), ("a.png", b"a")]
    assert upload.total == 2


def test_a_cancelled_upload_ends_and_takes_no_more() -> None:
    upload = Upload([("a.png", 1), ("b.png", 1)])
    upload.feed(0, b"a")
    upload.cancel()
    assert list(upload) == []
    assert upload.feed(1, b"b") == 1


def test_memory_that_waits_is_counted_until_it_is_taken() -> None:
    upload = Upload([("a.png", 4), ("b.png", 4)])
    upload.feed(0, b"aaaabb")
    assert upload.pending == 4
    next(iter(upload))
    assert upload.pending == 0


# --- the widget's side of the conversation ---


@pytest.fixture
def uploader() -> Uploader:
    return Uploader(DashboardState())


def test_an_upload_begins_is_acknowledged_and_ends(uploader: Uploader) -> None:
    heard = listen(uploader)
    say(uploader, kind="begin", key="k", files=[["a.png", 3]], unreadable=[])
    say(uploader, [b"abc"], kind="piece", key="k", number=0)
    assert [message.content["number"] for message in heard] == [0, 1]
    assert heard[-1].content["complete"]
    assert uploader.state.command.kind == "upload"
    assert list(uploader.state.command.files) == [("a.png", b"abc")]


def test_a_begin_sent_again_does_not_start_again(uploader: Uploader) -> None:
    heard = listen(uploader)
    begin = {"kind": "begin", "key": "k", "files": [["a.png", 3]], "unreadable": []}
    say(uploader, **begin)
    first = uploader.state.command
    say(uploader, **begin)
    assert uploader.state.command is first
    assert len(heard) == 2


@pytest.mark.parametrize(
    "files",
    [
        None,
        "a.png",
        [["a.png"]],
        [["a.png", -1]],
        [["a.png", 1.5]],
        [["a.png", True]],
        [[7, 1]],
        [{"name": "a", "size": 1}],
        [["a.png", 10**18]],
        [["a.png", 0]] * (Uploader.max_files + 1),
    ],
    ids=lambda files: str(files)[:30],
)
def test_a_begin_that_makes_no_sense_is_refused(uploader: Uploader, files: object) -> None:
    heard = listen(uploader)
    say(uploader, kind="begin", key="k", files=files, unreadable=[])
    assert heard[-1].content["kind"] == "refused"
    assert uploader.state.command is None
    assert not uploader.state.error


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "nope"},
        {"kind": "__init__"},
        {"kind": ["piece"]},
        {"kind": "piece"},
        {"kind": "piece", "key": "other", "number": 0},
        {"kind": "piece", "key": None, "number": "0"},
        {"kind": "begin", "key": 5, "files": [], "unreadable": []},
        {"kind": "begin", "key": "k", "files": [], "unreadable": {"a": 1}},
    ],
    ids=str,
)
def test_hostile_messages_end_in_nothing_or_a_refusal(uploader: Uploader, content: dict, capfd) -> None:
    heard = listen(uploader)
    say(uploader, **content)
    assert all(message.content["kind"] == "refused" for message in heard)
    assert uploader.state.command is None


def test_a_visitor_cannot_raise_the_limits(uploader: Uploader) -> None:
    uploader.set_state({"limits": {"files": 10**9, "bytes": 10**18, "piece": 2**20, "window": 4}})
    heard = listen(uploader)
    say(uploader, kind="begin", key="k", files=[["a.png", Uploader.max_bytes + 1]], unreadable=[])
    assert heard[-1].content["kind"] == "refused"


def test_one_message_is_far_below_what_a_socket_takes() -> None:
    uploader = Uploader(DashboardState())
    assert uploader.limits["piece"] <= 2**20
    assert uploader.max_bytes > MAX_FILE_BYTES


def send_all(uploader: Uploader, files: list[tuple[str, bytes]]) -> None:
    say(uploader, kind="begin", key="k", files=[[name, len(content)] for name, content in files])
    say(uploader, [b"".join(content for _, content in files)], kind="piece", key="k", number=0)


@pytest.mark.parametrize(
    ("inside", "kind"),
    [("bundle.json", "bundle"), ("mine/bundle.json", "bundle"), ("review.json", "open_review")],
)
def test_a_saved_review_or_a_model_is_told_by_its_content(inside: str, kind: str) -> None:
    state = DashboardState()
    content = zipped(**{inside: b"{}"})
    send_all(Uploader(state), [("cells.zip", content)])
    assert (state.command.kind, state.command.content, state.command.name) == (kind, content, "cells.zip")


def test_a_single_file_of_any_other_content_is_classified() -> None:
    for name, content in (("bundle.zip", zipped(**{"a.png": b"1"})), ("review.json", b"{}"), ("a.png", b"")):
        state = DashboardState()
        send_all(Uploader(state), [(name, content)])
        assert state.command.kind == "upload"
        assert len(list(state.command.files)) == 1


def test_a_model_among_images_is_rejected_and_the_images_are_not() -> None:
    state = DashboardState()
    send_all(Uploader(state), [("a.png", b"1"), ("model.zip", zipped(**{"bundle.json": b"{}"}))])
    (name, content), (other, rejection) = state.command.files
    assert (name, content, other) == ("a.png", b"1", "model.zip")
    assert rejection.reason.code == "not_alone"
