"""The benchmarks of laboratories count what they say, and the screening trains what it names."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks.laboratories import format_rows, main, measure, score
from benchmarks.travel import VARIANTS, build_recipe, name_run, summarise
from blood_lib.bundle import load_bundle
from blood_lib.study.laboratories.serving import serve_run
from blood_lib.study.laboratories.training import train_on_laboratories
from tests.study.laboratories.test_training import recipe_for


def test_scores_are_counted_by_hand():
    probs = np.eye(3)[[0, 0, 1, 2, 2]] * 0.9 + 0.03
    target, status = np.array([0, 1, 1, 1, 0]), np.array(["ok", "ok", "ok", "unfamiliar", "uncertain"])
    row = score(target, probs, status)
    assert row["right"] == pytest.approx(2 / 5) and row["balanced"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert row["forced"] == pytest.approx((1 + 1 / 3) / 2)  # what was taken for the third is the first now
    assert row["ok"] == pytest.approx(3 / 5) and row["right_of_ok"] == pytest.approx(2 / 3)
    assert (row["n"], row["types"], row["n_ok"], row["unfamiliar"]) == (5, 2, 3, pytest.approx(0.2))
    text = format_rows([{"laboratory": "pbc", **row}], ["pbc"])
    assert "pbc, learned" in text and "40.0 (" in text and "of 3" in text


def test_a_run_is_measured_as_it_would_be_served_and_the_test_split_is_not_seen(
    drawn_cells, drawn_laboratories, drawn_windows, tmp_path, capsys
):
    run = tmp_path / "run"
    train_on_laboratories(drawn_cells, run, recipe_for("pbc", "bccd"), say=lambda line: None)
    rows = measure(serve_run(run, drawn_cells), drawn_cells)
    sizes = drawn_cells.split.groupby(["laboratory", "part"]).size()
    parts = [("pbc", "valid"), ("bccd", "train"), ("chula", "train")]
    assert [row["n"] for row in rows] == [sizes[one] for one in parts]
    main([str(drawn_laboratories), str(run), "--windows", str(drawn_windows)])
    said = capsys.readouterr().out
    assert "bccd, learned" in said and "chula, learned" not in said


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_learns_from_all_laboratories_but_one_and_starts_from_the_bundle(variant):
    bundle = load_bundle()
    recipe = build_recipe(bundle, variant, "chula", 3)
    assert recipe.laboratories == ("pbc", "bccd") and recipe.start == bundle.sha256
    assert recipe.seed == 3 and not recipe.teachers
    assert name_run(variant, "chula", recipe) != name_run(variant, "bccd", recipe)


def test_variants_differ():
    recipes = [build_recipe(load_bundle(), variant, "bccd", 0).to_json() for variant in VARIANTS]
    assert len(set(recipes)) == len(VARIANTS)


def test_the_summary_has_the_last_epoch_and_the_mean_of_the_last_half(tmp_path):
    columns = ["accuracy_bccd", "balanced_accuracy_bccd", "accuracy_pbc", "balanced_accuracy_pbc"]
    log = pd.DataFrame({name: [0.1, 0.2, 0.4, 0.6] for name in columns})
    log.to_csv(tmp_path / "log.csv", index=False)
    found = summarise(tmp_path / "log.csv", "bccd")
    assert found["right"] == pytest.approx(60) and found["right, late"] == pytest.approx(50)
    assert set(summarise(tmp_path / "log.csv", "none")) == {name for name in found if "pbc" in name}
