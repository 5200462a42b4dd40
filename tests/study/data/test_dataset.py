"""A notebook gets the dataset, a sample of it or drawn cells, and is told which."""

import pytest

pd = pytest.importorskip("pandas")

from blood_lib.files.errors import BloodError
from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.data import dataset
from blood_lib.study.data.dataset import open_dataset, take_shares


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A working folder without any dataset in reach."""
    monkeypatch.delenv("BLOOD_DATA", raising=False)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def test_without_a_dataset_cells_are_drawn_and_it_is_said(nowhere):
    data = open_dataset(max_images=16, seed=1)
    assert data.note == "drawn cells, not the dataset"
    assert data.index["cell_type"].value_counts().to_dict() == {cell.name: 2 for cell in CELL_TYPES}
    assert (data.index["problem"] == "").all()


def test_the_dataset_is_found_where_fetch_puts_it(nowhere, drawn_dataset, drawn_index):
    (nowhere / "data").symlink_to(drawn_dataset.parent)
    assert open_dataset().index.equals(drawn_index)


def test_the_environment_says_where_the_dataset_is(nowhere, drawn_dataset, drawn_index, monkeypatch):
    monkeypatch.setenv("BLOOD_DATA", str(drawn_dataset.parent))
    assert open_dataset().index.equals(drawn_index)


def test_a_folder_that_is_named_must_hold_the_dataset(nowhere):
    with pytest.raises(BloodError, match="blood data fetch"):
        open_dataset("mistyped")


def test_a_published_copy_needs_no_note_and_a_sample_says_so(drawn_dataset, drawn_index, monkeypatch):
    monkeypatch.setattr(dataset, "load_manifest", lambda: drawn_index)
    assert open_dataset(drawn_dataset).note == ""
    sample = open_dataset(drawn_dataset, max_images=20, seed=3)
    assert sample.note == f"a sample of 20 of {len(drawn_index)} files"
    assert set(sample.index["cell_type"]) >= {cell.name for cell in CELL_TYPES}
    assert sample.index.equals(open_dataset(drawn_dataset, max_images=20, seed=3).index)
    assert not sample.index.equals(open_dataset(drawn_dataset, max_images=20, seed=4).index)


def test_a_sample_of_more_than_there_is_is_all_of_it(drawn_dataset, drawn_index):
    assert open_dataset(drawn_dataset, max_images=10_000).index.equals(drawn_index)


def test_each_group_gives_its_share_and_the_smallest_gives_one():
    groups = pd.Series(list("aaaaaabbbc"), index=range(100, 110))
    taken = take_shares(groups, 5)
    assert groups[taken].value_counts().to_dict() == {"a": 3, "b": 1, "c": 1}
    assert set(taken) == {100, 101, 102, 106, 109}  # the first of each
    assert set(take_shares(groups, 3)) == {100, 106, 109}
