"""A download that is cut, stalls or changes under way goes on, or ends in a sentence that says what to do."""

import errno
import os
import shutil
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("pooch")

from blood_lib.files.errors import BloodError
from blood_lib.study.data import download
from blood_lib.study.data.download import Patience, Refused, ResumingDownloader
from tests.tools.http_server import Fault, serve

CONTENT = os.urandom(300_000)
QUICK = Patience(stall=0.3, slowest=10_000, retries=2, progress=1_000_000, pause=0.0)


@pytest.fixture
def fetch(tmp_path: Path):
    """fetch(server) downloads into tmp_path/file and returns what arrived."""

    def run(url: str, **options) -> bytes:
        ResumingDownloader(tmp_path / "x.tmp", patience=QUICK, **options)(url, str(tmp_path / "file"))
        return (tmp_path / "file").read_bytes()

    return run


def test_a_good_server_is_asked_once_and_nothing_else_is_left(fetch, tmp_path):
    with serve(CONTENT) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None]
    assert os.listdir(tmp_path) == ["file"]


def test_a_cut_download_continues_and_asks_for_the_rest_only(fetch):
    with serve(CONTENT, Fault(cut_after=100_000), Fault(cut_after=50_000)) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert server.conditions == [None, '"one"', '"one"']
    assert server.sent == len(CONTENT)


def test_a_stalled_server_is_left_and_asked_for_the_rest(fetch):
    with serve(CONTENT, Fault(stall_after=100_000)) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_a_server_that_trickles_counts_as_stalled(fetch):
    with serve(CONTENT, Fault(trickle=True)) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges[1].startswith("bytes=")


def test_another_run_continues_what_the_first_left(fetch, tmp_path):
    with serve(CONTENT, *[Fault(cut_after=60_000)] * 3) as server:
        with pytest.raises(
            BloodError, match=r"stopped after 0\.2 MB: .*cut, 3 times in a row.*goes on where"
        ):
            fetch(server.url)
        assert (tmp_path / "x.tmp").read_bytes() == CONTENT[:180_000]
        assert not (tmp_path / "file").exists()
        assert fetch(server.url) == CONTENT
    assert server.ranges[-1] == "bytes=180000-"


def test_as_long_as_much_arrives_a_server_may_cut_more_often_than_there_are_retries(tmp_path):
    patience = Patience(stall=1, retries=1, progress=40_000, pause=0)
    with serve(CONTENT, *[Fault(cut_after=50_000)] * 5) as server:
        ResumingDownloader(tmp_path / "x.tmp", patience=patience)(server.url, str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_ignores_range_sends_all_again_without_mixing(fetch):
    with serve(CONTENT, Fault(cut_after=100_000), Fault(ignore_range=True)) as server:
        assert fetch(server.url) == CONTENT


@pytest.mark.parametrize("etag", ['"two"', None])
def test_a_file_that_changed_between_attempts_is_fetched_whole(fetch, etag):
    new = os.urandom(200_000)
    changed = Fault(content=new, etag=etag)
    with serve(CONTENT, Fault(cut_after=100_000), changed, changed, changed) as server:
        assert fetch(server.url) == new


def test_a_server_that_ignores_if_range_is_seen_through(fetch):
    # It answers 206 for a file of the same size whose ETag is another: the two must not be joined.
    new = os.urandom(len(CONTENT))
    with serve(new, Fault(content=CONTENT, cut_after=100_000, etag='"one"')) as server:
        liar = Fault(etag='"one"', headers={"ETag": '"two"'})
        server.faults.append(liar)
        assert fetch(server.url) == new


def test_a_file_that_shrank_below_what_we_have_is_fetched_whole(fetch):
    new = CONTENT[:50_000]
    with serve(new, Fault(content=CONTENT, cut_after=100_000)) as server:
        assert fetch(server.url) == new
    assert server.ranges == [None, "bytes=100000-", None]


def test_a_part_that_does_not_say_where_it_belongs_is_not_used(fetch):
    vague = Fault(headers={"Content-Range": "bytes */*"})
    with serve(CONTENT, Fault(cut_after=100_000), vague) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None, "bytes=100000-", None]


def test_weak_marks_are_not_trusted_but_dates_are(fetch):
    date = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    cut = Fault(cut_after=100_000, etag=None, headers=date | {"ETag": 'W/"weak"'})
    with serve(
        CONTENT, cut, Fault(etag=date["Last-Modified"], headers=date | {"ETag": 'W/"weak"'})
    ) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None, "bytes=100000-"]
    assert server.sent == len(CONTENT)


def test_a_file_without_announced_length_arrives(fetch):
    with serve(CONTENT, Fault(chunked=True, cut_after=100_000), Fault(chunked=True)) as server:
        assert fetch(server.url) == CONTENT


