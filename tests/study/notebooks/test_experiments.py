"""Trainings that are compared: done once, told apart by recipe and images, and read as tables."""

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from dataclasses import replace

from blood_lib.files.errors import BloodError
from blood_lib.study.data.split import load_split
from blood_lib.study.notebooks import experiments
from blood_lib.study.train.architectures import ARCHITECTURES
from tests.tools.fixtures_training import tiny_recipe


@pytest.fixture(scope="module")
def split(tiny_dataset):
    return load_split(tiny_dataset)


@pytest.fixture(scope="module")
def tiny(tiny_dataset, split, tmp_path_factory):
    return experiments.run_experiment(
        "tiny", tiny_recipe(), folder=tiny_dataset, split=split, runs=tmp_path_factory.mktemp("runs")
    )


def test_the_same_training_is_done_once_under_any_name(tiny, tiny_dataset, split):
    before = (tiny.run / "model.pt").stat().st_mtime_ns
    again = experiments.run_experiment(
        "another name", tiny.recipe, folder=tiny_dataset, split=split, runs=tiny.run.parent
    )
    assert again.run == tiny.run and again.name == "another name"
    assert (tiny.run / "model.pt").stat().st_mtime_ns == before


def test_another_recipe_or_other_images_have_a_folder_of_their_own(tiny, tiny_dataset, split, monkeypatch):
    folders = []
    monkeypatch.setattr(experiments, "train", lambda folder, run, recipe, **rest: folders.append(run))
    monkeypatch.setattr(experiments.pd, "read_csv", lambda file: tiny.log)
    for recipe, rows in (
        (tiny.recipe, split),
        (replace(tiny.recipe, seed=1), split),
        (tiny.recipe, split.iloc[1:]),
    ):
        experiments.run_experiment("x", recipe, folder=tiny_dataset, split=rows, runs=tiny.run.parent)
    assert folders[0] == tiny.run
    assert len(set(folders)) == 3


def test_the_table_of_epochs_is_that_of_the_study(tiny):
    table = experiments.list_epochs(tiny)
    assert list(table) == ["epoch", "train_loss", "valid_loss", "accuracy", "error_rate", "time_s"]
    assert list(table["epoch"]) == [1, 2]
    assert np.allclose(table["accuracy"] + table["error_rate"], 1)


def test_a_comparison_tells_the_last_epoch_with_its_interval(tiny, split):
    row = experiments.compare([tiny]).iloc[0]
    assert row["n"] == (split["part"] == "valid").sum()
    assert row["accuracy"] == tiny.log["accuracy"].iloc[-1]
    assert row["low"] <= row["accuracy"] <= row["high"]
    with pytest.raises(BloodError, match="nothing to compare"):
        experiments.compare([])


def test_the_first_with_an_architecture_is_found(tiny):
    imagenet, other = (
        replace(tiny, name="imagenet"),
        replace(tiny, recipe=replace(tiny.recipe, arch="resnet34")),
    )
    assert experiments.find_first([other, imagenet, tiny], tiny.recipe.arch) is imagenet
    assert experiments.find_first([other], tiny.recipe.arch) is None


def test_each_question_has_its_best_answer_and_what_is_worse_beyond_the_intervals(tiny):
    def reach(accuracy):
        log = tiny.log.assign(accuracy=accuracy)
        return replace(tiny, name=f"{accuracy:.0%}", log=log, n_valid=100)

    table = experiments.find_best({"rate": [reach(0.9), reach(0.95), reach(0.5)], "size": [reach(0.9)]})
    assert table["best"].tolist() == ["95%", "90%"] and table["tried"].tolist() == [3, 1]
    assert table["worse beyond the intervals"].tolist() == [1, 0]


