"""Files are there whole or not at all, and a place that cannot be written is told."""

import os
from pathlib import Path

import pytest

from blood_lib.files.errors import BloodError
from blood_lib.files.output import open_whole


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    with open_whole(tmp_path / "out.csv") as file:
        file.write("ä")
        assert not (tmp_path / "out.csv").exists()
    assert (tmp_path / "out.csv").read_bytes() == "ä".encode()
    assert os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_goes_wrong_leaves_the_older_file(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "out.csv").write_text("older")
    with pytest.raises(error), open_whole(tmp_path / "out.csv") as file:
        file.write("half")
        raise error
    assert (tmp_path / "out.csv").read_text() == "older" and os.listdir(tmp_path) == ["out.csv"]


def test_a_file_that_cannot_be_replaced_leaves_the_new_one_beside_it(tmp_path: Path, monkeypatch) -> None:
    """On Windows nobody may replace a table that Excel shows."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    (tmp_path / "out.csv").write_text("older")
    with pytest.raises(BloodError) as caught, open_whole(tmp_path / "out.csv") as file:
        file.write("new")
    (kept,) = tmp_path.glob(".out.csv.*.tmp")
    assert kept.read_text() == "new" and (tmp_path / "out.csv").read_text() == "older"
    assert str(kept) in str(caught.value) and "Permission denied" in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_full_when_the_file_is_closed(tmp_path: Path) -> None:
    full = pytest.raises(BloodError, match="/dev/full cannot be written: No space left")
    with full, open_whole(Path("/dev/full")) as file:
        file.write("x")
    with pytest.raises(KeyError), open_whole(Path("/dev/full")) as file:
        file.write("x")
        raise KeyError


def test_the_file_has_ordinary_permissions(tmp_path: Path) -> None:
    with open_whole(tmp_path / "out.csv"):
        pass
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with open_whole(tmp_path / "link.csv") as file:
        file.write("x")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text() == "x"
    with open_whole(Path(os.devnull)) as file:
        file.write("x")
    assert Path(os.devnull).is_char_device()


def test_a_place_that_cannot_be_written_is_known_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "no" / "folder.csv", tmp_path / "file" / "o.csv", tmp_path):
        with pytest.raises(BloodError, match="cannot be written: .*; choose another place"), open_whole(path):
            pytest.fail("it was opened")
