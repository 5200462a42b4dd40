"""A bundle made from a run says what the trained network says, and carries what it promises."""

import json
import shutil
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")
pytest.importorskip("onnx", reason="needs the extra `study`")

from blood_lib.__main__ import main
from blood_lib.bundle import load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from blood_lib.inference.calibration import fit_temperature
from blood_lib.study.cells import CELL_TYPES, SUBTYPES
from blood_lib.study.evaluate.labelled import classify_labelled, find_labelled
from blood_lib.study.export import card, export, export_bundle
from blood_lib.study.export.fitting import (
    run_split,
)
from blood_lib.study.export.graph import (
    compile_network,
)
from blood_lib.study.export.refit import refit_bundle
from blood_lib.study.train.loaders import load_views, normalise
from blood_lib.study.train.losses import UNKNOWN
from blood_lib.study.train.networks import load_network


@pytest.fixture
def bundle(tiny_export):
    return tiny_export


def test_the_bundle_gives_the_predictions_of_the_trained_network(bundle, tiny_dataset, tiny_run):
    network, recipe = load_network(tiny_run)
    files = [path.relative_to(tiny_dataset).as_posix() for path in sorted(tiny_dataset.rglob("*.jpg"))]
    x = load_views(tiny_dataset, files, size=recipe.image_size, crop=recipe.crop)
    with torch.no_grad():
        logits = network(normalise(torch.tensor(x).permute(0, 3, 1, 2).float() / 255))
    expected = torch.softmax(logits / bundle.temperature, 1).numpy()
    answers = classify_labelled(Classifier(bundle), tiny_dataset, find_labelled(tiny_dataset, bundle.classes))
    assert answers.files == files
    assert np.abs(answers.probs - expected).max() < 0.02  # half-precision weights, and perhaps bfloat16


def test_a_split_is_run_in_the_order_of_its_table(tiny_run, tiny_dataset):
    network, recipe = load_network(tiny_run)
    served, split = (
        compile_network(network, recipe),
        pd.read_csv(tiny_run / "split.csv", keep_default_na=False),
    )
    whole, turned = (run_split(served, tiny_dataset, rows, "train", recipe) for rows in (split, split[::-1]))
    rows = split[split["part"] == "train"]
    assert [CELL_TYPES[i].name for i in whole.target] == rows["cell_type"].tolist()
    assert [SUBTYPES[i] if i != UNKNOWN else "" for i in whole.subtype] == [
        subtype if subtype in SUBTYPES else "" for subtype in rows["subtype"]
    ]
    assert whole.logits.shape == (len(rows), 8) and whole.features.shape[0] == len(rows)
    assert np.abs(whole.logits - turned.logits[::-1]).max() < 0.05  # other neighbours in the batch


def test_subtypes_are_told_when_the_training_split_has_all_of_them(tiny_run, bundle):
    split = pd.read_csv(tiny_run / "split.csv", keep_default_na=False)
    whole = set(SUBTYPES) <= set(split["subtype"][split["part"] == "train"])
    assert len(bundle.subtypes) == (11 if whole else 0)


def test_the_temperature_is_fitted_to_what_is_served_on_the_validation_split(bundle, tiny_dataset, tiny_run):
    split = pd.read_csv(tiny_run / "split.csv", keep_default_na=False)
    answers = classify_labelled(Classifier(bundle), tiny_dataset, split[split["part"] == "valid"])
    logits = np.log(answers.probs) * bundle.temperature  # but for a constant, which the softmax takes away
    assert bundle.temperature == pytest.approx(fit_temperature(answers.target, logits), rel=1e-3)


def test_the_card_says_what_was_measured_and_on_how_many(bundle):
    card = bundle.card
    assert card["architecture"] == "ResNet-18" and card["epochs"] == 2 and card["seeds"] == [0]
    assert sum(card["dataset"][f"n_{part}"] for part in ("train", "valid", "test")) == 48
    wheres = {metric["where"]["en"] for metric in card["metrics"]}
    assert any("never trained on" in where and "platelet 6" in where for where in wheres)
    for metric in card["metrics"]:
        assert metric["n"] > 0
        assert metric["name"] == "calibration_error" or metric["low"] <= metric["value"] <= metric["high"]
    in_domain, *_, external = card["per_class"]  # between them the subtypes, where they are told
    assert sum(row["n"] for row in in_domain["rows"]) == card["dataset"]["n_test"]
    assert [row["n"] for row in external["rows"]] == [6] * 8
    assert all(row["recall_low"] <= row["recall"] <= row["recall_high"] for row in external["rows"])


