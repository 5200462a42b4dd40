"""The map: new cells have their place in it, always the same one, where openTSNE would put them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blood_lib.atlas.atlas import _ARRAYS, ZONE_EDGE, Atlas

N_CELLS, N_TYPES, N_FEATURES = 240, 4, 40


def draw_features(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n cells of four types, as a network with a ReLU would describe them."""
    means = np.random.default_rng(0).normal(size=(N_TYPES, N_FEATURES))
    rng = np.random.default_rng(seed)
    target = rng.integers(N_TYPES, size=n)
    return np.maximum(means[target] + rng.normal(size=(n, N_FEATURES), scale=0.5), 0).astype(
        np.float32
    ), target


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return Atlas.fit(*draw_features(N_CELLS, seed=1), perplexity=20, n_components=20)


@pytest.fixture(scope="module")
def new() -> tuple[np.ndarray, np.ndarray]:
    return draw_features(60, seed=2)


def test_a_fitted_map_fills_its_square(atlas: Atlas) -> None:
    assert len(atlas) == N_CELLS
    assert np.abs(atlas.embedding).max() == pytest.approx(1)
    assert (atlas.embedding.dtype, atlas.target.dtype, atlas.features.dtype) == (
        np.float32,
        np.int64,
        np.float32,
    )


def test_the_same_cells_give_the_same_map(atlas: Atlas) -> None:
    again = Atlas.fit(*draw_features(N_CELLS, seed=1), perplexity=20, n_components=20)
    assert np.array_equal(again.embedding, atlas.embedding)


def test_what_is_saved_is_loaded(atlas: Atlas, new, tmp_path: Path) -> None:
    atlas.save(tmp_path / "atlas.npz")
    again = Atlas.load(tmp_path / "atlas.npz")
    for name in ("features", "target", "embedding", "pca_mean", "pca_components"):
        assert np.array_equal(getattr(again, name), getattr(atlas, name))
    assert np.array_equal(again.transform(new[0]), atlas.transform(new[0]))
    assert np.array_equal(again.ood_score(new[0]), atlas.ood_score(new[0]))


def test_saving_twice_gives_the_same_bytes(atlas: Atlas) -> None:
    assert atlas.to_bytes() == atlas.to_bytes()


def test_a_cell_has_its_place_alone_among_others_and_again(atlas: Atlas, new) -> None:
    features, _ = new
    together = atlas.transform(features)
    assert np.array_equal(atlas.transform(features), together)
    assert np.array_equal(atlas.transform(features[::-1])[::-1], together)
    assert np.array_equal(atlas.transform(features[11:40]), together[11:40])
    alone = np.concatenate([atlas.transform(features[i : i + 1]) for i in range(len(features))])
    assert np.array_equal(alone, together)


