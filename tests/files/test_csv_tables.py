"""One table in all the ways that spreadsheets write it."""

from pathlib import Path

import pytest

from blood_lib.files.csv_tables import read_csv_table, tidy_path
from blood_lib.files.errors import BloodError

COMMA = "file,label\na;1.png,red\n\nb.png,deep blue\n"
ROWS = [(2, {"file": "a;1.png", "label": "red"}), (4, {"file": "b.png", "label": "deep blue"})]


def read(tmp_path: Path, content: bytes) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    table = tmp_path / "t.csv"
    table.write_bytes(content)
    names, rows = read_csv_table(table)
    return names, [(row.line, row.texts) for row in rows]


@pytest.mark.parametrize(
    "content",
    [
        COMMA.encode(),
        COMMA.replace("\n", "\r\n").encode("utf-8-sig"),
        COMMA.replace("file,label", " File , LABEL ").encode(),
        COMMA.replace(",", "\t").encode("utf-16"),
        COMMA.replace("a;1", '"a;1').replace("png,red", 'png";red').replace(",", ";").encode(),
    ],
    ids=["comma", "mark and CRLF", "capitals", "tabs in UTF-16", "semicolon"],
)
def test_a_table_is_read_however_it_was_written(tmp_path, content):
    assert read(tmp_path, content) == (["file", "label"], ROWS)


def test_excels_first_line_names_the_delimiter(tmp_path):
    names, rows = read(tmp_path, b"sep=;\r\nfile;label\r\na.png;red\r\n")
    assert names == ["file", "label"] and rows == [(3, {"file": "a.png", "label": "red"})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"file,label\n\xff\xfe\xfa", "UTF-8"),
        (b"file,label\na,b,c\n", "line 2"),
        (b'file,label\n"a', "cannot"),
    ],
)
def test_what_is_no_table_is_said_in_one_sentence(tmp_path, content, said):
    with pytest.raises(BloodError, match=said) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_an_empty_file_has_no_columns(tmp_path):
    assert read(tmp_path, b"") == ([], [])


@pytest.mark.parametrize("file", ["a/b.png", "./a/b.png", "a//b.png", "a\\b.png", "a/c/../b.png"])
def test_a_file_has_one_spelling(file):
    assert tidy_path(file) == "a/b.png"
