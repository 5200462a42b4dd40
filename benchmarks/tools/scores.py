"""Out-of-distribution scores of images, from what the served network says about them; high: far from known.

Which of them is the best is for `ood_detection` and `held_out_class` to measure.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp, softmax
from sklearn.covariance import ledoit_wolf
from sklearn.neighbors import NearestNeighbors

from blood_lib.atlas import Atlas
from blood_lib.atlas.atlas import normalise
from blood_lib.inference.network import Network
from blood_lib.study.export import choose_ood_threshold

__all__ = ["Outputs", "Score", "fit_scores", "run_network"]

N_NEIGHBOURS = 10


class Outputs(NamedTuple):
    """What the network says about N images."""

    logits: np.ndarray  # (N, C)
    features: np.ndarray  # (N, D)


Score = Callable[[Outputs], np.ndarray]  # -> (N,)


def run_network(network: Network, views: np.ndarray) -> Outputs:
    """`network` on views (N, S, S, 3) uint8."""
    logits, features = network(views)[:2]
    return Outputs(logits, features)


def fit_scores(atlas: Atlas, valid: Outputs, temperature: float) -> dict[str, Score]:
    """Name -> score, fitted on the reference cells of `atlas`, which every bundle carries; the last one is
    served.

    valid: outputs for cells of the validation split, on which ViM weighs its two halves.
    """
    return {
        # Hendrycks & Gimpel 2017, arXiv:1610.02136
        "probability": lambda x: -softmax(x.logits / temperature, axis=1).max(axis=1),
        "energy": _energy,
        "Mahalanobis": _fit_mahalanobis(atlas),
        "neighbours": _fit_neighbours(atlas),
        "residual": lambda x: _compute_residual(atlas, x.features),
        "relative residual": lambda x: atlas.residual(x.features),
        "residual or neighbours": _fit_either(atlas, valid),
        "ViM": _fit_vim(atlas, valid),
        "served": lambda x: atlas.ood_score(x.features),
    }


def _energy(x: Outputs) -> np.ndarray:
    """Liu et al. 2020, arXiv:2010.03759, eq. 4, at the temperature 1."""
    return -logsumexp(x.logits, axis=1)


def _fit_mahalanobis(atlas: Atlas) -> Score:
    """To the nearest class's mean, with one covariance for all (Lee et al. 2018, arXiv:1807.03888, section
    2.1), shrunk as in Ledoit & Wolf 2004, since there are hardly more reference cells than features.
    """
    means = np.stack([atlas.features[atlas.target == c].mean(axis=0) for c in np.unique(atlas.target)])
    _, classes = np.unique(atlas.target, return_inverse=True)
    covariance, _ = ledoit_wolf(atlas.features - means[classes], assume_centered=True)
    whiten = np.linalg.cholesky(np.linalg.inv(covariance + 1e-9 * np.eye(len(covariance))))
    return lambda x: cdist(x.features @ whiten, means @ whiten).min(axis=1)


def _fit_neighbours(atlas: Atlas, centre: np.ndarray | float = 0.0) -> Score:
    """To the k-th nearest reference cell, all features of length 1, seen from `centre` (D,) (Sun et al. 2022,
    arXiv:2204.06507, there from 0).
    """
    search = NearestNeighbors(n_neighbors=min(N_NEIGHBOURS, len(atlas)))
    search.fit(normalise(atlas.features - centre))
    return lambda x: search.kneighbors(normalise(x.features - centre))[0][:, -1]


def _fit_either(atlas: Atlas, valid: Outputs) -> Score:
    """The larger of the relative residual and the distance to the neighbours, seen from the reference cells'
    mean, each as a multiple of the threshold that the cells of the validation split give it.
    """
    parts = [lambda x: atlas.residual(x.features), _fit_neighbours(atlas, atlas.pca_mean)]
    limits = [choose_ood_threshold(part(valid)) for part in parts]
    return lambda x: np.max([part(x) / limit for part, limit in zip(parts, limits, strict=True)], axis=0)


def _compute_residual(atlas: Atlas, features: np.ndarray) -> np.ndarray:
    """Length of what lies outside of the map's principal axes; `Atlas.residual` divides it by the
    whole.
    """
    return atlas.residual(features) * np.linalg.norm(features - atlas.pca_mean, axis=1)


def _fit_vim(atlas: Atlas, valid: Outputs) -> Score:
    """The residual, as large on average as the highest logit, against the energy (Wang et al. 2022,
    arXiv:2203.10807, eq. 6 and 7); here about the mean of the reference cells, as `Atlas.residual`.
    """
    alpha = valid.logits.max(axis=1).mean() / _compute_residual(atlas, valid.features).mean()
    return lambda x: alpha * _compute_residual(atlas, x.features) + _energy(x)
