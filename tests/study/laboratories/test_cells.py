"""Cells of all laboratories are seen in windows of one size in red cells, and no test image is cut."""

import shutil

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.files.errors import BloodError
from blood_lib.study.data.split import load_split
from blood_lib.study.detect.fields import load_fields
from blood_lib.study.laboratories.cells import WINDOW, list_cells, open_cells
from blood_lib.study.train.loaders import FRAME_SIZE, load_views
from tests.tools.drawn_fields import draw_field
from tests.tools.fixtures_laboratories import TYPES


def test_a_window_is_so_many_red_cells_wide_and_its_cell_is_in_the_middle(drawn_laboratories, drawn_cells):
    diameters = {
        field.file.relative_to(drawn_laboratories).as_posix(): field.diameter
        for field in load_fields(drawn_laboratories, laboratories=("bccd", "chula"))
    }
    rows = drawn_cells.table.query("laboratory != 'pbc'")
    assert len(rows) == 2 * len(TYPES)
    for row in rows.itertuples():
        x, y, _ = draw_field(row.cell_type, seed=int(row.file.removesuffix(".jpg")[-1])).cells[0]
        assert (row.left + row.right) / 2 == pytest.approx(x, abs=1)
        assert (row.top + row.bottom) / 2 == pytest.approx(y, abs=1)
        assert row.right - row.left == pytest.approx(WINDOW * diameters[row.file], abs=0.1)


def test_an_image_of_pbc_is_a_window_as_it_is(drawn_laboratories, drawn_cells):
    own = drawn_cells.table.query("laboratory == 'pbc'")
    views = load_views(drawn_laboratories, own["file"].tolist(), size=FRAME_SIZE, crop=1.0)
    assert np.array_equal(drawn_cells.windows[own.index], views)


def test_types_are_those_that_the_laboratories_told(drawn_cells):
    for name in ("bccd", "chula"):
        rows = drawn_cells.table[drawn_cells.table["laboratory"] == name]
        rows = rows.sort_values("file", key=lambda files: files.str[-5])
        assert rows["cell_type"].tolist() == TYPES
        assert (rows["subtype"] == "").all(), "they tell no subtypes"


def test_pbc_has_the_split_of_its_hash_and_what_is_tested_on_is_never_cut(drawn_laboratories, drawn_cells):
    own = drawn_cells.split.query("laboratory == 'pbc'")
    expected = load_split(drawn_laboratories)
    assert own["part"].tolist() == expected["part"].tolist()
    assert {"train", "valid", "test"} == set(own["part"])
    assert len(drawn_cells.windows) == len(drawn_cells.table) == (drawn_cells.split["part"] != "test").sum()


def test_more_images_of_pbc_have_the_split_of_the_same_hash(drawn_laboratories, drawn_cells, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(drawn_laboratories, root)
    (root / "PBC_more").mkdir()
    (root / "PBC_dataset_normal_DIB" / "monocyte").rename(root / "PBC_more" / "monocyte")
    before, after = drawn_cells.split, list_cells(root)
    parts = {row.file.rpartition("/")[2]: row.part for row in before.itertuples() if row.laboratory == "pbc"}
    moved = after[after["file"].str.startswith("PBC_more/")]
    assert len(moved) == 6 and moved["part"].tolist() == [parts[f.rpartition("/")[2]] for f in moved["file"]]


def test_where_two_cells_are_boxed_nobody_says_which_one_has_the_type(drawn_laboratories, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(drawn_laboratories, root)
    notes = root / "BCCD" / "Annotations" / "BloodImage_00002.xml"
    text = notes.read_text()
    thing = text[text.index("<object>") : text.index("</object>") + len("</object>")]
    notes.write_text(text.replace("</annotation>", thing + "</annotation>"))
    files = list_cells(root).query("laboratory == 'bccd'")["file"].tolist()
    assert len(files) == len(TYPES) - 1 and "BCCD/JPEGImages/BloodImage_00002.jpg" not in files


def test_windows_are_cut_once(drawn_cells, drawn_windows, tmp_path):
    again = open_cells(tmp_path / "no data any more", drawn_windows)
    assert again.split.equals(drawn_cells.split) and np.array_equal(again.windows, drawn_cells.windows)


def test_a_folder_without_the_laboratories_is_told(drawn_laboratories, tmp_path):
    with pytest.raises(BloodError, match="PBC_dataset_normal_DIB"):
        open_cells(tmp_path, tmp_path / "windows")
    shutil.copytree(drawn_laboratories / "PBC_dataset_normal_DIB", tmp_path / "PBC_dataset_normal_DIB")
    with pytest.raises(BloodError, match="has no BCCD, chula_wbc"):
        open_cells(tmp_path, tmp_path / "windows")
