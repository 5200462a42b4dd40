"""What raw pixels tell: numbers worked out by hand, and properties of maps and clusters."""

import contextlib

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from blood_lib.files.errors import BloodError
from blood_lib.study.interpret import exploration
from tests.tools.drawn_data import draw_jpeg, write_files


@pytest.fixture
def blobs():
    """Three clouds far from each other, (150, 50), and which is which."""
    return exploration.draw_clouds(n=50, gap=30, random_state=0)


def test_every_step_of_a_map_is_told(monkeypatch):
    told = []

    class Bar(contextlib.nullcontext):
        def update(self, n):
            told.append(n)
            return True  # as tqdm does once it has drawn itself; openTSNE would stop at that

    def show(*, total, **names):
        assert total == exploration.N_STEPS
        return Bar(Bar())

    x = exploration.draw_clouds(n=10, random_state=0)[0]
    quiet = exploration.compute_tsne(x)
    monkeypatch.setattr(exploration, "show_progress", show)
    assert np.array_equal(exploration.compute_tsne(x), quiet)
    assert sum(told) == exploration.N_STEPS


def test_green_is_the_green_channel_and_nothing_else(tmp_path):
    write_files(tmp_path, {"a.jpg": draw_jpeg(1), "b.jpg": draw_jpeg(2)})
    green = exploration.load_green(tmp_path, ["a.jpg", "b.jpg"], size=8)
    assert green.shape == (2, 64) and green.dtype == np.float32
    assert green.min() >= 0 and green.max() <= 1 and green.std() > 0
    write_files(tmp_path, {"no.jpg": b"text"})
    with pytest.raises(BloodError, match="no.jpg cannot be used"):
        exploration.load_green(tmp_path, ["no.jpg"])


def test_purity_by_hand():
    assert exploration.compute_purity(list("aabbb"), [0, 0, 0, 1, 1]) == 4 / 5
    found = exploration.compute_agreement(list("aabb"), [1, 1, 0, 0])
    assert found == {"purity": 1, "purity_floor": 0.5, "adjusted_rand_index": 1}


def test_separation_by_hand():
    found = exploration.compute_separation(list("ppeerr"), [2, 2, 2, 0, 0, 2], ["p", "e"])
    assert found == {"of p": 1, "of e": 0.5, "of the rest": 0.5, "apart in it": 0.75}


def test_a_size_of_its_own_gives_a_class_away():
    index = pd.DataFrame({"cell_type": list("aaab"), "width": [9, 9, 9, 8], "height": 9})
    found = exploration.compute_size_hint(index)
    assert (found["knowing nothing"], found["knowing the size"]) == (0.75, 1)


def test_components_explain_all_the_variance_there_is(blobs):
    coordinates, ratios = exploration.compute_pca(blobs[0], n_components=60)
    assert coordinates.shape == (150, 50)
    assert ratios.sum() == pytest.approx(1) and (np.diff(ratios) <= 1e-9).all()


def test_clouds_far_apart_are_found_by_clustering(blobs):
    x, cloud = blobs
    assert exploration.compute_agreement(cloud, exploration.fit_clusters(x, 3))["adjusted_rand_index"] == 1


def test_a_map_keeps_neighbours_and_is_the_same_for_the_same_seed(blobs):
    x, cloud = blobs
    embedding = exploration.compute_tsne(x, perplexity=20, random_state=1)
    assert embedding.shape == (150, 2)
    assert np.allclose(embedding, exploration.compute_tsne(x, perplexity=20, random_state=1))
    assert exploration.compute_neighbour_agreement(embedding, cloud) == 1
    assert 0 < exploration.compute_neighbour_overlap(x, embedding) <= 1


def test_too_few_points_lower_the_perplexity():
    assert exploration.compute_tsne(np.eye(9), perplexity=30).shape == (9, 2)


def test_a_map_of_itself_keeps_everything(blobs):
    x, cloud = blobs
    assert exploration.compute_neighbour_overlap(x, x) == 1
    assert exploration.compute_distance_correlation(x, x, cloud) == pytest.approx(1)


def test_the_third_cloud_is_ten_times_as_far(blobs):
    assert exploration.compute_gap_ratio(*blobs) == pytest.approx(10, rel=0.05)


def test_splits_that_follow_the_subtype_are_not_independent():
    split = pd.DataFrame({"cell_type": "a", "subtype": ["x", "y"] * 50, "part": ["train", "test"] * 50})
    assert exploration.compute_independence(split) < 1e-6
    mixed = split.assign(part=["train"] * 50 + ["test"] * 50)
    assert exploration.compute_independence(mixed) > 0.5


def test_splits_fit_the_shares_that_they_have_and_no_others():
    split = pd.DataFrame({"part": ["train"] * 80 + ["valid"] * 10 + ["test"] * 10})
    assert exploration.compute_fit(split, {"train": 80, "valid": 10, "test": 10}) == pytest.approx(1)
    assert exploration.compute_fit(split, {"train": 50, "valid": 30, "test": 20}) < 1e-6
