"""Tables that spreadsheets can be trusted with."""

import csv
import io

import numpy as np
import pytest

from blood_lib.files.errors import BloodError
from blood_lib.files.reasons import Reason
from blood_lib.inference import Result
from blood_lib.tables.cells import write_csv

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
        "cell",
        "x",
        "y",
        "width",
        "height",
        "diameter_um",
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
        "file,cell,x,y,width,height,diameter_um,status,reason,label,confidence,p_red,p_deep blue\n"
        "a.png,,,,,,,ok,,red,0.750000,0.750000,0.250000\n"
        "b/Cell 2_(x)-y.jpg,,,,,,,rejected,the file is empty: export or download it again.,,,,\n"
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
