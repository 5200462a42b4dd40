"""The audit finds what is wrong with a copy of the dataset; nothing is known beforehand."""

import pandas as pd
import pytest

pytest.importorskip("pandas")

from blood_lib.files.errors import BloodError
from blood_lib.study.data import audit
from blood_lib.study.data.audit import (
    TITLES,
    compute_audit,
    compute_counts,
    compute_sizes,
    find_duplicates,
    find_problems,
    format_audit,
    save_audit,
)
from blood_lib.study.data.index import COLUMNS, build_index
from blood_lib.study.data.manifest import find_contradictions, load_manifest

PUBLISHED = {
    "basophil": 1218,
    "eosinophil": 3117,
    "erythroblast": 1551,
    "immature granulocyte": 2895,
    "lymphocyte": 1214,
    "monocyte": 1420,
    "neutrophil": 3329,
    "platelet": 2348,
}


def test_junk_broken_and_misplaced_files_are_told_apart(drawn_index):
    kinds = find_problems(drawn_index).set_index("file")["kind"].to_dict()
    assert kinds == {
        "neutrophil/.DS_1.jpg": "junk",
        "lymphocyte/notes.txt": "junk",
        "eosinophil/EO_93.jpg": "unreadable",
        "elsewhere/EO_94.jpg": "misplaced",
    }


def test_identical_pixels_are_grouped_and_clashing_labels_marked(drawn_index):
    table = find_duplicates(drawn_index)
    groups = [tuple(group["file"]) for _, group in table.groupby("group")]
    assert groups == [
        ("basophil/BA_0.jpg", "basophil/BA_90.jpg"),
        ("monocyte/MO_91.jpg", "platelet/PLATELET_1.jpg"),
    ]
    assert table["two_labels"].tolist() == [False, False, True, True]


def test_counts_and_sizes_are_of_images_only(drawn_index):
    counts = compute_counts(drawn_index).set_index("subtype")["images"]
    assert counts["segmented neutrophil"] == 4 and counts["basophil"] == 5 and counts["eosinophil"] == 4
    sizes = compute_sizes(drawn_index).set_index("cell_type")
    assert list(sizes.columns) == ["36x33", "36x30"]
    assert sizes.loc["immature granulocyte"].tolist() == [16, 1]


def test_the_summary_counts_what_the_tables_list(drawn_index):
    found = compute_audit(drawn_index)["findings"].set_index("finding")["count"]
    assert found["files"] == len(drawn_index)
    assert found["junk files"] == 2 and found["unreadable images"] == 1 and found["misplaced images"] == 1
    assert found["groups of identical images"] == 2 and found["images with two labels"] == 2
    assert found["images of an odd size"] == 1
    assert found["files that were never published"] == len(drawn_index)


def test_a_copy_is_held_against_the_published_list(drawn_index, monkeypatch):
    published = drawn_index[["file", "bytes", "sha256"]].iloc[2:].copy()
    published.iloc[0, 2] = "0" * 64
    more = pd.DataFrame({"file": ["ig/IG_500.jpg"], "bytes": 1, "sha256": "1" * 64})
    monkeypatch.setattr(audit, "load_manifest", lambda: pd.concat([published, more]))
    table = compute_audit(drawn_index)["published"].sum(numeric_only=True)
    assert table[["missing", "changed", "unknown"]].tolist() == [1, 1, 2]


def test_the_text_has_every_table_and_empty_ones_say_none(drawn_index):
    text = format_audit(compute_audit(drawn_index))
    assert all(TITLES[name] in text for name in compute_audit(drawn_index))
    assert "platelet/PLATELET_1.jpg" in text and "yes" in text
    fine = drawn_index[drawn_index["file"].str.contains("SNE_")]
    assert f"{TITLES['duplicates']}\nnone" in format_audit(compute_audit(fine))


def test_an_empty_copy_has_an_audit_too(tmp_path):
    (tmp_path / "basophil").mkdir()
    found = compute_audit(build_index(tmp_path))["findings"].set_index("finding")["count"]
    assert found["files"] == 0 and found["published files that are missing"] == 17_093


def test_tables_are_written_as_csv(drawn_index, tmp_path):
    tables = compute_audit(drawn_index)
    save_audit(tables, tmp_path / "out")
    assert {path.stem for path in (tmp_path / "out").iterdir()} == set(tables)
    assert pd.read_csv(tmp_path / "out" / "duplicates.csv").equals(tables["duplicates"])
    (tmp_path / "file").touch()
    with pytest.raises(BloodError, match="name another folder"):
        save_audit(tables, tmp_path / "file")


# --- the published dataset ---


def test_the_published_list_is_complete():
    manifest = load_manifest()
    assert list(manifest.columns) == ["file", "bytes", "sha256"]
    assert len(manifest) == 17_093 and manifest["file"].is_unique
    assert manifest["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    images = manifest[~manifest["file"].str.contains(r"/\.")]
    folders = images["file"].str.partition("/")[0].replace("ig", "immature granulocyte")
    assert folders.value_counts().to_dict() == PUBLISHED


def test_the_published_list_has_seventeen_pairs_one_of_them_under_two_labels():
    manifest = load_manifest()
    assert manifest["sha256"].value_counts().value_counts().to_dict() == {1: 17_093 - 34, 2: 17}
    assert len(find_contradictions(manifest)) == 1


@pytest.mark.slow
def test_the_known_facts_of_the_real_dataset_are_found(real_index):
    # What the published list says about the files at hand, all of them or some, is what the pixels must show.
    manifest = load_manifest()
    here = manifest[manifest["file"].isin(real_index["file"])]
    pairs = here[here.duplicated("sha256", keep=False)]
    tables = compute_audit(real_index)
    found = tables["findings"].set_index("finding")["count"]
    assert len(here) == len(real_index) and found["files that differ from the published"] == 0
    assert set(tables["duplicates"]["file"]) == set(pairs["file"])
    assert found["groups of identical images"] == len(pairs) // 2
    assert found["images with two labels"] == here["sha256"].isin(find_contradictions(manifest)).sum()
    assert tables["problems"][["file", "kind"]].to_numpy().tolist() == [["neutrophil/.DS_169665.jpg", "junk"]]
    assert found["published files that are missing"] == 17_093 - len(real_index)


@pytest.mark.slow
def test_the_real_sizes_hint_at_the_class(real_index):
    sizes = compute_sizes(real_index).set_index("cell_type")
    assert sizes.columns[0] == "360x363"
    large = sizes["366x369"]
    assert set(large.index[large > 0]) == {"basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil"}
    small = sizes["360x360"]
    assert set(small.index[small > 0]) == {"erythroblast", "immature granulocyte"}


def test_the_index_has_the_columns_that_the_audit_reads(drawn_index):
    assert list(drawn_index.columns) == list(COLUMNS)
