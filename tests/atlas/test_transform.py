"""The parts of t-SNE's transform do what their formulas say; `test_atlas` compares it with openTSNE."""

import numpy as np

from blood_lib.atlas.transform import PERPLEXITY, _affinities, _Repulsion


def test_affinities_have_the_perplexity_they_should() -> None:
    distances = np.sort(np.random.default_rng(0).uniform(1, 9, size=(30, 15)), axis=1)
    weights = _affinities(distances, PERPLEXITY)
    perplexity = np.exp(-(weights * np.log(weights)).sum(axis=1))
    assert np.allclose(weights.sum(axis=1), 1) and np.allclose(perplexity, PERPLEXITY, rtol=1e-6)


def test_the_tabulated_repulsion_is_close_to_the_exact_one() -> None:
    rng = np.random.default_rng(0)
    embedding, y = rng.normal(size=(300, 2), scale=10), rng.normal(size=(50, 2), scale=10)
    to_others = y[:, None] - embedding
    q = 1 / (1 + np.square(to_others).sum(axis=2))
    exact = (np.square(q)[..., None] * to_others).sum(axis=1) / q.sum(axis=1, keepdims=True)
    apart = np.linalg.norm(_Repulsion(embedding)(y) - exact, axis=1)
    assert apart.max() < 0.2 * np.linalg.norm(exact, axis=1).max()  # right beside a lone cell
    assert np.median(apart) < 0.05 * np.median(np.linalg.norm(exact, axis=1))
