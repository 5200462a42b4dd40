"""Tables that spreadsheets can be trusted with, and files that are there whole or not at all."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest

from blood_lib.inference import Result
from blood_lib.report import open_whole, write_csv

NAMES = ["red", "deep blue"]
SOUND = Result("a.png", "ok", "", "red", 0.75, np.array([0.75, 0.25], np.float32))


def table(*results: Result) -> list[dict[str, str]]:
    file = io.StringIO()
    write_csv(results, NAMES, file)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def test_the_columns_are_in_their_order() -> None:
    assert list(table(SOUND)[0]) == [
        "file",
        "status",
        "reason",
        "label",
        "confidence",
        "p_red",
        "p_deep blue",
    ]


def test_a_row_per_result() -> None:
    sound, rejected = table(SOUND, Result("b.png", "rejected", "the file is empty."))
    assert sound["confidence"] == sound["p_red"] == "0.750000" and sound["label"] == "red"
    assert rejected["reason"] == "the file is empty." and rejected["p_red"] == rejected["label"] == ""


def test_statuses_are_counted() -> None:
    assert write_csv([SOUND, SOUND], NAMES, io.StringIO()) == {"ok": 2}


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0.png", "+1.png", "-1.png", "@SUM(1).png"])
def test_no_name_is_a_formula(name: str) -> None:
    assert table(Result(name, "rejected", "why."))[0]["file"] == "'" + name


@pytest.mark.parametrize("name", ["a=b.png", 'with "quotes", and commas.png', "'a.png", "細胞.png", " a"])
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert table(Result(name, "rejected", "why."))[0]["file"] == name


@pytest.mark.parametrize("name", ["two\nlines", "a\rb", "\t=1", "caf\udce9"])
def test_a_row_is_one_line_of_text(name: str) -> None:
    (row,) = table(Result(name, "rejected", "why."))
    assert row["file"].isprintable() and row["file"].startswith((name[0], "\\"))


def test_rows_are_written_as_they_come() -> None:
    file = io.StringIO()

    def results():
        yield SOUND
        assert "a.png" in file.getvalue()
        yield SOUND

    write_csv(results(), NAMES, file)


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
    with pytest.raises(OSError), open_whole(tmp_path / "no" / "such" / "folder.csv"):
        pytest.fail("it was opened")
    with pytest.raises(OSError), open_whole(tmp_path):
        pytest.fail("a folder was opened")
