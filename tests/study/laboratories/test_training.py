"""A training on several laboratories draws what it should, and goes on where it was cut off."""

import csv
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.__main__ import main
from blood_lib.study.data.laboratories import LABORATORIES, LABORATORY_INDEX
from blood_lib.study.laboratories.training import (
    assign_parts,
    compute_weights,
    load_laboratories,
    train_on_laboratories,
)
from blood_lib.study.train.networks import load_network
from tests.tools.fixtures_training import tiny_recipe


def recipe_for(*laboratories):
    """Seconds, and far from good."""
    return replace(tiny_recipe(), laboratories=laboratories, epoch_images=32, subtype_weight=0.5)


def test_a_laboratory_that_is_left_out_is_validated_on_whole_and_never_drawn(drawn_cells):
    dls = load_laboratories(drawn_cells, recipe_for("pbc", "chula"), "cpu")
    drawn = torch.cat([y for _ in range(8) for _, y in dls.train])[:, 2]
    assert set(drawn.tolist()) == {LABORATORY_INDEX["pbc"], LABORATORY_INDEX["chula"]}
    shown = torch.cat([y for _, y in dls.valid])[:, 2]
    assert (shown == LABORATORY_INDEX["bccd"]).sum() == (drawn_cells.table["laboratory"] == "bccd").sum()
    assert (shown == LABORATORY_INDEX["chula"]).sum() == 0


def test_validation_images_are_never_drawn(drawn_cells):
    dls = load_laboratories(drawn_cells, recipe_for(*LABORATORIES), "cpu")
    drawn = np.flatnonzero(dls.train.weights)
    assert set(drawn_cells.table["part"].iloc[drawn]) == {"train"}
    assert len(drawn) == (drawn_cells.table["part"] == "train").sum()


def test_what_is_neither_learned_nor_validated_is_not_there():
    rows = [("pbc", "train"), ("pbc", "valid"), ("pbc", "test"), ("bccd", "train"), ("chula", "train")]
    table = pd.DataFrame(rows, columns=["laboratory", "part"])
    parts = assign_parts(table, ["bccd"])
    assert list(parts.itertuples(index=False, name=None)) == [
        ("pbc", "valid"),
        ("pbc", "test"),
        ("bccd", "train"),
        ("chula", "valid"),
    ]


def test_laboratories_have_their_shares_and_types_are_balanced_as_the_recipe_says():
    cells = {("pbc", "monocyte"): 90, ("pbc", "platelet"): 10, ("chula", "monocyte"): 4}
    rows = [(*one, "") for one, n in cells.items() for _ in range(n)]
    rows = pd.DataFrame(rows, columns=["laboratory", "cell_type", "file"])
    for balance, platelets in ((0.0, 0.1), (0.5, 0.25), (1.0, 0.5)):
        weights = compute_weights(rows, balance)
        shares = weights.groupby([rows["laboratory"], rows["cell_type"]]).sum() / weights.sum()
        of_pbc = LABORATORIES["pbc"].share / (LABORATORIES["pbc"].share + LABORATORIES["chula"].share)
        assert shares["pbc"].sum() == pytest.approx(of_pbc)
        assert shares["pbc", "platelet"] == pytest.approx(of_pbc * platelets)


def test_a_run_that_was_cut_off_ends_where_it_would_have_ended(drawn_cells, tmp_path):
    recipe = recipe_for("pbc", "bccd")
    train_on_laboratories(drawn_cells, tmp_path / "whole", recipe, say=lambda line: None)

    def stop_later(line):
        if line.startswith("epoch=2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_on_laboratories(drawn_cells, tmp_path / "cut", recipe, say=stop_later)
    train_on_laboratories(drawn_cells, tmp_path / "cut", recipe, say=lambda line: None)
    whole, cut = (load_network(tmp_path / name)[0].state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(cut[name], value) for name, value in whole.items())
    with (tmp_path / "cut" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"accuracy_pbc", "accuracy_chula", "balanced_accuracy_chula"} < set(rows[0])
    assert "accuracy_bccd" not in rows[0]


def test_the_command_trains_on_what_is_not_left_out(drawn_laboratories, drawn_windows, tmp_path, capsys):
    (tmp_path / "recipe.json").write_text(recipe_for("pbc").to_json())
    command = ["train", str(drawn_laboratories), "--out", str(tmp_path / "run"), "--laboratories"]
    command += ["--without", "chula", "--recipe", str(tmp_path / "recipe.json"), "--epochs", "1"]
    command += ["--windows", str(drawn_windows)]
    assert main(command) == 1 and "--no-bundle" in capsys.readouterr().err
    assert main([*command, "--no-bundle"]) == 0
    assert "accuracy_chula" in capsys.readouterr().out
    assert load_network(tmp_path / "run")[1].laboratories == ("pbc", "bccd")
