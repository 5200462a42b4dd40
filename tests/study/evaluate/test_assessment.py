"""The tables of an evaluation add up, its curves are what a pencil gives, and its page needs nothing else."""

import re
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="needs the extra `study`")
pytest.importorskip("seaborn", reason="needs the extra `study`")

from blood_lib.__main__ import main
from blood_lib.files.errors import BloodError
from blood_lib.study.evaluate.assessment import Assessment, assess, format_table, format_text, save_tables
from blood_lib.study.evaluate.assessment_page import build_page
from blood_lib.study.evaluate.labelled import Labelled
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode

NAMES = ["monocyte", "<b>", "nobody"]


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    """Six answers about two classes, four of them right; a third class has no image, one file none either.

    Its intervals take seconds; no test changes it.
    """
    sure = np.array([0.9, 0.8, 0.7, 0.6, 0.9, 0.6])
    answer = np.array([0, 0, 0, 1, 1, 0])
    probs = np.zeros((6, 3))
    probs[np.arange(6), answer], probs[np.arange(6), 1 - answer] = sure, 1 - sure
    status = np.array(["ok", "ok", "uncertain", "uncertain", "ok", "unfamiliar"])
    answers = Labelled(list("abcdef"), np.array([0, 0, 0, 0, 1, 1]), probs, status, {"g": "no image"})
    return assess(answers, NAMES)


def test_the_confusion_matrix_holds_every_answer(assessment):
    assert assessment.confusion.to_numpy().tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_statuses_share_out_all_files_and_say_how_often_they_are_right(assessment):
    table = assessment.statuses.set_index("status")
    assert table["n"].to_dict() == {"ok": 3, "uncertain": 2, "unfamiliar": 1, "rejected": 1}
    assert table["share"].sum() == pytest.approx(1) and table.loc["ok", "share"] == pytest.approx(3 / 7)
    assert table["right"].to_dict() == {"ok": 3, "uncertain": 1, "unfamiliar": 0, "rejected": 0}
    assert table.loc["ok", "accuracy_low"] == pytest.approx(0.025 ** (1 / 3))  # Clopper-Pearson, 3 of 3
    assert np.isnan(table.loc["rejected", "accuracy"])


def test_the_surest_answers_have_the_errors_that_a_pencil_gives(assessment):
    coverage, risk = assessment.risks
    assert coverage == pytest.approx(np.arange(1, 7) / 6)
    assert risk == pytest.approx([0, 0, 0, 0, 1 / 5, 2 / 6])
    table = assessment.coverage.set_index("coverage")
    assert table.loc[0.5, ["n", "errors"]].tolist() == [3, 0] and table.loc[0.5, "confidence"] == 0.8
    assert table.loc[1.0, ["n", "errors"]].tolist() == [6, 2]


def test_bins_of_confidence_hold_each_answer_once(assessment):
    table = assessment.reliability
    assert table["n"].sum() == 6
    assert ((table["above"] <= table["confidence"]) & (table["confidence"] <= table["up_to"])).all()
    sure = table[table["confidence"] == 0.9].iloc[0]
    assert (sure["n"], sure["accuracy"]) == (2, 1)


def test_a_table_is_told_in_per_cent_with_its_interval_in_one_column():
    row = {"name": "a", "n": 1234, "recall": 0.5, "recall_low": 0.25, "recall_high": 0.755}
    unknown = {"name": "b", "n": 0, **dict.fromkeys(("recall", "recall_low", "recall_high"), float("nan"))}
    told = format_table(pd.DataFrame([row, unknown], index=["x", "y"]))
    assert told.loc["x"].to_dict() == {
        "name": "a", "n": "1,234", "recall": "50.00%", "recall, 95 %": "25.0% to 75.5%",
    }  # fmt: skip
    assert told.loc["y"].tolist() == ["b", "0", "", ""]


def test_the_text_names_what_has_no_figure_without_one(assessment):
    said = format_text(assessment)
    assert "nan" not in said
    assert re.search(r"accuracy +6 +66\.67% +22\.3% to 95\.7%", said)
    assert re.search(r"nobody +0 *\n", said)


def test_each_table_becomes_a_file(assessment, tmp_path: Path):
    save_tables(assessment, tmp_path / "new")
    names = {"figures", "classes", "confusion", "statuses", "reliability", "coverage"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {f"{name}.csv" for name in names}
    figures = pd.read_csv(tmp_path / "new" / "figures.csv", index_col="name")
    assert figures.loc["accuracy"].tolist() == pytest.approx([6, 4 / 6, 0.2228, 0.9567], abs=1e-4)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BloodError, match="cannot be written"):
        save_tables(assessment, tmp_path / "file")


def test_the_page_needs_nothing_else_and_escapes_what_it_is_told(assessment):
    page = build_page(assessment, "<script>", {"images": "<i>"})
    assert page.count("<svg") == 4 and "<script" not in page and "<i>" not in page and "<b>" not in page
    outside = re.sub(r"xmlns(:\w+)?=\S+|<metadata>.*?</metadata>", "", page, flags=re.DOTALL)
    assert not re.search(r"https?:|src=|<link|@import", outside)
    assert page == build_page(assessment, "<script>", {"images": "<i>"})


def test_evaluate_writes_tables_and_page(tmp_path: Path, tiny_bundle, capsys):
    for colour, code in COLOURS.items():
        (tmp_path / "cells" / colour).mkdir(parents=True)
        (tmp_path / "cells" / colour / "0.png").write_bytes(encode(draw_cell(code)))
    out = tmp_path / "out"
    command = ["evaluate", str(tmp_path / "cells"), "--bundle", str(tiny_bundle.path), "--out", str(out)]
    assert main(command) == 0
    assert "Coloured squares" in (out / "report.html").read_text(encoding="utf-8")
    assert pd.read_csv(out / "confusion.csv", index_col="label").to_numpy().tolist() == np.eye(3).tolist()
