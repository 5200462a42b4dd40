"""Who is far from all known cells is unfamiliar, also where the axes leave nothing of it."""

import numpy as np
import pytest

from blood_lib.atlas import Atlas
from blood_lib.atlas.memory_bank import N_NEIGHBOURS, MemoryBank
from blood_lib.bundle import Thresholds
from blood_lib.inference.adapt import fit_adaptation
from tests.atlas.test_atlas import N_FEATURES, N_TYPES, draw_features


def _draw_directions(n: int, seed: int) -> np.ndarray:
    """(n, 5) of length 1."""
    drawn = np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_the_distance_is_that_to_the_tenth_neighbour_by_the_scale() -> None:
    members, new = _draw_directions(700, seed=0), _draw_directions(600, seed=1)
    apart = np.linalg.norm(new[:, None] - members, axis=2)
    expected = np.sqrt(0.5 * np.sort(apart, axis=1)[:, N_NEIGHBOURS - 1])
    bank = MemoryBank(members.astype(np.float16), 0.5)
    assert bank.distance(new) == pytest.approx(expected, abs=2e-3)
    assert bank.distance(new[:0]).shape == (0,) and bank.distance(new).dtype == np.float32


def test_what_the_axes_leave_of_two_cells_is_at_right_angles() -> None:
    seen = np.tile([[0.6, 0.0]], (20, 1)).astype(np.float16)  # 0.8 of each lies elsewhere
    expected = [np.sqrt(2 * 0.8**2), np.sqrt(0.6**2 + 0.8**2 + 1), np.sqrt(2)]
    found = MemoryBank(seen, 1.0).distance(np.array([[0.6, 0], [0, 1], [0, 0]]))
    assert found**2 == pytest.approx(expected, abs=1e-3)


def test_far_known_cells_are_as_far_by_their_neighbours_as_by_their_residual() -> None:
    directions = _draw_directions(400, seed=2)
    residual = np.random.default_rng(0).uniform(0.1, 0.3, 400)
    bank = MemoryBank.fit(directions, residual)
    own = np.sort(np.linalg.norm(directions[:, None] - directions, axis=2), axis=1)[:, N_NEIGHBOURS]
    assert bank.scale * np.quantile(own, 0.995) == pytest.approx(np.quantile(residual, 0.995) ** 2, rel=0.01)


@pytest.mark.parametrize(
    ("members", "scale"),
    [
        (np.zeros((N_NEIGHBOURS, 3), np.float16), 1.0),
        (np.zeros((50, 3), np.float32), 1.0),
        (np.full((50, 3), np.nan, np.float16), 1.0),
        (np.zeros((50, 3), np.float16), 0.0),
        (np.zeros(50, np.float16), 1.0),
    ],
)
def test_a_bank_that_cannot_be_is_refused(members: np.ndarray, scale: float) -> None:
    with pytest.raises(ValueError, match="bank"):
        MemoryBank(members, scale)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    """A map of 120 of 400 known cells."""
    known, target = draw_features(400, seed=1)
    return Atlas.fit(known[:120], target[:120], known=known, perplexity=20, n_components=20)


def test_between_the_known_cells_a_stranger_is_found_that_has_no_residual(atlas: Atlas) -> None:
    known, _ = draw_features(400, seed=1)
    between = atlas.pca_mean - 2 * atlas.pca_components[19] + atlas.pca_components[18]
    assert atlas.residual(between[None])[0] < 0.01
    assert atlas.ood_score(between[None])[0] > np.quantile(atlas.ood_score(known), 0.995)
    assert np.isfinite(atlas.ood_score(atlas.pca_mean[None])).all()


def test_the_bank_is_saved_stays_with_more_cells_and_can_be_left(atlas: Atlas) -> None:
    new, target = draw_features(30, seed=2)
    score = atlas.ood_score(new)
    assert (score >= atlas.residual(new)).all() and (score > atlas.residual(new)).any()
    again = Atlas.from_bytes(atlas.with_cells(new, target).to_bytes())
    assert np.array_equal(again.ood_score(new), score)
    assert np.array_equal(atlas.without_bank().ood_score(new), atlas.residual(new))


def test_an_adapted_map_goes_by_its_axes_alone(atlas: Atlas) -> None:
    new, target = draw_features(30, seed=2)
    adapted = fit_adaptation(atlas, Thresholds(0.9, 0.3), new[:, None], target, n_classes=N_TYPES)
    assert atlas.bank is not None and adapted.atlas.bank is None


def test_few_known_cells_are_no_bank() -> None:
    known, target = draw_features(N_NEIGHBOURS, seed=1)
    assert Atlas.fit(known, target, known=known, perplexity=2).bank is None


def test_a_bank_of_more_axes_is_refused(atlas: Atlas) -> None:
    members = np.zeros((50, N_FEATURES), np.float16)
    with pytest.raises(ValueError, match="other features"):
        atlas._change(bank=MemoryBank(members, 1.0))
