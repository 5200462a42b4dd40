"""`blood find` and `blood classify` on whole fields, as a user runs them, with a simple finder."""

import csv
from pathlib import Path

import pytest

from blood_lib.__main__ import main
from blood_lib.cli import adapt
from blood_lib.images import load_image
from blood_lib.inference import Classifier
from tests.inference.test_fields import Finder, draw, draw_crop, with_window


@pytest.fixture(autouse=True)
def finder(tiny_bundle, monkeypatch) -> None:
    classifier = Classifier(with_window(tiny_bundle), detector=Finder())
    monkeypatch.setattr(Classifier, "load", lambda _path=None: classifier)


@pytest.fixture
def smears(tmp_path: Path) -> Path:
    folder = tmp_path / "smears"
    (folder / "b").mkdir(parents=True)
    draw(3).save(folder / "a.png")
    draw(0).save(folder / "b" / "a.png")
    draw_crop().save(folder / "crop.png")
    (folder / "d.png").write_text("no image")
    return folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_fields_and_crops_stand_in_one_table_and_fields_in_another(smears, tmp_path):
    out = tmp_path / "out" / "cells.csv"
    out.parent.mkdir()
    assert main(["classify", str(smears), "--out", str(out)]) == 0
    rows = read(out)
    assert [(row["file"], row["cell"]) for row in rows] == [
        ("a.png", "1"), ("a.png", "2"), ("a.png", "3"), ("b/a.png", ""), ("crop.png", ""), ("d.png", ""),
    ]  # fmt: skip
    assert [row["status"] == "rejected" for row in rows] == [False] * 3 + [True, False, True]
    for row in rows:
        assert (row["width"] == "") is (row["cell"] == "")
    assert float(rows[0]["diameter_um"]) == pytest.approx(1.8 * 7.2, rel=0.1)
    fields = read(out.with_name("fields.csv"))
    assert [(row["file"], row["blue"], row["red"], row["scale"]) for row in fields] == [
        ("a.png", "3", "8", "ruler"), ("b/a.png", "0", "8", "ruler"),
    ]  # fmt: skip


def test_a_table_of_fields_replaces_only_one_of_its_own(smears, tmp_path, capsys):
    out = tmp_path / "cells.csv"
    (tmp_path / "fields.csv").write_text("plot,crop\n1,wheat\n")
    assert main(["classify", str(smears), "--out", str(out)]) == 1
    assert "fields.csv" in capsys.readouterr().err and not out.exists()
    assert "wheat" in (tmp_path / "fields.csv").read_text()
    (tmp_path / "fields.csv").unlink()
    for _ in range(2):
        assert main(["classify", str(tmp_path), "--out", str(out)]) == 0
        assert [row["file"] for row in read(out)][-1] == "smears/d.png"


def test_crops_tables_and_marked_pictures_lie_in_the_folder(smears, tmp_path, capsys):
    out = tmp_path / "found"
    for _ in range(2):  # the second time the folder is there
        assert main(["find", str(smears), "--out", str(out)]) == 0
        assert capsys.readouterr().out.startswith("4 cells in 3 fields.")
    assert sorted(path.name for path in (out / "crops").iterdir()) == [
        "a_1.png", "a_2.png", "a_3.png", "crop_1.png",
    ]  # fmt: skip
    assert sorted(path.name for path in (out / "marked").iterdir()) == ["a-2.jpg", "a.jpg", "crop.jpg"]
    assert len(read(out / "cells.csv")) == 6 and len(read(out / "fields.csv")) == 3
    crop = load_image(out / "crops" / "a_1.png")
    assert crop.width == crop.height == pytest.approx(4.5 * 40, abs=8)


def test_a_folder_of_something_else_is_left_alone(smears, tmp_path, capsys):
    assert main(["find", str(smears), "--out", str(smears)]) == 1
    assert "something else" in capsys.readouterr().err


def test_a_size_that_no_pixel_has_is_refused(smears, tmp_path, capsys):
    assert main(["find", str(smears), "--out", str(tmp_path / "new"), "--pixel-size", "200"]) == 1
    assert "200 micrometres" in capsys.readouterr().err
    assert not (tmp_path / "new" / "cells.csv").exists()


def test_what_was_found_is_learnt_from_once_it_is_labelled(smears, tmp_path, tiny_bundle, capsys):
    assert main(["find", str(smears), "--out", str(tmp_path / "found")]) == 0
    assert main(["classify", str(smears), "--out", str(smears / "cells.csv")]) == 0
    bundle = with_window(tiny_bundle).save(tmp_path / "bundle")
    for table in (tmp_path / "found" / "cells.csv", smears / "cells.csv"):
        text = table.read_text(encoding="utf-8")
        table.write_text(text.replace(",red,", ",green,"), encoding="utf-8")  # a person corrects the labels
        pictures = adapt._load_images(table, adapt.read_table(table), bundle.preprocessing.window)[0]
        assert [picture.width for picture in pictures] == pytest.approx([180] * 4, abs=12)
        out = tmp_path / table.parent.name / "adapted"
        assert main(["adapt", str(table), "--bundle", str(bundle.path), "--out", str(out)]) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith("The bundle is in")
