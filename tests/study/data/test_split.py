"""The part of an image follows from its pixels alone and is the same in every copy of the dataset."""

import hashlib

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pandas")

from blood_lib.files.errors import BloodError
from blood_lib.study.data import split as split_module
from blood_lib.study.data.near_duplicates import load_near_duplicates
from blood_lib.study.data.split import (
    SALT,
    SPLITS,
    build_split,
    compute_proportions,
    has_two_labels,
    load_split,
    save_split,
    split_of,
)


def make_index(n: int = 2000) -> pd.DataFrame:
    """An index of images that were never drawn: names and hashes only."""
    rows = range(n)
    return pd.DataFrame(
        {
            "file": [f"basophil/BA_{i}.jpg" for i in rows],
            "cell_type": "basophil",
            "subtype": "basophil",
            "sha256": [hashlib.sha256(b"file %d" % i).hexdigest() for i in rows],
            "pixels": [hashlib.sha256(b"pixels %d" % i).hexdigest() for i in rows],
        }
    )


def test_the_rule_is_the_documented_one():
    pixels = hashlib.sha256(b"1x1:abc").hexdigest()
    digest = hashlib.sha256(f"{SALT}:{pixels}".encode()).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    assert split_of(pixels) == ("train" if fraction < 0.8 else "valid" if fraction < 0.9 else "test")


def test_the_split_of_a_known_hash_never_changes():
    assert SALT == "blood-cells 1"
    parts = "train,train,valid,train,test,train,valid,train"
    assert ",".join(split_of(str(i)) for i in range(8)) == parts


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (0, "train"),
        (2**64 * 8 // 10, "train"),  # the last number below 0.8: 2**64 is no multiple of ten
        (2**64 * 8 // 10 + 1, "valid"),
        (2**64 * 9 // 10, "valid"),
        (2**64 * 9 // 10 + 1, "test"),
        (2**64 - 1, "test"),
    ],
)
def test_the_borders_are_exact(monkeypatch, number, part):
    class Digest:
        def __init__(self, data):
            pass

        def digest(self):
            return number.to_bytes(8, "big") + bytes(24)

    monkeypatch.setattr(split_module.hashlib, "sha256", Digest)
    assert split_of("") == part


def test_splits_are_eighty_ten_ten():
    shares = build_split(make_index())["part"].value_counts(normalize=True)
    assert [shares[part] for part in SPLITS] == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_another_salt_is_another_split():
    index = make_index()
    assert (build_split(index)["part"] != build_split(index, salt="other")["part"]).any()


def test_no_image_is_in_two_parts_and_duplicates_stay_together():
    index = make_index()
    twins = index.assign(file=index["file"].str.replace("BA_", "twin_"))
    split = build_split(pd.concat([index, twins], ignore_index=True))
    assert split["file"].is_unique
    assert (split["part"].to_numpy()[:2000] == split["part"].to_numpy()[2000:]).all()


def test_a_smaller_copy_agrees_with_the_larger_one():
    index = make_index()
    some = index.sample(700, random_state=0)
    whole = build_split(index).set_index("file")["part"]
    assert (build_split(some).set_index("file")["part"] == whole.loc[some["file"]]).all()


def test_neither_name_nor_order_nor_class_matter():
    index = make_index()
    other = index.assign(file=index["file"] + "x", cell_type="monocyte").iloc[::-1]
    assert (build_split(other)["part"].to_numpy()[::-1] == build_split(index)["part"].to_numpy()).all()


def test_what_has_two_labels_is_no_image_or_is_misplaced_has_no_part(drawn_index):
    left_out = set(drawn_index["file"]) - set(build_split(drawn_index)["file"])
    assert left_out == {
        "neutrophil/.DS_1.jpg",
        "lymphocyte/notes.txt",
        "eosinophil/EO_93.jpg",
        "elsewhere/EO_94.jpg",
        "monocyte/MO_91.jpg",
        "platelet/PLATELET_1.jpg",
    }


def test_the_published_list_tells_two_labels_where_only_one_image_is_at_hand(monkeypatch):
    index = make_index(3)
    digest = index["sha256"][1]
    published = pd.DataFrame({"file": ["basophil/a.jpg", "platelet/b.jpg"], "bytes": 1, "sha256": digest})
    monkeypatch.setattr(split_module, "load_manifest", lambda: published)
    assert has_two_labels(index).tolist() == [False, True, False]
    assert len(build_split(index)) == 2


def test_a_split_is_written_and_read_as_it_is(drawn_dataset, tmp_path):
    split = load_split(drawn_dataset)
    save_split(split, tmp_path / "split.csv")
    assert pd.read_csv(tmp_path / "split.csv").equals(split)
    assert (
        (tmp_path / "split.csv").read_bytes().startswith(b"file,cell_type,subtype,part\nbasophil/BA_0.jpg,")
    )


def test_a_split_that_cannot_be_written_is_told(drawn_index, tmp_path):
    with pytest.raises(BloodError, match="cannot be written: No such file.*choose another"):
        save_split(build_split(drawn_index), tmp_path / "no folder" / "split.csv")


def test_proportions_add_up():
    split = build_split(make_index())
    table = compute_proportions(split)
    assert table["images"].tolist() == [2000, 2000]
    assert np.allclose(table[[f"{part} %" for part in SPLITS]].sum(axis=1), 100, atol=0.2)


@pytest.mark.slow
def test_real_proportions_hold_in_every_subtype(real_index):
    # Under the hypothesis that part and subtype have nothing to do with each other.
    from scipy.stats import chi2_contingency

    split = build_split(real_index)
    table = pd.crosstab([split["cell_type"], split["subtype"]], split["part"])
    assert len(table) == 13
    assert chi2_contingency(table).pvalue > 0.01


def test_near_duplicates_go_where_the_first_of_train_valid_and_test_has_one() -> None:
    known = load_near_duplicates()
    index = make_index(len(known)).assign(pixels=known["pixels"])
    split, alone = build_split(index)["part"], build_split(index, join=False)["part"]
    for _, rows in known.groupby("group").groups.items():
        assert set(split[rows]) == {min(alone[rows], key=SPLITS.index)}
    assert (split != alone).any() and not ((split == "test") & (alone != "test")).any()


@pytest.mark.slow
def test_real_duplicates_stay_together(real_index):
    parts = real_index.merge(build_split(real_index)[["file", "part"]], on="file")
    assert (parts.groupby("pixels")["part"].nunique() == 1).all()
