"""What raw pixels tell before anything is learned: components, clusters, maps, and how far to trust them.

`plots` draws the results.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from PIL import Image
from scipy.spatial.distance import pdist
from scipy.stats import chi2_contingency, chisquare, spearmanr
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from blood_lib.study.data.index import load_usable_image
from blood_lib.study.progress import show_progress

__all__ = [
    "compute_agreement",
    "compute_distance_correlation",
    "compute_fit",
    "compute_gap_ratio",
    "compute_independence",
    "compute_neighbour_agreement",
    "compute_neighbour_overlap",
    "compute_pca",
    "compute_purity",
    "compute_separation",
    "compute_size_hint",
    "compute_tsne",
    "draw_clouds",
    "fit_clusters",
    "load_green",
]

Labels: TypeAlias = Sequence[Any] | np.ndarray
"""A label or a cluster of each of N points."""

N_STEPS = 750  # openTSNE's: 250 with early exaggeration, then 500
TELL_EVERY = 50


def load_green(folder: Path, files: Sequence[str], *, size: int = 64) -> np.ndarray:
    """The green channel of each file, frame made `size` px a side: (N, size * size) float32 in [0, 1]."""
    with ThreadPoolExecutor(4) as pool:
        rows = pool.map(lambda file: _load_green(folder / file, size), files)
        return np.stack(list(show_progress(rows, total=len(files))))


def _load_green(path: Path, size: int) -> np.ndarray:
    green = load_usable_image(path).getchannel("G").resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(green, dtype=np.float32).ravel() / 255


def compute_pca(
    x: np.ndarray, *, n_components: int = 50, random_state: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) -> coordinates (N, P) and the share of the variance that each component explains (P,)."""
    pca = PCA(min(n_components, *x.shape), random_state=random_state)
    return pca.fit_transform(x), pca.explained_variance_ratio_


def compute_tsne(
    x: np.ndarray, *, perplexity: float = 30, initialization: str = "pca", random_state: int = 0
) -> np.ndarray:
    """The t-SNE map of x (N, D): (N, 2), begun from the first two components ("pca") or at "random".

    Perplexity is lowered where there are too few points for it.
    """
    from openTSNE import TSNE

    perplexity = min(perplexity, (len(x) - 1) / 3)
    with show_progress(total=N_STEPS, what="t-SNE", unit="steps") as bar:

        def tell(_step: int, _error: float, _embedding: np.ndarray) -> None:  # what it returns could end it
            bar.update(TELL_EVERY)

        how = {"initialization": initialization, "random_state": random_state}
        tsne = TSNE(perplexity=perplexity, **how, callbacks=tell, callbacks_every_iters=TELL_EVERY)
        return np.asarray(tsne.fit(x))


def fit_clusters(x: np.ndarray, n_clusters: int, *, random_state: int = 0) -> np.ndarray:
    """K-means: the cluster of each row of x (N, D), (N,), the best of ten starts."""
    return KMeans(n_clusters, n_init=10, random_state=random_state).fit_predict(x)


def compute_purity(labels: Labels, clusters: Labels) -> float:
    """The share of points whose label is the commonest one of their cluster."""
    table = pd.crosstab(np.asarray(labels), np.asarray(clusters))
    return float(table.max().sum() / table.to_numpy().sum())


def compute_agreement(labels: Labels, clusters: Labels) -> dict[str, float]:
    """purity, its floor (all in one cluster), and the adjusted Rand index (0 by chance, 1 the same)."""
    return {
        "purity": compute_purity(labels, clusters),
        "purity_floor": compute_purity(labels, np.zeros(len(clusters))),
        "adjusted_rand_index": float(adjusted_rand_score(labels, clusters)),
    }


def compute_separation(labels: Labels, clusters: Labels, apart: Sequence[str]) -> dict[str, float]:
    """Do the labels in `apart` come apart by themselves? Looks at the cluster that holds most of them.

    "of LABEL": the share of that label's points in it; "of the rest": of all others'; "apart in it": the
    share of the cluster that has a label of `apart`.
    """
    labels, clusters = np.asarray(labels), np.asarray(clusters)
    wanted = np.isin(labels, list(apart))
    home = clusters == pd.Series(clusters[wanted]).mode()[0]
    shares = {f"of {name}": float(home[labels == name].mean()) for name in apart}
    return shares | {"of the rest": float(home[~wanted].mean()), "apart in it": float(wanted[home].mean())}


def compute_size_hint(index: pd.DataFrame) -> dict[str, float]:
    """How often a guess of the cell type is right: always the commonest, or the commonest of that size."""
    size = index["width"].astype(str) + "x" + index["height"].astype(str)
    return {
        "images": len(index),
        "knowing nothing": compute_purity(index["cell_type"], np.zeros(len(index))),
        "knowing the size": compute_purity(index["cell_type"], size),
    }


def compute_independence(split: pd.DataFrame) -> float:
    """The p-value of a chi-square test that split and subtype have nothing to do with each other."""
    return float(chi2_contingency(pd.crosstab([split["cell_type"], split["subtype"]], split["part"])).pvalue)


def compute_fit(split: pd.DataFrame, percent: Mapping[str, float]) -> float:
    """The p-value of a chi-square test that the splits have these per cent of all images."""
    counts = split["part"].value_counts().reindex(list(percent), fill_value=0)
    return float(chisquare(counts, counts.sum() * np.array(list(percent.values())) / 100).pvalue)


def compute_neighbour_overlap(x: np.ndarray, embedding: np.ndarray, *, k: int = 10) -> float:
    """The share of each point's k nearest neighbours in x that are among its k nearest on the map."""
    near_x, near_map = _nearest(x, k), _nearest(embedding, k)
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(near_x, near_map, strict=True)]))


def compute_neighbour_agreement(points: np.ndarray, labels: Labels) -> float:
    """The share of points (N, D) whose nearest other point has the same label."""
    nearest, labels = _nearest(points, 1)[:, 0], np.asarray(labels)
    return float((labels[nearest] == labels).mean())


def _nearest(points: np.ndarray, k: int) -> np.ndarray:
    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)


def compute_distance_correlation(x: np.ndarray, embedding: np.ndarray, labels: Labels) -> float:
    """Spearman's correlation of the distances between the labels' centres, in x and on the map."""
    return float(spearmanr(pdist(_centres(x, labels)), pdist(_centres(embedding, labels))).statistic)


def _centres(points: np.ndarray, labels: Labels) -> np.ndarray:
    return pd.DataFrame(points).groupby(np.asarray(labels)).mean().to_numpy()


def draw_clouds(*, n: int = 200, gap: float = 12.0, random_state: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three round clouds in 50 dimensions, the third ten gaps away: points (3n, 50), their cloud (3n,)."""
    rng = np.random.default_rng(random_state)
    x = rng.normal(size=(3 * n, 50))
    cloud = np.repeat([0, 1, 2], n)
    x[:, 0] += gap * np.array([0, 1, 10])[cloud]
    return x, cloud


def compute_gap_ratio(points: np.ndarray, cloud: np.ndarray) -> float:
    """How many times farther from the first cloud's centre the third's is than the second's."""
    first, second, third = _centres(points, cloud)
    return float(np.linalg.norm(third - first) / np.linalg.norm(second - first))
