"""A result says what it rests on, and says it in full."""

from dataclasses import replace
from pathlib import Path

import pytest

pd = pytest.importorskip("pandas")

from blood_lib.study.data.dataset import Dataset
from blood_lib.study.data.manifest import load_manifest
from blood_lib.study.notebooks.provenance import describe_data, describe_run, hash_table


def test_a_run_is_described(drawn_index):
    table = describe_run(seed=7, began=0.0, data="drawn", profile="quick: n = 3").set_index("what")["value"]
    assert table["seed"] == "7" and table["data"] == "drawn" and table["profile"] == "quick: n = 3"
    assert "numpy" in table
    assert hash_table(drawn_index) == hash_table(drawn_index.copy()) != hash_table(drawn_index[1:])


def test_data_is_told_by_its_kind_and_the_hashes_of_files_and_split(drawn_index):
    split = drawn_index[["file", "cell_type"]]
    drawn = Dataset(Path(), drawn_index, "drawn")
    told = describe_data(drawn, split)
    files = hash_table(drawn_index[["file", "sha256"]])
    assert told == f"drawn; files {files[:16]}; split {hash_table(split)[:16]}"
    changed = replace(drawn, index=drawn_index.assign(sha256=["0" * 64, *drawn_index["sha256"][1:]]))
    assert describe_data(changed, split) != told != describe_data(drawn, split[1:])
    resized = replace(drawn, index=drawn_index.assign(width=1))
    assert describe_data(resized, split) == told  # the files are the same


def test_published_files_are_told_by_how_many_there_are(drawn_index):
    some = pd.concat([drawn_index[:2], load_manifest()[:3]])
    told = describe_data(Dataset(Path(), some, ""), drawn_index)
    assert told.startswith("3 of 17,093 published files; ")


def test_what_trainings_took_before_is_not_the_time_of_a_run():
    table = describe_run(seed=7, began=0.0, trainings="2, 5 minutes in all").set_index("what")["value"]
    assert table["trainings"] == "2, 5 minutes in all" and "less what trainings took before" in table["time"]


def test_a_run_in_no_profile_says_so():
    assert describe_run(seed=7, began=0.0)["value"][0].startswith("none")
