"""What the uploader says to a browser, without a browser: hostile messages, limits, lone files."""

from __future__ import annotations

import itertools

import pytest

from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.state.commands import OpenBundle, OpenReview, Upload
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.dashboard.upload.uploader import Uploader
from blood_lib.files.archives import MAX_FILE_BYTES
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection
from tests.tools.dashboard_tools import listen, say, zipped

KEYS = itertools.count()


@pytest.fixture
def uploader() -> Uploader:
    return Uploader(DashboardState())


def test_an_upload_begins_is_acknowledged_and_ends(uploader: Uploader) -> None:
    heard = listen(uploader)
    say(uploader, kind="begin", key="k", files=[["a.png", 3]], unreadable=[])
    say(uploader, [b"abc"], kind="piece", key="k", number=0)
    assert [message.content["number"] for message in heard] == [0, 1]
    assert heard[-1].content["complete"]
    assert isinstance(uploader.state.command, Upload)
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


def send_all(uploader: Uploader, files: list[tuple[str, bytes]], *, add: bool = False) -> None:
    key, entries = str(next(KEYS)), [[name, len(content)] for name, content in files]
    say(uploader, kind="begin", key=key, files=entries, add=add)
    say(uploader, [b"".join(content for _, content in files)], kind="piece", key=key, number=0)


@pytest.mark.parametrize(
    ("inside", "kind"),
    [("bundle.json", OpenBundle), ("mine/bundle.json", OpenBundle), ("review.json", OpenReview)],
)
def test_a_saved_review_or_a_model_is_told_by_its_content(
    inside: str, kind: type[OpenBundle | OpenReview]
) -> None:
    state = DashboardState()
    content = zipped(**{inside: b"{}"})
    send_all(Uploader(state), [("cells.zip", content)])
    assert (type(state.command), state.command.content) == (kind, content)


def test_a_model_keeps_the_name_of_its_file() -> None:
    state = DashboardState()
    send_all(Uploader(state), [("moods.zip", zipped(**{"bundle.json": b"{}"}))])
    assert state.command.name == "moods.zip"


def test_a_single_file_of_any_other_content_is_classified() -> None:
    for name, content in (("bundle.zip", zipped(**{"a.png": b"1"})), ("review.json", b"{}"), ("a.png", b"")):
        state = DashboardState()
        send_all(Uploader(state), [(name, content)])
        assert isinstance(state.command, Upload)
        assert len(list(state.command.files)) == 1


def test_a_model_among_images_is_rejected_and_the_images_are_not() -> None:
    state = DashboardState()
    send_all(Uploader(state), [("a.png", b"1"), ("model.zip", zipped(**{"bundle.json": b"{}"}))])
    (name, content), (other, rejection) = state.command.files
    assert (name, content, other) == ("a.png", b"1", "model.zip")
    assert rejection.reason.code == "not_alone"


TABLE = b"\xef\xbb\xbffile,cell,status,reason,label,confidence,p_red,group,reviewed\na.png,,ok\n"


@pytest.mark.parametrize("content", [TABLE, TABLE.removeprefix(b"\xef\xbb\xbf"), b"<!doctype html><html>"])
def test_a_table_or_report_is_one_sentence_and_what_is_there_stays(
    uploader: Uploader, content: bytes, capfd
) -> None:
    send_all(uploader, [("results.csv", content)])
    assert uploader.state.error == Sentence("reason.made_here") and uploader.state.command is None
    send_all(uploader, [("results.csv", content), ("a.png", b"image")])
    (_, rejection), image = uploader.state.command.files
    assert rejection == Rejection(Reason("made_here")) and image == ("a.png", b"image")


def test_images_are_added_only_when_that_is_asked_for(uploader: Uploader) -> None:
    for add in (True, False):
        send_all(uploader, [("a.png", b"image")], add=add)
        assert uploader.state.command.add is add
        send_all(uploader, [("a.png", b"image"), ("b.png", b"image")], add=add)
        assert uploader.state.command.add is add


def test_a_review_or_a_model_is_never_added(uploader: Uploader, capfd) -> None:
    send_all(uploader, [("any.zip", zipped(**{"review.json": b"{}"}))], add=True)
    assert uploader.state.error == Sentence("upload.not_added") and uploader.state.command is None
