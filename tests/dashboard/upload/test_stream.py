"""Cutting files out of a stream: pieces, false claims; every file arrives or is named."""

from __future__ import annotations

import pytest

from blood_lib.dashboard.upload.stream import FileStream, announced_entries
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection
from tests.tools.dashboard_tools import zipped


def pieces(content: bytes, size: int = 7) -> list[bytes]:
    return [content[i : i + size] for i in range(0, len(content), size)]


FILES = [("a.png", b"first file"), ("empty.png", b""), ("b.png", b"the second file"), ("c.png", b"x")]
ENTRIES = [(name, len(content)) for name, content in FILES]
STREAM = b"".join(content for _, content in FILES)


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_files_come_out_as_they_went_in_whatever_the_size_of_a_piece(size: int) -> None:
    stream = FileStream(ENTRIES)
    for number, piece in enumerate(pieces(STREAM, size)):
        assert stream.feed(number, piece) == number + 1
    assert stream.complete
    assert list(stream) == FILES


def test_a_piece_that_comes_twice_or_too_early_changes_nothing() -> None:
    stream, parts = FileStream(ENTRIES), pieces(STREAM)
    for number, piece in enumerate(parts):
        assert stream.feed(number + 1, b"too early") == number
        stream.feed(number, piece)
        assert stream.feed(number, b"twice") == number + 1
    assert list(stream) == FILES


def test_more_bytes_than_announced_are_thrown_away() -> None:
    stream = FileStream([("a.png", 3)])
    stream.feed(0, b"abcdef")
    assert list(stream) == [("a.png", b"abc")]


def test_an_upload_of_empty_files_needs_no_piece() -> None:
    stream = FileStream([("a.png", 0), ("b.png", 0)])
    assert stream.complete
    assert [name for name, _ in stream] == ["a.png", "b.png"]


def test_a_zip_is_opened_and_its_entries_are_counted() -> None:
    content = zipped(**{"x/a.png": b"1", "b.png": b"22"})
    stream = FileStream([("cells.zip", len(content))])
    stream.feed(0, content)
    assert list(stream) == [("cells.zip/b.png", b"22"), ("cells.zip/x/a.png", b"1")]
    assert stream.total == 2
    assert announced_entries(content) == 2
    assert announced_entries(b"no zip") == 1


def test_a_file_too_large_is_named_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blood_lib.dashboard.upload.stream.MAX_FILE_BYTES", 8)
    stream = FileStream([("large.png", 30), ("small.png", 2)])
    for number, piece in enumerate(pieces(b"L" * 30 + b"ok", 8)):
        stream.feed(number, piece)
        assert len(stream._buffer) <= 8
    (large, why), small = list(stream)
    assert large == "large.png"
    assert isinstance(why, Rejection)
    assert small == ("small.png", b"ok")


def test_what_the_browser_could_not_read_is_named() -> None:
    stream = FileStream([("a.png", 1)], ["gone.png"])
    stream.feed(0, b"a")
    assert list(stream) == [("gone.png", Rejection(Reason("unsent"))), ("a.png", b"a")]
    assert stream.total == 2


def test_a_cancelled_upload_ends_and_takes_no_more() -> None:
    stream = FileStream([("a.png", 1), ("b.png", 1)])
    stream.feed(0, b"a")
    stream.cancel()
    assert list(stream) == []
    assert stream.feed(1, b"b") == 1


def test_memory_that_waits_is_counted_until_it_is_taken() -> None:
    stream = FileStream([("a.png", 4), ("b.png", 4)])
    stream.feed(0, b"aaaabb")
    assert stream.pending == 4
    next(iter(stream))
    assert stream.pending == 0
