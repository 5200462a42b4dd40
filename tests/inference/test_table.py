"""Tables that spreadsheets can be trusted with, and files that are there whole or not at all."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest

from blood_lib.files.errors import BloodError
from blood_lib.files.output import open_whole
from blood_lib.files.reasons import Reason
from blood_lib.inference import Result
from blood_lib.inference.table import write_csv

NAMES = ["red", "deep blue"]
EMPTY = Reason("empty")
SOUND = Result("a.png", "ok", None, "red", 0.75, np.array([0.75, 0.25], np.float32))


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
    sound, rejected = table(SOUND, Result("b.png", "rejected", EMPTY))
    assert sound["confidence"] == sound["p_red"] == "0.750000" and sound["label"] == "red"
    assert rejected["reason"] == str(EMPTY) and rejected["p_red"] == rejected["label"] == ""


def test_statuses_are_counted() -> None:
    assert write_csv([SOUND, SOUND], NAMES, io.StringIO()) == {"ok": 2}


FULL_WIDTH = ["\uff1d1.png", "\uff0b1.png", "\uff0d1.png", "\uff201.png"]  # as Japanese Excel reads them


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0.png", "+1.png", "-1.png", "@SUM(1).png", " =1.png", *FULL_WIDTH]
)
def test_no_name_is_a_formula(name: str) -> None:
    assert table(Result(name, "rejected", EMPTY))[0]["file"] == "'" + name


@pytest.mark.parametrize("name", ["a=b.png", 'with "quotes", and commas.png', "'a.png", "細胞.png", " a"])
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert table(Result(name, "rejected", EMPTY))[0]["file"] == name


@pytest.mark.parametrize("name", ["x;=HYPERLINK(1);.png", "x\u2028=1.png", "a|=1.png", 'a";=1.png'])
def test_no_separator_of_another_country_makes_a_formula(name: str) -> None:
    """Where the comma is the decimal sign, Excel parts a row at `;`, but not within quotes."""
    file = io.StringIO()
    write_csv([Result(name, "rejected", EMPTY)], NAMES, file)
    rows = [next(csv.reader([line], delimiter=";")) for line in file.getvalue().splitlines()]
    assert [len(row) for row in rows] == [1, 1]


def test_plain_fields_stay_without_quotes() -> None:
    file = io.StringIO()
    write_csv([SOUND, Result("b/Cell 2_(x)-y.jpg", "rejected", EMPTY)], NAMES, file)
    assert file.getvalue() == (
        "file,status,reason,label,confidence,p_red,p_deep blue\n"
        "a.png,ok,,red,0.750000,0.750000,0.250000\n"
        "b/Cell 2_(x)-y.jpg,rejected,the file is empty: export or download it again.,,,,\n"
    )


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_what_cannot_be_written_and_what_cannot_be_read_are_told_apart() -> None:
    def results():
        yield SOUND
        raise OSError(5, "Input/output error")

    with pytest.raises(BloodError, match=r"^o.csv cannot be written: No space left .*; choose another place"):
        write_csv([SOUND], NAMES, Full(), where="o.csv")
    with pytest.raises(OSError, match="Input/output error"):
        write_csv(results(), NAMES, io.StringIO())


@pytest.mark.parametrize("name", ["two\nlines", "a\rb", "\t=1", "caf\udce9"])
def test_a_row_is_one_line_of_text(name: str) -> None:
    (row,) = table(Result(name, "rejected", EMPTY))
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


def test_a_file_that_cannot_be_replaced_leaves_the_new_one_beside_it(tmp_path: Path, monkeypatch) -> None:
    """On Windows nobody may replace a table that Excel shows."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    (tmp_path / "out.csv").write_text("older")
    with pytest.raises(BloodError) as caught, open_whole(tmp_path / "out.csv") as file:
        file.write("new")
    (part,) = tmp_path.glob(".out.csv.*.part")
    assert part.read_text() == "new" and (tmp_path / "out.csv").read_text() == "older"
    assert str(part) in str(caught.value) and "Permission denied" in str(caught.value)


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
