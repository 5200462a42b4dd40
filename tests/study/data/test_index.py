"""The index lists every file of a copy of the dataset and hashes its bytes and its pixels."""

import hashlib
import os
import shutil

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pandas")

from blood_lib.files.errors import BloodError
from blood_lib.study.data.index import COLUMNS, DATASET, build_index, find_dataset, hash_pixels, select_images
from tests.tools.drawn_data import draw_jpeg, write_files


def test_every_file_has_one_row_in_the_order_of_names(drawn_dataset, drawn_index):
    files = [
        path.relative_to(drawn_dataset).as_posix() for path in drawn_dataset.rglob("*") if path.is_file()
    ]
    assert list(drawn_index["file"]) == sorted(files)
    assert list(drawn_index.columns) == list(COLUMNS)


def test_a_row_tells_what_the_file_is(drawn_dataset, drawn_index):
    row = drawn_index.set_index("file").loc["ig/MMY_2.jpg"]
    content = (drawn_dataset / "ig/MMY_2.jpg").read_bytes()
    assert (row.cell_type, row.subtype, row.problem) == ("immature granulocyte", "metamyelocyte", "")
    assert (row.bytes, row.width, row.height) == (len(content), 36, 33)
    assert row.sha256 == hashlib.sha256(content).hexdigest()


def test_what_is_no_image_has_a_reason_and_no_pixels(drawn_index):
    bad = drawn_index[drawn_index["problem"] != ""].set_index("file")
    assert set(bad.index) == {"neutrophil/.DS_1.jpg", "lymphocyte/notes.txt", "eosinophil/EO_93.jpg"}
    assert (bad["pixels"] == "").all() and (bad["width"] == 0).all()


def test_only_images_of_a_cell_type_are_selected_and_keep_their_rows(drawn_index):
    selected = select_images(drawn_index)
    left_out = drawn_index.drop(selected.index)
    assert (selected["width"] > 0).all() and (selected["cell_type"] != "").all()
    assert ((left_out["problem"] != "") | (left_out["cell_type"] == "")).all() and len(left_out) >= 3


def test_pixels_are_hashed_as_documented():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    expected = hashlib.sha256(b"3x2:" + bytes(range(18))).hexdigest()
    assert hash_pixels(Image.fromarray(pixels)) == expected


def test_the_hash_of_pixels_knows_the_shape_but_not_the_file(tmp_path):
    flat = np.zeros((16, 64, 3), np.uint8)
    assert hash_pixels(Image.fromarray(flat)) != hash_pixels(Image.fromarray(flat.reshape(64, 16, 3)))
    (tmp_path / "basophil").mkdir()
    image = Image.open(write_files(tmp_path, {"basophil/a.jpg": draw_jpeg(1)}) / "basophil/a.jpg")
    image.save(tmp_path / "basophil/b.png")
    assert build_index(tmp_path)["pixels"].nunique() == 1


def test_the_folder_around_the_dataset_will_do(drawn_dataset):
    assert find_dataset(drawn_dataset.parent) == find_dataset(drawn_dataset) == drawn_dataset
    assert drawn_dataset.name == DATASET


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_that_is_not_the_dataset_is_told(tmp_path, make):
    folder = tmp_path / "empty"
    if make:
        folder.mkdir()
    with pytest.raises(BloodError, match="blood data fetch"):
        build_index(folder)


def test_class_folders_without_files_give_an_empty_table(tmp_path):
    (tmp_path / "basophil").mkdir()
    assert build_index(tmp_path).empty


@pytest.mark.skipif(os.name == "nt", reason="permissions work otherwise there")
def test_a_file_that_cannot_be_read_has_a_reason(tmp_path, monkeypatch):
    write_files(tmp_path, {"basophil/BA_1.jpg": draw_jpeg(1)})

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    assert build_index(tmp_path)["problem"].tolist() == ["the file cannot be read: Permission denied."]


def test_progress_sees_every_row(drawn_dataset, drawn_index):
    seen = []

    def show(rows, total):
        for row in rows:
            seen.append(total)
            yield row

    build_index(drawn_dataset, progress=show)
    assert seen == [len(drawn_index)] * len(drawn_index)


def test_the_index_does_not_depend_on_where_the_copy_lies(drawn_dataset, drawn_index, tmp_path):
    copy = shutil.copytree(drawn_dataset, tmp_path / "copy")
    assert build_index(copy, workers=1).equals(drawn_index)


@pytest.mark.slow
def test_the_real_dataset_has_its_one_junk_file(real_index):
    bad = real_index[real_index["problem"] != ""]
    assert bad["file"].tolist() == ["neutrophil/.DS_169665.jpg"]
    assert (real_index["cell_type"] != "").all()
