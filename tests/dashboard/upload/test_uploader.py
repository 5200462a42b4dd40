"""What the uploader says to a browser, without a browser: hostile messages, limits, lone files."""

from __future__ import annotations

import pytest

from blood_lib.dashboard.state import DashboardState
from blood_lib.dashboard.state.commands import OpenBundle, OpenReview, Upload
from blood_lib.dashboard.upload.uploader import Uploader
from blood_lib.files.archives import MAX_FILE_BYTES
from tests.tools.dashboard_tools import listen, say, zipped


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


def send_all(uploader: Uploader, files: list[tuple[str, bytes]]) -> None:
    say(uploader, kind="begin", key="k", files=[[name, len(content)] for name, content in files])
    say(uploader, [b"".join(content for _, content in files)], kind="piece", key="k", number=0)


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
