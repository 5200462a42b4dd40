"""A packed copy is small, has the split of the originals, and can be trained on like the dataset."""

import pytest

pytest.importorskip("pandas")

from blood_lib.files.errors import BloodError
from blood_lib.images import load_image
from blood_lib.study.data.dataset import open_dataset
from blood_lib.study.data.pack import pack_dataset
from blood_lib.study.data.split import load_split


@pytest.fixture(scope="module")
def packed(tiny_dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("packed") / "copy"
    pack_dataset(tiny_dataset, out, image_size=48)
    return out


def test_a_copy_has_the_split_of_the_originals_though_its_pixels_differ(tiny_dataset, packed):
    split = load_split(packed)
    assert split.equals(load_split(tiny_dataset))
    assert {load_image(packed / file).size for file in split["file"]} == {(48, 48)}


def test_a_copy_shows_the_same_cells(tiny_dataset, packed):
    for file in load_split(packed)["file"][::7]:
        small = load_image(tiny_dataset / file).resize((48, 48), 2)
        pairs = zip(load_image(packed / file).tobytes(), small.tobytes(), strict=True)
        assert sum(abs(a - b) for a, b in pairs) / (48 * 48 * 3) < 5


def test_the_notebooks_want_the_originals(packed):
    with pytest.raises(BloodError, match="is a packed copy, for blood train alone"):
        open_dataset(packed)


def test_nothing_that_is_there_is_written_over(tiny_dataset, packed):
    with pytest.raises(BloodError, match="is not empty; name a new folder"):
        pack_dataset(tiny_dataset, packed)