def test_a_cell_has_its_place_in_another_process(atlas: Atlas, new, tmp_path: Path) -> None:
    atlas.save(tmp_path / "atlas.npz")
    np.save(tmp_path / "new.npy", new[0])
    code = (
        "import sys, numpy as np; from pathlib import Path; from blood_lib.atlas import Atlas;"
        "at = Path(sys.argv[1]); atlas = Atlas.load(at / 'atlas.npz');"
        "np.save(at / 'placed.npy', atlas.transform(np.load(at / 'new.npy')));"
        "print([name for name in ('openTSNE', 'sklearn', 'scipy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert np.array_equal(np.load(tmp_path / "placed.npy"), atlas.transform(new[0]))
    assert run.stdout == "[]\n"  # and placing needs none of these


def test_cells_are_placed_where_opentsne_would_place_them(atlas: Atlas, new) -> None:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN

    affinities = PerplexityBasedNN(atlas._reduce(atlas.features), perplexity=20, method="exact")
    start = atlas.embedding.astype(np.float64) * atlas.scale
    embedding = TSNEEmbedding(start, affinities, negative_gradient_method="bh", theta=0.0)
    expected = np.asarray(embedding.transform(atlas._reduce(new[0]))) / atlas.scale
    apart = np.linalg.norm(atlas.transform(new[0]) - expected, axis=1)
    # openTSNE's search for the perplexity now and then stops short, so a few cells may differ more
    assert np.quantile(apart, 0.9) < 0.005
    assert np.median(apart) < 0.001


def test_cells_fall_among_their_own_type(atlas: Atlas, new) -> None:
    features, target = new
    apart = np.linalg.norm(atlas.transform(features)[:, None] - atlas.embedding, axis=2)
    assert (atlas.target[apart.argmin(axis=1)] == target).mean() > 0.9


def test_reference_cells_come_back_to_their_own_place(atlas: Atlas) -> None:
    apart = np.linalg.norm(atlas.transform(atlas.features) - atlas.embedding, axis=1)
    assert np.median(apart) < 0.1


def test_no_cells_have_no_places(atlas: Atlas) -> None:
    none = np.empty((0, N_FEATURES), np.float32)
    assert atlas.transform(none).shape == (0, 2)
    assert atlas.ood_score(none).shape == (0,)


def test_features_unlike_any_cell_still_get_a_place_on_the_map(atlas: Atlas) -> None:
    unlike = np.stack([np.zeros(N_FEATURES), np.full(N_FEATURES, 1e4), -np.ones(N_FEATURES)])
    assert np.isfinite(atlas.transform(unlike)).all()
    assert np.abs(atlas.transform(unlike)).max() <= ZONE_EDGE


def test_twins_in_the_reference_do_no_harm() -> None:
    features, target = draw_features(60, seed=3)
    features[:30] = features[0]  # distances of 0
    atlas = Atlas.fit(features, target, perplexity=5, n_components=10)
    assert np.isfinite(atlas.transform(features[:3])).all()


def test_the_ood_score_is_the_share_that_lies_outside_of_the_principal_axes(atlas: Atlas) -> None:
    inside, other = atlas.pca_components[:2]
    outside = np.random.default_rng(0).normal(size=N_FEATURES)
    outside -= atlas.pca_components.T @ (atlas.pca_components @ outside)
    outside /= np.linalg.norm(outside)
    deviations = np.stack(
        [5 * inside - other, 3 * outside, 3 * inside + 4 * outside, 6 * inside + 8 * outside]
    )
    assert np.allclose(atlas.ood_score(atlas.pca_mean + deviations), [0, 1, 0.8, 0.8], atol=1e-3)
    assert np.isfinite(atlas.ood_score(atlas.pca_mean[None])).all()


def test_the_axes_are_those_of_all_that_is_known() -> None:
    known, target = draw_features(N_CELLS, seed=1)
    few = Atlas.fit(known[:60], target[:60], known=known, perplexity=5, n_components=20)
    alone = Atlas.fit(known[:60], target[:60], perplexity=5, n_components=20)
    new, _ = draw_features(N_CELLS, seed=2)
    assert len(few) == 60 and few.residual(new).mean() < alone.residual(new).mean()
    assert np.allclose(few.pca_mean, known.mean(axis=0), atol=1e-4)


def test_what_is_unlike_the_reference_is_far(atlas: Atlas, new) -> None:
    unlike = np.abs(np.random.default_rng(0).normal(size=(20, N_FEATURES)))
    assert np.median(atlas.ood_score(unlike)) > np.median(atlas.ood_score(new[0]))


def test_neighbours_are_sorted_and_of_the_own_type(atlas: Atlas, new) -> None:
    features, target = new
    near = atlas.neighbours(features, 5)
    assert near.shape == (60, 5)
    assert (atlas.target[near[:, 0]] == target).mean() > 0.9
    assert (atlas.neighbours(atlas.features[:9], 1)[:, 0] == np.arange(9)).all()


def test_zones_colour_the_plane_around_the_cells(atlas: Atlas) -> None:
    zones = atlas.zones(120)
    assert zones.raster.shape == (120, 120)
    assert set(np.unique(zones.raster)) == {-1, 0, 1, 2, 3}
    (left, bottom), (right, top) = zones.low, zones.high
    column = ((atlas.embedding[:, 0] - left) / (right - left) * 119).round().astype(int)
    row = ((atlas.embedding[:, 1] - bottom) / (top - bottom) * 119).round().astype(int)
    assert (zones.raster[row, column] == atlas.target).mean() > 0.9
    assert (zones.raster[[0, 0, -1, -1], [0, -1, 0, -1]] == -1).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"target": np.zeros(3)},
        {"embedding": np.zeros((N_CELLS, 3))},
        {"scale": 0.0},
        {"scale": float("nan")},
        {"pca_mean": np.zeros(7)},
        {"pca_components": np.zeros((5, 7))},
        {"features": np.full((N_CELLS, N_FEATURES), np.nan)},
        {"target": np.full(N_CELLS, -1)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(atlas: Atlas, changes: dict) -> None:
    with pytest.raises(ValueError):
        Atlas(**({name: getattr(atlas, name) for name in _ARRAYS} | changes))


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "atlas.npz", features=np.array([{"a": 1}], dtype=object))
    with pytest.raises((ValueError, KeyError)):
        Atlas.load(tmp_path / "atlas.npz")