def test_the_card_shares_out_the_statuses(bundle):
    shares = [m["value"] for m in bundle.card["metrics"] if m["name"].startswith("share_")]
    assert len(shares) == 6 and sum(shares) == pytest.approx(2, abs=1e-4)  # in-domain, and external


def test_the_card_of_drawn_cells_does_not_speak_of_the_published_dataset(bundle):
    assert (
        "not the published dataset" in bundle.card["dataset"]["name"] and "doi" not in bundle.card["dataset"]
    )
    assert "not the published dataset" in bundle.card["metrics"][0]["where"]["en"]
    assert not bundle.card["limits"]


def test_a_dataset_is_the_published_one_where_every_test_image_is_known(tiny_run, tiny_dataset, monkeypatch):
    split = pd.read_csv(tiny_run / "split.csv", keep_default_na=False)
    tested = [tiny_dataset / file for file in split["file"][split["part"] == "test"]]
    known = pd.DataFrame({"sha256": [sha256(file.read_bytes()).hexdigest() for file in tested]})
    monkeypatch.setattr(card, "load_manifest", lambda: known)
    assert card.is_published(tiny_dataset, split)
    monkeypatch.setattr(card, "load_manifest", lambda: known[1:])
    assert not card.is_published(tiny_dataset, split)


def test_the_card_tells_every_machine_that_the_network_was_trained_on(tiny_run, tiny_dataset, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    told = json.loads((run / "environment.json").read_text())
    earlier = [told | {"hardware": name} for name in ("an old one", "an old one", "another")]
    (run / "environment.json").write_text(json.dumps(told | {"hardware": "a GPU", "earlier": earlier}))
    card = export_bundle(run, tiny_dataset, tmp_path / "bundle").card
    assert card["hardware"] == "an old one, then another, then a GPU"


def test_the_bundle_says_what_is_counted_and_what_per_hundred_of_it(bundle):
    assert bundle.differential["en"] == "white cells"
    assert [info.name for info in bundle.classes if info.per_hundred] == ["erythroblast"]


def test_the_bundle_keeps_the_log_and_the_recipe_of_its_training(bundle, tiny_run):
    assert bundle.read("training.csv") == (tiny_run / "log.csv").read_bytes()
    assert bundle.read("recipe.json") == (tiny_run / "recipe.json").read_bytes()
    assert len(bundle.examples) == 24


def test_all_cells_of_the_training_split_are_in_the_memory_bank(bundle, tiny_run):
    split = pd.read_csv(tiny_run / "split.csv", keep_default_na=False)
    assert len(Classifier(bundle).atlas.bank.members) == (split["part"] == "train").sum()


def test_a_bundle_that_is_too_large_is_not_written(tiny_dataset, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MAX_BYTES", 10**6)
    with pytest.raises(export.BloodError, match="train a smaller network"):
        export_bundle(tiny_run, tiny_dataset, tmp_path / "bundle")
    assert not list(tmp_path.iterdir())


def test_a_bundle_that_is_refitted_on_the_same_images_stays_as_it_was(bundle, tiny_dataset, tmp_path, capsys):
    command = ["refit", str(tiny_dataset), "--bundle", str(bundle.path), "--out", str(tmp_path / "new")]
    assert main([*command, "--external", str(tiny_dataset)]) == 0
    new = load_bundle(tmp_path / "new")
    assert new.sha256 == bundle.sha256
    assert f"The bundle is in {new.path}" in capsys.readouterr().out


def test_a_bundle_is_refitted_on_its_own_images_alone(bundle, tiny_dataset, tmp_path):
    fewer = tmp_path / tiny_dataset.name
    shutil.copytree(tiny_dataset, fewer)
    next(fewer.rglob("*.jpg")).unlink()
    with pytest.raises(BloodError, match="other images"):
        refit_bundle(bundle, fewer, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == [fewer.name]


def test_what_blood_train_has_not_made_is_not_refitted(tiny_bundle, tiny_dataset, tmp_path):
    with pytest.raises(BloodError, match="not made by blood train"):
        refit_bundle(tiny_bundle, tiny_dataset, tmp_path / "new")
    shipped = load_bundle()
    adapted = shipped.change(files={"head.npz": b""})
    with pytest.raises(BloodError, match="adapted"):
        refit_bundle(adapted, tiny_dataset, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_is_exported_when_the_other_images_are_not_there(tiny_dataset, tiny_run, tmp_path):
    with pytest.raises(export.BloodError, match="has no folder with images"):
        export_bundle(tiny_run, tiny_dataset, tmp_path / "bundle", external=tmp_path / "typo")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_else_is_left_alone(tiny_dataset, tiny_run, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(export.BloodError, match="something else than a bundle"):
        export_bundle(tiny_run, tiny_dataset, tmp_path)
    assert (tmp_path / "thesis.txt").exists()