def test_a_rest_that_ends_too_early_is_not_taken_for_whole(fetch):
    short = Fault(chunked=True, cut_after=50_000, finish=True)
    with serve(CONTENT, Fault(cut_after=100_000), short) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_a_busy_server_is_asked_again_when_it_says(fetch, monkeypatch):
    waits = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    with serve(CONTENT, Fault(status=503, headers={"Retry-After": "7"}), Fault(status=500)) as server:
        assert fetch(server.url) == CONTENT
    assert waits == [7.0, 0.0]


def test_waits_double_and_then_it_gives_up(tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    downloader = ResumingDownloader(tmp_path / "x.tmp", patience=Patience(retries=3, pause=1))
    with (
        serve(CONTENT, *[Fault(status=502)] * 9) as server,
        pytest.raises(BloodError, match="4 times in a row"),
    ):
        downloader(server.url, str(tmp_path / "file"))
    assert waits == [1, 2, 4]


def test_a_server_that_asks_for_hours_is_not_waited_for(fetch):
    with (
        serve(CONTENT, Fault(status=429, headers={"Retry-After": "7200"})) as server,
        pytest.raises(BloodError, match="come back in 120 minutes"),
    ):
        fetch(server.url)


@pytest.mark.parametrize(
    ("status", "text"), [(404, "gone"), (410, "gone"), (403, "refuses"), (401, "refuses")]
)
def test_an_address_that_is_gone_is_not_tried_twice(fetch, tmp_path, status, text):
    with serve(CONTENT, Fault(status=status)) as server, pytest.raises(Refused, match=f"{text}.*{status}"):
        fetch(server.url)
    assert server.ranges == [None]
    assert os.listdir(tmp_path) == []


def test_no_network_is_told_at_once(fetch):
    with serve(b"") as server:
        url = server.url  # nobody listens there once the server is closed
    with pytest.raises(Refused, match="127.0.0.1 cannot be reached: check the network"):
        fetch(url)


@pytest.mark.parametrize("url", ["no address", "ftp://example.org/x", "http://"])
def test_what_is_no_web_address_is_told(fetch, url):
    with pytest.raises(BloodError, match="cannot be"):
        fetch(url)


def test_too_little_room_is_told_before_anything_is_downloaded(fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with serve(CONTENT) as server, pytest.raises(BloodError, match=r"full \(1\.2 MB are needed\): make room"):
        fetch(server.url, spare=900_000)
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fills_up_under_way_leaves_what_can_be_resumed(fetch, tmp_path, monkeypatch):
    chunks = ResumingDownloader._chunks

    def fill(self, response):
        yield next(chunks(self, response))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with serve(CONTENT) as server:
        with monkeypatch.context() as patch:
            patch.setattr(ResumingDownloader, "_chunks", fill)
            with pytest.raises(
                BloodError, match="disk .* is full .*: make room and give the same command again"
            ):
                fetch(server.url)
        have = (tmp_path / "x.tmp").stat().st_size
        assert 0 < have < len(CONTENT)
        assert fetch(server.url) == CONTENT
    assert server.ranges[-1] == f"bytes={have}-"


def test_ctrl_c_leaves_a_part_that_is_resumed(fetch, tmp_path, monkeypatch):
    chunks = ResumingDownloader._chunks

    def interrupt(self, response):
        yield next(chunks(self, response))
        raise KeyboardInterrupt

    with serve(CONTENT) as server:
        with monkeypatch.context() as patch:
            patch.setattr(ResumingDownloader, "_chunks", interrupt)
            with pytest.raises(KeyboardInterrupt):
                fetch(server.url)
        have = (tmp_path / "x.tmp").stat().st_size
        assert 0 < have < len(CONTENT)
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None, f"bytes={have}-"]


def test_a_part_without_its_state_is_not_trusted(fetch, tmp_path):
    (tmp_path / "x.tmp").write_bytes(b"of unknown origin")
    with serve(CONTENT) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None]


def test_a_part_from_another_address_is_not_trusted(fetch, tmp_path):
    with serve(os.urandom(300_000), *[Fault(cut_after=1000)] * 3) as server, pytest.raises(BloodError):
        fetch(server.url)
    with serve(CONTENT) as server:
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None]


def test_a_part_that_is_complete_is_not_downloaded_again(fetch, tmp_path, monkeypatch):
    with serve(CONTENT) as server:
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", _raise_interrupt)
            with pytest.raises(KeyboardInterrupt):
                fetch(server.url)
        assert fetch(server.url) == CONTENT
    assert server.ranges == [None]


def _raise_interrupt(*args) -> None:
    raise KeyboardInterrupt


def test_nothing_waits_longer_than_the_stall_limit_for_an_answer(fetch):
    began = time.monotonic()
    with (
        serve(CONTENT, *[Fault(stall_after=0)] * 3) as server,
        pytest.raises(BloodError, match="sent nothing"),
    ):
        fetch(server.url)
    assert time.monotonic() - began < 5
    assert threading.active_count() < 20
