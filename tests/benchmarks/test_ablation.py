"""The ablation changes one thing at a time, and scores as the textbook has it."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks import ablation
from benchmarks.ablation import build_recipes, cut, score_among
from blood_lib.files.errors import BloodError
from blood_lib.study.train.augmentation import Augmentation
from blood_lib.study.train.recipe import Recipe

STRONG = Augmentation(
    zoom=(0.2, 0.9), near=1.3, share_near=0.3, shift=0.2, stretch=0.2, stain_gain=0.6, stain_mixing=0.3,
    gamma=0.5, white_balance=0.4, desaturate=0.9, blur_sigma=2.5, noise_sigma=0.2,
)  # fmt: skip


def _flatten(recipe: Recipe) -> dict[str, object]:
    values = asdict(recipe)
    return values | values.pop("augmentation")


def _differ(a: Recipe, b: Recipe) -> set[str]:
    one, other = _flatten(a), _flatten(b)
    return {name for name in one if one[name] != other[name]}


def test_each_recipe_moves_one_lever_and_all_of_the_augmentation_is_some_lever() -> None:
    recipes = build_recipes(Recipe(), STRONG)
    little, much = recipes["little"], recipes["all"]
    moved = {name: _differ(recipes[name], little) for name in recipes if name.startswith("little +")}
    taken = {name: _differ(recipes[name], much) for name in recipes if name.startswith("all -")}
    assert moved["little + noise"] == taken["all - noise"] == {"noise_probability", "noise_sigma"}
    assert moved.pop("little + JPEG") == _differ(recipes["all + JPEG"], much) == {"jpeg_probability"}
    assert sum(map(len, moved.values())) == len(set().union(*moved.values()))  # no field in two groups
    assert set().union(*moved.values()) == set().union(*taken.values()) == _differ(little, much)
    assert "fold_batch_norms" in _differ(recipes["all, batch norms frozen"], much)
    assert _differ(recipes["little, weights not averaged"], little) == {"ema_decay"}


def test_an_answer_is_one_of_the_types_that_are_there() -> None:
    logits = np.array([[0, 2, 9, 1], [0, 1, 9, 2], [0, 1, 9, 3], [0, 1, 9, 3]], float)
    found = score_among(logits, np.array([1, 3, 3, 1]))
    assert found["errors"] == 1 and found["balanced"] == 75
    assert found["log_loss"] == pytest.approx(np.log1p(np.exp([-1, -1, -2, 2])).mean())


def test_parts_hold_each_row_once_and_no_more_than_they_may() -> None:
    parts = cut(np.arange(101), 25)
    assert np.array_equal(np.concatenate(parts), np.arange(101)) and len(parts) == 5
    assert {len(part) for part in parts} == {20, 21}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_trained_is_shown_again_and_types_with_few_external_images_are_left_out(
    tiny_dataset, tmp_path, capsys, monkeypatch
) -> None:
    brief = replace(ablation.BRIEF, arch="resnet18", initialisation="random", batch_size=8)
    monkeypatch.setattr(ablation, "BRIEF", brief)
    external = tmp_path / "external"
    for i, image in enumerate(sorted(tiny_dataset.glob("*/*.jpg"))):
        name = image.parent.name if image.parent.name in ("platelet", "basophil") else "monocyte"
        (external / name).mkdir(parents=True, exist_ok=True)
        (external / name / f"{i}.jpg").write_bytes(image.read_bytes())
    options = ["--epochs", "1", "--image-size", "32", "--external", str(external), "--seeds", "3"]
    command = [str(tiny_dataset), str(tmp_path / "runs"), *options, "--only", "little", "all + JPEG"]
    ablation.main(command)
    said, table = capsys.readouterr().out, pd.read_csv(tmp_path / "runs" / "ablation.csv")
    assert set(table["network"]) == {"little", "all + JPEG"}
    assert set(table.loc[table["seen"] == "external", "n"]) == {36}  # of 48; six basophils and platelets
    assert table["balanced"].between(0, 100).all()
    trained = tmp_path / "runs" / "all-+-JPEG-3" / "recipe.json"
    recipe = Recipe.from_json(trained.read_text())
    assert (recipe.seed, recipe.augmentation.jpeg_probability) == (3, 0.5)
    ablation.main(command)
    assert capsys.readouterr().out.endswith(said[said.index("Balanced") :])
    with pytest.raises(BloodError, match="no some; choose from little; all"):
        ablation.main([*command, "some"])
