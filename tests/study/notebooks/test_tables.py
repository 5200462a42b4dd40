"""A verdict follows from what was measured, is never given on drawn cells, and can be read in full."""

from pathlib import Path

import pytest

pytest.importorskip("pandas")

from blood_lib.study.data.dataset import Dataset
from blood_lib.study.data.manifest import load_manifest
from blood_lib.study.notebooks.tables import Claim, WholeTable, judge_claims


def claim(**values):
    return Claim(**{"says": "so", "measured": "1 of 2", "criterion": "all", "holds": False} | values)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"holds": True}, "holds"),
        ({"holds": True, "in_part": True}, "holds"),
        ({"in_part": True}, "holds in part"),
        ({}, "does not hold"),
        ({"holds": True, "known": False}, "nothing to judge by"),
    ],
)
def test_a_claim_holds_in_part_in_full_or_not(values, verdict):
    data = Dataset(Path(), load_manifest()[:3], "")
    table = judge_claims([claim(**values)], data)
    assert table["verdict"].tolist() == [verdict]
    assert table["measured on 3 of 17,093 published files"].tolist() == ["1 of 2"]


def test_what_the_study_assumes_is_told_from_what_it_says():
    table = judge_claims([claim(), claim(assumed=True)], Dataset(Path(), load_manifest()[:3], ""))
    assert table["the study"].tolist() == ["says", "assumes"]


@pytest.mark.parametrize("note", ["drawn cells, not the dataset", "a sample of 120 of 11,121 files"])
def test_what_is_not_the_dataset_gets_no_verdict(note):
    table = judge_claims([claim(holds=True), claim(known=False)], Dataset(Path(), load_manifest(), note))
    assert table["verdict"].tolist() == ["no verdict"] * 2
    assert f"measured on {note}" in table


def test_no_value_and_no_row_is_left_out():
    long = "; ".join(f"split {number:064x}" for number in range(8))
    table = WholeTable({"what": [f"row {number}" for number in range(100)], "value": long})
    for shown in (repr(table), table._repr_html_()):
        assert long in shown and "row 50" in shown
