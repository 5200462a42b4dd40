"""`blood data fetch` puts the dataset in place whole and checked, or not at all, and says what to do."""

import hashlib
import os
import shutil
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

pytest.importorskip("pooch")

from blood_lib.files.errors import BloodError
from blood_lib.study.data import fetch
from blood_lib.study.data.download import Patience
from blood_lib.study.data.fetch import ARCHIVE, fetch_dataset, find_faults
from blood_lib.study.data.index import DATASET
from tests.tools.http_server import Fault, serve

FILES = {f"{folder}/{folder}_{i}.jpg": os.urandom(20_000) for folder in ("basophil", "ig") for i in range(3)}
FILES["ig/.DS_1.jpg"] = b"published junk stays"
MANIFEST = pd.DataFrame(
    [(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in FILES.items()],
    columns=["file", "bytes", "sha256"],
)
QUICK = Patience(stall=0.3, retries=2, pause=0.0)


def make_archive(files: dict[str, bytes], **others: bytes) -> bytes:
    """An archive like the published one: a folder, and what a Mac leaves behind."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{DATASET}/{name}", content)
            archive.writestr(f"__MACOSX/{DATASET}/{name.replace('/', '/._')}", b"a Mac's")
        archive.writestr(f"{DATASET}/.DS_Store", b"a Mac's")
    return file.getvalue()


GOOD = make_archive(FILES)


def run(folder: Path, url: str = "http://127.0.0.1:1/none", **options) -> Path:
    return fetch_dataset(folder, url=url, manifest=MANIFEST, patience=QUICK, **options)


def assert_complete(target: Path) -> None:
    found = {
        path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()
    }
    assert found == FILES


def test_every_published_file_arrives_and_nothing_else(tmp_path):
    with serve(GOOD) as server:
        target = run(tmp_path, server.url)
    assert target == tmp_path / DATASET
    assert_complete(target)
    assert os.listdir(tmp_path) == [DATASET]


def test_the_archive_is_kept_when_asked_for(tmp_path):
    with serve(GOOD) as server:
        run(tmp_path, server.url, keep_archive=True)
    assert (tmp_path / ARCHIVE).read_bytes() == GOOD
    assert sorted(os.listdir(tmp_path)) == [DATASET, ARCHIVE]


def test_a_complete_dataset_is_not_downloaded_again(tmp_path):
    with serve(GOOD) as server:
        run(tmp_path, server.url)
        assert run(tmp_path, server.url) == tmp_path / DATASET
    assert len(server.ranges) == 1


def test_an_incomplete_dataset_is_never_overwritten(tmp_path):
    with serve(GOOD) as server:
        target = run(tmp_path, server.url)
    (target / "ig/ig_0.jpg").unlink()
    (target / "ig/ig_1.jpg").write_bytes(b"other")
    with pytest.raises(BloodError, match=r"not as published \(1 missing, 1 changed; first: ig/ig_0.jpg\)"):
        run(tmp_path)
    assert find_faults(target, MANIFEST)["fault"].tolist() == ["missing", "changed"]


def test_a_second_run_continues_the_download_of_the_first(tmp_path):
    with serve(GOOD, *[Fault(cut_after=20_000)] * 3) as server:
        with pytest.raises(BloodError, match="goes on where it stopped"):
            run(tmp_path, server.url)
        assert os.listdir(tmp_path) == [f"{DATASET}.tmp"]
        assert_complete(run(tmp_path, server.url))
    assert server.ranges[-1] == "bytes=60000-"
    assert server.sent == len(GOOD)
    assert os.listdir(tmp_path) == [DATASET]


def test_a_corrupted_download_is_thrown_away_and_fetched_again(tmp_path, capsys):
    broken = GOOD.replace(FILES["ig/ig_1.jpg"], bytes(20_000))
    with serve(GOOD, Fault(content=broken)) as server:
        assert_complete(run(tmp_path, server.url))
    assert server.ranges == [None, None]
    assert "damaged: " in capsys.readouterr().err


def test_a_download_that_stays_corrupt_is_told(tmp_path):
    broken = make_archive(FILES | {"ig/ig_1.jpg": bytes(20_000)})
    advice = "ig_1.jpg differs .*Try another network.*--archive"
    with serve(broken) as server, pytest.raises(BloodError, match=advice):
        run(tmp_path, server.url)
    assert len(server.ranges) == 2
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("page", [b"<html>Please log in to this network</html>", b""])
def test_a_login_page_instead_of_the_archive_is_told(tmp_path, page):
    with serve(page) as server, pytest.raises(BloodError, match="cannot be read as a ZIP archive"):
        run(tmp_path, server.url)
    assert os.listdir(tmp_path) == []


def test_an_address_that_is_gone_says_where_to_look(tmp_path):
    advice = r"gone \(410\).* https://data.mendeley.com/\S+: .*--url.*--archive"
    with serve(GOOD, Fault(status=410)) as server, pytest.raises(BloodError, match=advice):
        run(tmp_path, server.url)
    assert os.listdir(tmp_path) == []


def test_no_network_says_what_to_do(tmp_path):
    with pytest.raises(BloodError, match="cannot be reached: check the network.*--archive"):
        run(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_told_before_the_download(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=200_000))
    with serve(GOOD) as server, pytest.raises(BloodError, match=r"full \(0\.2 MB are needed\)"):
        run(tmp_path, server.url)
    assert server.sent < len(GOOD) or not list(tmp_path.rglob("*.jpg"))
    assert not (tmp_path / DATASET).exists()


def test_a_disk_that_fills_up_while_unpacking_keeps_the_archive_only(tmp_path, monkeypatch):
    write = Path.write_bytes

    def fill(path, content):
        if path.name == "ig_0.jpg":
            raise OSError(28, "No space left on device")
        return write(path, content)

    with serve(GOOD) as server:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", fill)
            with pytest.raises(BloodError, match="full .*: make room and give the same command again"):
                run(tmp_path, server.url)
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [ARCHIVE]
        assert_complete(run(tmp_path, server.url))
    assert len(server.ranges) == 1


def test_ctrl_c_while_unpacking_leaves_nothing_half_unpacked(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    with serve(GOOD) as server:
        with monkeypatch.context() as patch:
            patch.setattr(fetch, "_read_member", interrupt)
            with pytest.raises(KeyboardInterrupt):
                run(tmp_path, server.url)
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [ARCHIVE]
        assert_complete(run(tmp_path, server.url))


def test_what_a_killed_run_left_half_unpacked_is_removed(tmp_path):
    leftover = tmp_path / f"{DATASET}.tmp" / DATASET / "ig" / "ig_9.jpg"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    with serve(GOOD) as server:
        assert_complete(run(tmp_path, server.url))
    assert os.listdir(tmp_path) == [DATASET]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BloodError, match="choose another folder"):
        run(tmp_path / "file" / "below")


# --- an archive that was downloaded by hand ---


def test_an_archive_at_hand_needs_no_network_and_stays(tmp_path):
    archive = tmp_path / "by hand.zip"
    archive.write_bytes(GOOD)
    assert_complete(run(tmp_path / "new", archive=archive))
    assert archive.read_bytes() == GOOD


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"no archive", "cannot be read as a ZIP archive"),
        (GOOD[:-50_000], "cannot be read as a ZIP archive"),
        (make_archive(dict(list(FILES.items())[1:])), r"1 published files are missing .*basophil_0\.jpg"),
        (make_archive(FILES | {"ig/ig_0.jpg": b"short"}), "ig_0.jpg differs"),
        (make_archive(FILES | {"ig/ig_0.jpg": FILES["ig/ig_0.jpg"] + b"x" * 99}), "ig_0.jpg differs"),
        (GOOD.replace(FILES["ig/ig_2.jpg"], bytes(20_000)), "cannot be unpacked.*CRC"),
    ],
)
def test_an_archive_that_is_not_the_published_one_is_told(tmp_path, content, text):
    archive = tmp_path / "by hand.zip"
    archive.write_bytes(content)
    with pytest.raises(BloodError, match=f"not the published archive: .*{text}"):
        run(tmp_path / "new", archive=archive)
    assert os.listdir(tmp_path / "new") == []


def test_an_archive_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BloodError, match="There is no file .*download PBC_dataset_normal_DIB.zip from https"):
        run(tmp_path, archive=tmp_path / "none.zip")


def test_an_encrypted_archive_is_told(tmp_path):
    content = bytearray(GOOD)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of every entry, in both places
        at = content.find(mark)
        while at >= 0:
            struct.pack_into("<H", content, at + offset, 1)
            at = content.find(mark, at + 1)
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(BloodError, match="cannot be unpacked"):
        run(tmp_path / "new", archive=tmp_path / "a.zip")


def test_no_entry_can_be_written_outside(tmp_path):
    archive = BytesIO(GOOD)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("../../escaped.jpg", b"x")
        file.writestr("/tmp/escaped/ig/escaped.jpg", b"x")
    (tmp_path / "a.zip").write_bytes(archive.getvalue())
    assert_complete(run(tmp_path / "new", archive=tmp_path / "a.zip"))
    assert not list(tmp_path.rglob("escaped*"))
