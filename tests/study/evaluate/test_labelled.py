"""Labelled images find their class by folder or table, and forced choices stay among the classes allowed."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas", reason="needs the extra `study`")

from blood_lib.__main__ import main
from blood_lib.files.errors import BloodError
from blood_lib.study.evaluate.labelled import (
    Labelled,
    classify_labelled,
    find_labelled,
    find_left_out,
    read_labels,
)
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images a class, folders in another case and in Spanish, one file that is no image."""
    for name, directory in {"red": "Red", "green": "verde", "blue": "blue", "stray": "yellow"}.items():
        (tmp_path / directory).mkdir()
        for i in range(2):
            content = encode(draw_cell(COLOURS.get(name, "#ffff00")))
            (tmp_path / directory / f"{i}.png").write_bytes(content)
    (tmp_path / "blue" / "notes.txt").write_text("no image")
    return tmp_path


def test_folders_name_classes_in_any_case_and_language(folder, tiny_bundle):
    table = find_labelled(folder, tiny_bundle.classes)
    assert table["cell_type"].value_counts().to_dict() == {"red": 2, "green": 2, "blue": 3}
    assert "yellow/0.png" not in set(table["file"])


def test_answers_stand_beside_their_own_labels(folder, tiny_classifier):
    table = find_labelled(folder, tiny_classifier.bundle.classes)
    answers = classify_labelled(tiny_classifier, folder, table)
    assert list(answers.rejected) == ["blue/notes.txt"]
    assert len(answers.files) == len(answers.target) == len(answers.probs) == 6
    assert (answers.probs.argmax(axis=1) == answers.target).all()  # the tiny model knows its colours


def test_a_table_of_labels_must_be_one_the_bundle_knows(tmp_path, tiny_bundle):
    path = tmp_path / "labels.csv"
    path.write_text("file,label\na.png,Rojo\nb.png,blue\n")
    assert read_labels(path, tiny_bundle.classes)["cell_type"].tolist() == ["red", "blue"]
    path.write_text("file,label\na.png,purple\n")
    with pytest.raises(BloodError, match=r"purple.*red, green, blue"):
        read_labels(path, tiny_bundle.classes)
    path.write_text("name\na.png\n")
    with pytest.raises(BloodError, match="needs the columns file and label"):
        read_labels(path, tiny_bundle.classes)


def test_a_forced_choice_is_among_the_classes_allowed():
    probs = np.array([[0.1, 0.2, 0.7], [0.0, 0.0, 1.0]])
    answers = Labelled(["a", "b"], np.array([0, 1]), probs, np.array(["ok", "uncertain"]), {})
    forced = answers.choose_among([0, 1])
    assert np.allclose(forced.probs[0], [1 / 3, 2 / 3, 0])
    assert np.allclose(forced.probs.sum(axis=1), 1)
    assert answers.select("uncertain").files == ["b"]


def test_evaluate_prints_figures_for_a_folder_of_ones_own(folder, tiny_bundle, capsys):
    assert main(["evaluate", str(folder), "--bundle", str(tiny_bundle.path)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"accuracy +6 +100\.00%", said) and re.search(r"rejected +1 +14\.29%", said)
    assert main(["evaluate", str(folder / "blue"), "--bundle", str(tiny_bundle.path)]) == 1


def test_folders_in_the_plural_count_and_others_are_named(tmp_path, tiny_bundle):
    for name in ("Reds", "blue", "smudge", "empty"):
        (tmp_path / name).mkdir()
    for name in ("Reds/1.png", "blue/1.png", "smudge/1.png", "smudge/2.png"):
        (tmp_path / name).write_bytes(b"x")
    found = find_labelled(tmp_path, tiny_bundle.classes)
    assert sorted(found["cell_type"]) == ["blue", "red"]
    assert find_left_out(tmp_path, tiny_bundle.classes) == {"smudge": 2}


def test_a_file_under_two_spellings_is_one_file(tmp_path, tiny_bundle):
    table = tmp_path / "labels.csv"
    table.write_text("file;label\n./a.png;red\na.png;blue\n")
    with pytest.raises(BloodError, match="a.png more than once"):
        read_labels(table, tiny_bundle.classes)
