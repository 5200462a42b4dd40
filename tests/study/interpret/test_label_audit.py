"""Both audits find labels that are known to be wrong, and say so of nothing else."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("cleanlab", reason="needs the extra `study`")

from blood_lib.study.interpret import exploration, label_audit

WRONG = [3, 4, 5, 6, 61, 62, 63, 64, 120, 121, 122, 123]


@pytest.fixture(scope="module")
def cells():
    """Features (150, 12) of three round clouds, labels of which twelve are wrong, and the true ones."""
    cloud = np.repeat([0, 1, 2], 50)
    features = 9 * np.eye(3, 12)[cloud] + np.random.default_rng(0).normal(size=(150, 12))
    truth = np.array(["a", "b", "c"], dtype=object)[cloud]
    labels = truth.copy()
    labels[WRONG] = np.repeat(["b", "c", "a"], 4)
    return features, labels, truth


@pytest.fixture(scope="module")
def audits(cells):
    features, labels, _ = cells
    probs = label_audit.compute_held_out_probs(features, labels)
    return label_audit.audit_by_map(features[:, :3], labels, k=20), label_audit.audit_by_confidence(
        probs, labels
    )


def test_planted_errors_are_found_and_nothing_else(cells, audits):
    by_map, by_confidence = audits
    assert np.flatnonzero(by_map["flagged"]).tolist() == WRONG
    doubted = set(np.flatnonzero(by_confidence["flagged"]))
    assert doubted <= set(WRONG) and len(doubted) >= 9  # it prunes as many as it estimates, rounded
    assert all(audit["says"].tolist() == cells[2].tolist() for audit in audits)


def test_neighbours_are_counted_without_the_point_itself():
    points = np.array([[0, 0], [0, 1], [0, 2], [9, 0], [9, 1], [9, 2]], float)
    audit = label_audit.audit_by_map(points, list("aabbbb"), k=50)  # two of "a": one neighbour at most
    assert audit["alike"].tolist() == [1, 1, 0, 1, 1, 1]
    assert np.flatnonzero(audit["flagged"]).tolist() == [2]


def test_a_tie_is_no_verdict():
    points = np.array([[0], [1], [-1.5], [9], [10], [11]], float)
    audit = label_audit.audit_by_map(points, list("abaabb"), k=2)
    assert audit.loc[0, "alike"] == 0.5 and not audit.loc[0, "flagged"]


def test_no_image_is_judged_by_a_model_that_saw_it(cells):
    features, labels, _ = cells
    probs = label_audit.compute_held_out_probs(features, labels)
    assert probs.shape == (150, 3) and probs.sum(axis=1) == pytest.approx(1)
    assert (probs[WRONG].max(axis=1) > 0.5).all()
    noise = np.random.default_rng(0).normal(size=(120, 60))
    labels = np.array(["a", "b"] * 60)
    right = label_audit.compute_held_out_probs(noise, labels).argmax(axis=1) == np.arange(120) % 2
    assert right.mean() < 0.7  # who saw the image would know it by heart


def test_no_image_is_judged_by_a_model_that_saw_its_twin():
    noise, labels = np.random.default_rng(0).normal(size=(40, 60)), np.arange(40) % 2
    twice, labels = np.repeat(noise, 2, axis=0), np.repeat(labels, 2)
    right = label_audit.compute_held_out_probs(twice, labels).argmax(axis=1) == labels
    assert right.mean() < 0.7


def test_few_images_of_a_type_lower_the_folds():
    features = np.repeat(np.eye(2, 8), [2, 9], axis=0) + np.random.default_rng(0).normal(0, 0.1, (11, 8))
    assert label_audit.compute_held_out_probs(features, ["a"] * 2 + ["b"] * 9).shape == (11, 2)


def test_audits_are_joined_and_the_doubts_of_both_come_first(cells):
    one, other = (pd.DataFrame({"says": "a", "flagged": flags}) for flags in ([0, 1, 1, 0], [0, 0, 1, 1]))
    one, other = one.astype({"flagged": bool}), other.astype({"flagged": bool})
    images = pd.DataFrame({"file": list("wxyz")})
    joined = label_audit.join_audits(
        images, one.assign(alike=0.1), other.assign(probability=[0.9, 0.8, 0.5, 0.2])
    )
    assert label_audit.list_suspects(joined)["file"].tolist() == ["y", "z", "x"]
    assert label_audit.list_suspects(joined.head(1)).empty
    assert label_audit.compare_audits(one, other).to_numpy().tolist() == [[1, 1], [1, 1]]


def test_agreement_has_a_cell_for_what_never_happens(audits):
    table = label_audit.compare_audits(*audits)
    assert table.iloc[0].tolist() == [138, 0] and table.iloc[1].sum() == 12
    assert table.index.tolist() == ["the map lets pass", "the map flags"]


def test_all_suspects_are_written_down_and_who_doubts_them_is_told(audits, tmp_path):
    images = pd.DataFrame({"file": [f"{i}.jpg" for i in range(150)]})
    audited = label_audit.join_audits(images, *audits)
    suspects = label_audit.list_suspects(audited)
    file = label_audit.save_suspects(suspects, tmp_path / "run")
    assert pd.read_csv(file)["file"].tolist() == suspects["file"].tolist()
    flags = audits[0]["flagged"].astype(int).to_numpy() + audits[1]["flagged"]
    words = pd.Series(label_audit.describe_doubts(audited))
    assert (words == "nobody").tolist() == (flags == 0).tolist()
    assert (words == "map and cleanlab").tolist() == (flags == 2).tolist()
    assert words[audits[0]["flagged"] & (flags == 1)].isin(["the map"]).all()


def test_shares_are_counted_by_split(audits):
    splits = ["train"] * 100 + ["test"] * 50
    table = label_audit.compute_flagged_shares({"map": audits[0]}, splits).set_index("split")
    assert table.loc["train", ["n", "flagged"]].tolist() == [100, 8]
    assert table.loc["test", "share_low"] < table.loc["test", "share"] == 4 / 50


def test_cleaning_is_held_against_chance(cells):
    features, labels, truth = cells
    table, maps = label_audit.measure_cleaning(features, labels, labels != truth, n_random=1)
    same = table.set_index("map")["same"]
    assert table["images"].tolist() == [150, 138, 138]
    assert same["cleaned"] == 1 > same[["all", "random 1"]].max()
    assert {name: len(points) for name, points in maps.items()} == {"all": 150, "cleaned": 138}


@pytest.mark.slow
def test_both_audits_find_the_image_that_stands_under_two_types(real_images, real_index):
    pytest.importorskip("torch", reason="needs the extra `study`")
    from blood_lib.inference import Classifier
    from blood_lib.study.interpret.interpretation import describe_images, list_images

    images = list_images(real_index)
    twice = images[images["part"] == ""]
    if len(twice) != 2:
        pytest.skip("this copy does not hold both files of the pair")
    some = images[images["part"] == "valid"].groupby("cell_type").sample(40, random_state=0, replace=False)
    described = describe_images(Classifier.load(), real_images, pd.concat([twice, some]))
    labels = described.table["cell_type"].to_numpy()
    pcs, _ = exploration.compute_pca(described.features)
    by_map = label_audit.audit_by_map(exploration.compute_tsne(pcs), labels)
    probs = label_audit.compute_held_out_probs(described.features, labels)
    by_confidence = label_audit.audit_by_confidence(probs, labels)
    assert by_map["flagged"][:2].sum() == by_confidence["flagged"][:2].sum() == 1
    assert by_map["says"][:2].tolist() == by_confidence["says"][:2].tolist()