def test_initialisations_are_compared_architecture_by_architecture(tiny):
    def reach(arch, start, accuracy):
        log = tiny.log.assign(accuracy=accuracy)
        return replace(tiny, recipe=replace(tiny.recipe, arch=arch, initialisation=start), log=log)

    first = [reach("resnet18", "imagenet", 0.9), reach("resnet34", "imagenet", 0.8)]
    then = [reach("resnet18", "random", 0.7), reach("resnet34", "random", 0.75)]
    alone = [reach("efficientnet_b0", "random", 0.5)]
    table = experiments.compare_initialisations(first + then + alone)
    assert table["network"].tolist() == ["ResNet-18", "ResNet-34"]
    assert table["points"].tolist() == pytest.approx([20, 5])
    assert experiments.compare_initialisations(alone).empty


def test_seeds_are_told_by_their_mean_and_their_ends(tiny):
    logs = [tiny.log.assign(accuracy=last) for last in (0.5, 0.9, 0.7)]
    row = experiments.compare_seeds({"tiny": [replace(tiny, log=log) for log in logs]}).iloc[0]
    assert row["seeds"] == 3 and row["n"] == tiny.n_valid
    assert row[["mean", "lowest", "highest"]].tolist() == pytest.approx([0.7, 0.5, 0.9])


def test_trainings_are_told_once_each_with_what_they_ran_on(tiny):
    told = experiments.describe_trainings([tiny, replace(tiny, name="again")])
    minutes = tiny.log["seconds"].sum() / 60
    assert told.startswith(f"1, {minutes:.0f} minutes in all; ") and told.endswith(" CPU threads each")


def test_a_choice_is_left_for_the_next_notebook(tmp_path):
    assert experiments.load_choice(tmp_path / "run") == ""
    experiments.save_choice(tmp_path / "run", "resnet34")
    assert experiments.load_choice(tmp_path / "run") == "resnet34"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"arch": "resnet99"}'])
def test_a_choice_that_names_no_architecture_is_told(tmp_path, text):
    experiments.save_choice(tmp_path, "resnet34")
    next(tmp_path.iterdir()).write_text(text)
    with pytest.raises(BloodError, match="names no architecture: delete it"):
        experiments.load_choice(tmp_path)


def test_a_share_keeps_the_proportions_and_all_that_validates():
    types = ["a"] * 80 + ["b"] * 20
    split = pd.DataFrame({"file": [str(i) for i in range(200)], "cell_type": types * 2})
    split["part"] = ["train"] * 100 + ["valid"] * 60 + ["test"] * 40
    share = experiments.take_share(split, 10, seed=1)
    assert share.loc[share["part"] == "train", "cell_type"].value_counts().to_dict() == {"a": 8, "b": 2}
    assert (share["part"] == "valid").sum() == 60 and "test" not in set(share["part"])
    assert share.equals(experiments.take_share(split, 10, seed=1))
    assert not share.equals(experiments.take_share(split, 10, seed=2))


def test_no_share_is_all_of_both_parts_in_their_order():
    split = pd.DataFrame(
        {"file": list("dcba"), "cell_type": "a", "part": ["valid", "train", "test", "train"]}
    )
    assert list(experiments.take_share(split, 0)["file"]) == ["d", "c", "a"]


def test_a_network_starts_from_imagenet_where_its_weights_are_at_hand(tmp_path):
    assert experiments.choose_initialisation("efficientnet_lite0") == ("imagenet", "")
    start, why = experiments.choose_initialisation("resnet18")
    assert start == "random" and "download is off" in why
    torch.save(ARCHITECTURES["resnet18"].build_original().state_dict(), tmp_path / "resnet18.pth")
    assert experiments.choose_initialisation("resnet18", tmp_path) == ("imagenet", "")


def test_weights_are_looked_for_by_the_name_of_the_architecture(tmp_path):
    (tmp_path / "resnet18.pth").touch()
    assert experiments.find_weights("resnet18", tmp_path) == tmp_path / "resnet18.pth"
    assert experiments.find_weights("resnet34", tmp_path) is None
    assert experiments.find_weights("resnet18", "") is None


def test_a_file_that_holds_other_weights_is_told(tmp_path):
    torch.save({}, tmp_path / "resnet18.pth")
    start, why = experiments.choose_initialisation("resnet18", tmp_path)
    assert start == "random" and "could not be loaded" in why
