"""Files for the visitor: offered once, given piece by piece to whoever asks for them rightly."""

from __future__ import annotations

import pytest

from blood_lib.dashboard.state import DashboardState, Download, Progress
from blood_lib.dashboard.state.commands import Cancel
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.dashboard.widgets.downloads import PIECE, Downloads
from tests.tools.dashboard_tools import listen, say

CONTENT = bytes(range(256)) * (PIECE // 256) + b"the rest"


@pytest.fixture
def downloads() -> Downloads:
    return Downloads(DashboardState())


def test_a_file_is_offered_and_comes_in_pieces(downloads: Downloads) -> None:
    heard = listen(downloads)
    downloads.state.download = Download("a.bin", "application/octet-stream", CONTENT)
    offer = heard.pop().content
    assert (offer["name"], offer["pieces"]) == ("a.bin", 2)
    for number in range(offer["pieces"]):
        say(downloads, kind="take", key=offer["key"], number=number)
    assert b"".join(message.buffers[0] for message in heard) == CONTENT
    say(downloads, kind="done", key=offer["key"])
    assert downloads.state.download is None


def test_an_empty_file_is_a_file_too(downloads: Downloads) -> None:
    heard = listen(downloads)
    downloads.state.download = Download("a.txt", "text/plain", b"")
    say(downloads, kind="take", key=heard[0].content["key"], number=0)
    assert heard[-1].buffers == [b""]


def test_a_page_that_comes_later_is_offered_it_again(downloads: Downloads) -> None:
    downloads.state.download = Download("a.txt", "text/plain", b"a")
    heard = listen(downloads)
    say(downloads, kind="hello")
    assert heard[-1].content["name"] == "a.txt"


@pytest.mark.parametrize("number", [-1, "0", None, 1.5, True, [0]])
def test_a_false_number_gives_nothing(downloads: Downloads, number: object) -> None:
    downloads.state.download = Download("a.txt", "text/plain", b"a")
    heard = listen(downloads)
    say(downloads, kind="take", key=1, number=number)
    assert not heard


def test_a_second_file_waits_for_the_first(downloads: Downloads) -> None:
    heard = listen(downloads)
    downloads.state.download = Download("a.txt", "text/plain", b"a")
    downloads.state.download = Download("b.txt", "text/plain", b"b")
    assert [message.content["name"] for message in heard] == ["a.txt"]
    first = heard.pop().content["key"]
    say(downloads, kind="done", key=first)
    assert heard.pop().content["name"] == "b.txt"
    say(downloads, kind="take", key=first, number=0)  # talk of the earlier file
    say(downloads, kind="done", key=first)
    assert not heard and downloads.state.download is not None
    say(downloads, kind="done", key=first + 1)
    assert downloads.state.download is None


def test_how_far_a_large_file_is_can_be_seen_and_it_can_be_cancelled(downloads: Downloads) -> None:
    state, heard = downloads.state, listen(downloads)
    controller = Controller(state, lambda: None)
    state.download = Download("a.bin", "application/octet-stream", bytes(20 * PIECE))
    say(downloads, kind="take", key=1, number=5)
    assert (state.progress.done, state.progress.total, state.progress.kind) == (5, 20, "download")
    state.command = Cancel()
    assert state.download is None and state.progress is None
    assert heard[-1].content == {"kind": "stop"} and state.notice == Sentence("status.stopped")
    assert not controller.jobs.current


def test_the_progress_of_other_work_is_left_alone(downloads: Downloads) -> None:
    downloads.state.progress = Progress(1, 2, "report")
    downloads.state.download = Download("a.bin", "application/octet-stream", bytes(20 * PIECE))
    say(downloads, kind="take", key=1, number=5)
    say(downloads, kind="done", key=1)
    assert downloads.state.progress.kind == "report"
