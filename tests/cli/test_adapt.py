"""`blood adapt` as a user runs it: a bundle and what was done, or a sentence when it cannot work."""

import os
from pathlib import Path

import pytest

from blood_lib.__main__ import main
from blood_lib.bundle import Bundle
from blood_lib.cli.adapt import LabelledCell, read_table
from blood_lib.inference import Classifier
from tests.test_imports import BLOCK, STUDY_ONLY, WIDGETS_ONLY, run_python
from tests.tools.fixtures_bundle import draw_cell, encode, save_tiny_bundle

FAINT = {"red": "#ffd8d0", "green": "#e0ffd0", "blue": "#f0e0ff"}  # what each looks like elsewhere


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Eight images a class of a laboratory where all cells are faint, and a table of them."""
    (tmp_path / "cells").mkdir()
    lines = ["file,label"]
    for i in range(24):
        name = list(FAINT)[i % 3]
        cell = draw_cell(FAINT[name], (40 + i, 50))
        (tmp_path / "cells" / f"{i}.png").write_bytes(encode(cell))
        lines.append(f"cells/{i}.png,{name.title()}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "labels.csv"


def adapt(capsys, bundle: Bundle, table: Path, out: Path) -> tuple[int, str, str]:
    """(exit code, output, standard error)"""
    code = main(["adapt", str(table), "--bundle", str(bundle.path), "--out", str(out)])
    return code, *capsys.readouterr()


def complain(capsys, bundle: Bundle, table: Path, out: Path | None = None) -> str:
    """The sentence that the command ends with when it cannot do its work; no bundle is there then."""
    out, folder = out or table.parent / "new", (out or table).parent
    before = sorted(folder.iterdir())
    code, text, err = adapt(capsys, bundle, table, out)
    assert (code, text) == (1, "") and err.splitlines()[-1].startswith("blood: ") and "Traceback" not in err
    assert sorted(folder.iterdir()) == before
    return err


def test_a_table_makes_a_bundle(capsys, tiny_bundle: Bundle, table: Path, tmp_path: Path) -> None:
    code, text, err = adapt(capsys, tiny_bundle, table, tmp_path / "deep" / "new")
    assert (code, err) == (0, "")
    assert (
        "24 labelled images: red 8, green 8, blue 8." in text
        and "24 of 24 are named correctly: 100.0%" in text
    )
    classifier = Classifier.load(tmp_path / "deep" / "new")
    answers = classifier.predict([draw_cell(colour) for colour in FAINT.values()]).probs.argmax(axis=1)
    assert answers.tolist() == [0, 1, 2]
    assert classifier.bundle.card["adaptation"]["base_sha256"] == tiny_bundle.sha256
    assert classifier.bundle.files["model.onnx"] == tiny_bundle.files["model.onnx"]


def test_one_cell_is_enough_and_what_is_missing_is_said(capsys, tiny_bundle: Bundle, table: Path) -> None:
    table.write_text("label,file,note\nred,cells/1.png,mine\n")
    code, text, _ = adapt(capsys, tiny_bundle, table, table.parent / "new")
    assert code == 0 and "No images of green, blue" in text and "Fewer than 20 images" in text


def test_more_than_a_hundred_rows_are_taken(capsys, tiny_bundle: Bundle, table: Path) -> None:
    for i in range(24, 120):
        (table.parent / "cells" / f"{i}.png").write_bytes(encode(draw_cell("red", (40 + i, 50))))
    table.write_text("file,label\n" + "".join(f"cells/{i}.png,red\n" for i in range(120)))
    code, text, _ = adapt(capsys, tiny_bundle, table, table.parent / "new")
    assert code == 0 and "120 labelled images: red 120." in text


def test_images_that_cannot_be_read_are_listed_and_left_out(capsys, tiny_bundle: Bundle, table: Path) -> None:
    (table.parent / "cells" / "0.png").write_bytes(b"text")
    (table.parent / "cells" / "5.png").unlink()
    code, text, err = adapt(capsys, tiny_bundle, table, table.parent / "new")
    assert code == 0 and "22 labelled images" in text
    lines = err.splitlines()
    assert (
        len(lines) == 2 and "cells/0.png is left out: not an image" in lines[0] and "cells/5.png" in lines[1]
    )


def test_no_readable_image_at_all(capsys, tiny_bundle: Bundle, table: Path) -> None:
    table.write_text("file,label\nnope.png,red\nnor this.png,blue\n")
    assert "none of the 2 images" in complain(capsys, tiny_bundle, table)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it has nothing"),
        (b"cells/1.png,red\n", "needs a first line with the columns file and label"),
        (b"file,class\ncells/1.png,red\n", "it has file, class"),
        (b"file,label\n", "has no rows"),
        (b"file,label\ncells/1.png,red\ncells/2.png\n", "line 3: give one file and one label"),
        (b"file,label\n,red\n", "line 2: give one file and one label"),
        (b"file,label\ncells/1.png,red,blue\n", "line 2: it has 3 columns"),
        (b"file,label\ncells/1.png,red\ncells/1.png,blue\n", "lists cells/1.png more than once"),
        (b"file,label\ncells/1.png,pink\n", "labels 'pink': use those it knows (red, green, blue)"),
        (b"file,label\ncells/1.png,\xff\n", "give a CSV table in UTF-8"),
        (b'file,label\n"cells/1.png,red\n', "give a CSV table in UTF-8"),
    ],
)
def test_a_table_that_is_none(capsys, tiny_bundle: Bundle, table: Path, content: bytes, words: str) -> None:
    table.write_bytes(content)
    err = complain(capsys, tiny_bundle, table)
    assert words in err and err.count("\n") == 1


def test_a_table_that_is_not_there_or_a_folder(capsys, tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "cannot be read" in complain(capsys, tiny_bundle, tmp_path / "nope.csv")
    assert "cannot be read" in complain(capsys, tiny_bundle, tmp_path / "folder")


def test_a_table_saved_by_a_spreadsheet(capsys, tiny_bundle: Bundle, table: Path) -> None:
    table.write_bytes(b'\xef\xbb\xbffile,label\r\n"cells/1.png"," Green "\r\n')
    assert adapt(capsys, tiny_bundle, table, table.parent / "new")[0] == 0


@pytest.mark.parametrize("person", ["person", "yes"])
def test_of_the_pages_table_the_groups_count_that_a_person_decided(table: Path, person: str) -> None:
    table.write_text(
        "file,label,group,reviewed\n"
        f"a.png,red,blue,{person}\nb.png,red,green,bulk\nc.png,red,red,no\nd.png,,,no\n"
        f"e.png,red,excluded,{person}\nf.png,red,unidentified,{person}\n"
    )
    assert read_table(table) == [LabelledCell("a.png", "blue")]


def test_a_table_of_the_page_that_nobody_reviewed_teaches_nothing(
    capsys, tiny_bundle: Bundle, table: Path
) -> None:
    table.write_text("file,label,group,reviewed\ncells/1.png,red,red,no\ncells/2.png,red,red,bulk\n")
    assert "no cell that a person has decided" in complain(capsys, tiny_bundle, table)


def test_an_older_bundle_is_replaced(capsys, tiny_bundle: Bundle, table: Path, tmp_path: Path) -> None:
    older = save_tiny_bundle(tmp_path / "new", seed=1)
    assert adapt(capsys, tiny_bundle, table, older.path)[0] == 0
    assert Classifier.load(older.path).bundle.sha256 != older.sha256
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_nothing_else_is_replaced(capsys, tiny_bundle: Bundle, table: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "something else than a bundle" in complain(capsys, tiny_bundle, table, tmp_path / "mine")
    assert "something else than a bundle" in complain(capsys, tiny_bundle, table, table)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    assert "is the bundle that is adapted" in complain(capsys, tiny_bundle, table, tiny_bundle.path)


def test_out_that_cannot_be_written(capsys, tiny_bundle: Bundle, table: Path) -> None:
    code, text, err = adapt(capsys, tiny_bundle, table, table / "new")
    assert (code, text) == (1, "") and "cannot be written: " in err and err.count("\n") == 1


def test_wrong_usage_is_2(table: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["adapt", str(table)])
    assert caught.value.code == 2


def test_neither_torch_nor_widgets_are_needed(tiny_bundle: Bundle, table: Path) -> None:
    blocked = BLOCK.format(blocked=STUDY_ONLY | WIDGETS_ONLY | {"scipy", "sklearn", "openTSNE", "onnx"})
    command = ["adapt", str(table), "--bundle", str(tiny_bundle.path), "--out", str(table.parent / "new")]
    done = run_python(f"{blocked}from blood_lib.__main__ import main; sys.exit(main({command}))")
    assert done.returncode == 0, done.stderr
