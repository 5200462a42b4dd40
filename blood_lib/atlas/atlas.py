"""The map: a t-SNE embedding of reference cells, fitted once; new cells are placed in it, never refitted.

Also computes the out-of-distribution score of a cell. Drawing the map is left to the dashboard.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from blood_lib.atlas.memory_bank import N_AXES, N_NEIGHBOURS, MemoryBank
from blood_lib.atlas.transform import Embedding
from blood_lib.files.arrays import load_arrays, save_arrays

__all__ = ["Atlas", "Zones", "normalise"]

N_COMPONENTS = 200  # principal axes of what is known: what the network has learned to see
N_MAP_COMPONENTS = 50  # so many of them lay out the map
ZONE_WIDTH = 0.04  # of the map, which reaches from -1 to 1
ZONE_EDGE = 1.15

_FAR = np.exp(-2)  # the vote of a single cell two widths away

_PCA = ("pca_mean", "pca_components")
_ARRAYS = ("features", "target", "embedding", "scale", *_PCA, "perplexity", "random_state")
_BANK = ("bank_members", "bank_scale")  # both or none


@dataclass(frozen=True, eq=False)
class Zones:
    """The plane, coloured: which class rules where."""

    raster: np.ndarray  # (n, n) int8, row 0 at the lowest y: index of the class, -1 far from any cell
    low: tuple[float, float]  # (x, y) of the corner of raster[0, 0]
    high: tuple[float, float]  # (x, y) of the corner of raster[-1, -1]


class Atlas:
    """Reference cells with their features, classes and places on the map; no pixels.

    features (M, D) float32, target (M,) int64 index of the class, embedding (M, 2) float32 within [-1, 1],
    scale: length of 1 on the map in t-SNE's own units, pca_mean (D,) and pca_components (P, D) float32,
    orthonormal rows, the most important first; bank: where all known cells lie, None where the principal
    axes alone tell what is unfamiliar.
    """

    def __init__(
        self,
        *,
        features: np.ndarray,
        target: np.ndarray,
        embedding: np.ndarray,
        scale: float,
        pca_mean: np.ndarray,
        pca_components: np.ndarray,
        perplexity: float,
        random_state: int,
        bank: MemoryBank | None = None,
    ) -> None:
        self.features = np.asarray(features, np.float32)
        self.target = np.asarray(target, np.int64)
        self.embedding = np.asarray(embedding, np.float32)
        self.scale = float(scale)
        self.pca_mean = np.asarray(pca_mean, np.float32)
        self.pca_components = np.asarray(pca_components, np.float32)
        self.perplexity = float(perplexity)
        self.random_state = int(random_state)
        self.bank = bank
        self._check()

    def __len__(self) -> int:
        return len(self.features)

    def _check(self) -> None:
        m, d = self.features.shape
        shapes = {"target": (m,), "embedding": (m, 2), "pca_mean": (d,)}
        wrong = [name for name, shape in shapes.items() if getattr(self, name).shape != shape]
        if wrong or self.pca_components.shape[1:] != (d,) or m < 2 or not self.scale > 0:
            raise ValueError(f"it needs two cells or more, and arrays that fit each other ({wrong})")
        numbers = (getattr(self, name) for name in ("features", "embedding", *_PCA))
        if self.target.min() < 0 or not all(np.isfinite(array).all() for array in numbers):
            raise ValueError("it holds numbers that cannot be")
        if self.bank is not None and self.bank.members.shape[1] > len(self.pca_components):
            raise ValueError("its memory bank is of other features")

    @classmethod
    def fit(
        cls,
        features: np.ndarray,
        target: np.ndarray,
        *,
        known: np.ndarray | None = None,
        perplexity: float = 30,
        random_state: int = 0,
        n_components: int = N_COMPONENTS,
    ) -> "Atlas":
        """Lay out reference cells, features (M, D), by PCA and t-SNE; needs openTSNE and some seconds.

        known: features (N, D) of all cells that the network has learned from, of which the principal axes
        are, and which are the memory bank; those of the reference cells, and no bank, by default. At most
        half of the D directions are kept as principal axes; with all of them, nothing would be unfamiliar.
        """
        from openTSNE import TSNE

        features = np.asarray(features, np.float16).astype(np.float32)  # as they will be saved
        spread = features if known is None else known
        mean, components = _fit_pca(spread, min(n_components, len(spread), spread.shape[1] // 2))
        tsne = TSNE(
            perplexity=min(perplexity, (len(features) - 1) / 3),
            neighbors="exact",
            negative_gradient_method="bh",
            random_state=random_state,
        )
        embedding = np.asarray(
            tsne.fit(((features - mean) @ components[:N_MAP_COMPONENTS].T).astype(np.float64))
        )
        embedding -= (embedding.min(axis=0) + embedding.max(axis=0)) / 2
        scale = float(np.abs(embedding).max())
        atlas = cls(
            features=features,
            target=target,
            embedding=embedding / scale,
            scale=scale,
            pca_mean=mean,
            pca_components=components,
            perplexity=perplexity,
            random_state=random_state,
        )
        return atlas if known is None or len(known) <= N_NEIGHBOURS else atlas._with_bank(known)

    @classmethod
    def load(cls, path: Path) -> "Atlas":
        """From an .npz file; raises OSError, ValueError or KeyError when it is none of ours."""
        return cls.from_bytes(Path(path).read_bytes())

    @classmethod
    def from_bytes(cls, content: bytes) -> "Atlas":
        """From the content of an .npz file; nothing in it is executed."""
        arrays = load_arrays(content)
        bank = MemoryBank(arrays[_BANK[0]], float(arrays[_BANK[1]])) if _BANK[0] in arrays else None
        parts: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        return cls(**parts, bank=bank)

    def to_bytes(self) -> bytes:
        """The content of an .npz file; features are stored as float16."""
        arrays = {name: np.asarray(getattr(self, name)) for name in _ARRAYS}
        arrays |= {"features": self.features.astype(np.float16)}
        if self.bank is not None:
            arrays |= zip(_BANK, (self.bank.members, np.asarray(self.bank.scale)), strict=True)
        return save_arrays(small=True, **arrays)

    def save(self, path: Path) -> None:
        """Write an .npz file."""
        Path(path).write_bytes(self.to_bytes())

    def with_cells(self, features: np.ndarray, target: np.ndarray) -> "Atlas":
        """The map with more reference cells, features (N, D) and target (N,), each at its place."""
        features = np.asarray(features, np.float16).astype(np.float32)  # as they will be saved
        return self._change(
            features=np.concatenate([self.features, features]),
            target=np.concatenate([self.target, target]),
            embedding=np.concatenate([self.embedding, self.transform(features)]),
        )

    def with_axes(self, axes: np.ndarray) -> "Atlas":
        """The map with more principal axes (K, D), as `find_axes` gives them."""
        return self._change(pca_components=np.concatenate([self.pca_components, axes]))

    def without_bank(self) -> "Atlas":
        """The map for which the principal axes alone tell what is unfamiliar."""
        return self._change(bank=None)

    def _with_bank(self, features: np.ndarray) -> "Atlas":
        return self._change(
            bank=MemoryBank.fit(self._find_directions(features, N_AXES), self.residual(features))
        )

    def _change(self, **parts: np.ndarray | MemoryBank | None) -> "Atlas":
        return Atlas(**({name: getattr(self, name) for name in (*_ARRAYS, "bank")} | parts))

    def find_axes(self, features: np.ndarray, n_axes: int) -> np.ndarray:
        """The most important directions (K, D) of cells, features (N, D), that the principal axes do not
        have: at most n_axes, and at most so many that half of all directions stay without one.
        """
        p, d = self.pca_components.shape
        deviation = np.asarray(features, np.float64) - self.pca_mean
        rest = deviation - deviation @ self.pca_components.T @ self.pca_components
        values, inside = np.linalg.eigh(rest @ rest.T)  # of the cells, not of the directions: it is quicker
        last = np.argsort(-values)[: max(0, min(n_axes, d // 2 - p))]
        last = last[values[last] > 1e-9 * max(values.max(), 1e-12)]
        axes, _ = np.linalg.qr(rest.T @ inside[:, last])
        return axes.T.astype(np.float32)

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Where new cells, features (N, D), belong on the map: (N, 2) float32.

        Each cell is placed by itself, so its place is the same alone, among others and on every run. What is
        like no reference cell at all can be driven off the map: it stays at its edge.
        """
        places = self._embedded.transform(self._reduce(features)) / self.scale
        return places.clip(-ZONE_EDGE, ZONE_EDGE).astype(np.float32)

    @cached_property
    def _embedded(self) -> Embedding:
        return Embedding(self._reduce(self.features), self.embedding.astype(np.float64) * self.scale)

    def _reduce(self, features: np.ndarray) -> np.ndarray:
        """PCA, row by row: a product of whole matrices would round a row by what stands beside it."""
        axes = self.pca_components[:N_MAP_COMPONENTS]
        rows = [axes @ (row - self.pca_mean) for row in np.asarray(features, np.float32)]
        return np.array(rows, np.float64).reshape(-1, len(axes))

    def ood_score(self, features: np.ndarray) -> np.ndarray:
        """Out-of-distribution score of cells, features (N, D): (N,) float32, 0 or more.

        The larger of two: the relative residual, which is high for what is no blood cell, and the distance
        in the memory bank, which is high for cells of a type that was not trained on.
        """
        residual = self.residual(features)
        if self.bank is None:
            return residual
        directions = self._find_directions(features, self.bank.members.shape[1])
        return np.maximum(residual, self.bank.distance(directions))

    def _find_directions(self, features: np.ndarray, n_axes: int) -> np.ndarray:
        """(N, at most n_axes): deviations from the mean, of length 1, along the first axes."""
        deviation = np.asarray(features, np.float64) - self.pca_mean
        return normalise(deviation) @ self.pca_components[:n_axes].T

    def residual(self, features: np.ndarray) -> np.ndarray:
        """The relative residual of cells, features (N, D): (N,) float32, within [0, 1].

        The part of a cell's deviation from the mean that lies outside of the principal axes of what is
        known: the residual of Wang et al. 2022 (ViM, arXiv:2203.10807, section 4.1), here relative to the
        whole deviation, so that faint and strong features count alike.
        """
        deviation = np.asarray(features, np.float64) - self.pca_mean
        inside = np.square(deviation @ self.pca_components.T.astype(np.float64)).sum(axis=1)
        whole = np.maximum(np.square(deviation).sum(axis=1), 1e-24)
        return np.sqrt(np.clip(1 - inside / whole, 0, 1)).astype(np.float32)

    def neighbours(self, features: np.ndarray, k: int) -> np.ndarray:
        """The k reference cells most alike each cell, features (N, D), nearest first: (N, k) indices."""
        return np.argsort(-self._cosines(features), axis=1, kind="stable")[:, :k]

    def _cosines(self, features: np.ndarray) -> np.ndarray:
        return normalise(np.asarray(features, np.float32)) @ self._normalised.T

    @cached_property
    def _normalised(self) -> np.ndarray:
        return normalise(self.features)

    def zones(self, n: int = 200) -> Zones:
        """The plane as a raster of n x n: the class that has most of the near cells, -1 far from any.

        A cell's vote fades with its distance as a Gaussian of ZONE_WIDTH.
        """
        at = np.linspace(-ZONE_EDGE, ZONE_EDGE, n)
        x_votes, y_votes = (np.exp(-np.square((at[:, None] - z) / ZONE_WIDTH) / 2) for z in self.embedding.T)
        members = self.target == np.arange(self.target.max() + 1)[:, None]  # (C, M)
        votes = np.stack([y_votes[:, mine] @ x_votes[:, mine].T for mine in members])
        raster = np.where(votes.sum(axis=0) < _FAR, -1, votes.argmax(axis=0)).astype(np.int8)
        return Zones(raster, (-ZONE_EDGE, -ZONE_EDGE), (ZONE_EDGE, ZONE_EDGE))


def normalise(features: np.ndarray) -> np.ndarray:
    """Features (N, D), each row of length 1."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def _fit_pca(features: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and the first principal axes (P, D), each with its largest entry positive."""
    mean = features.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(features - mean, full_matrices=False)
    axes = axes[:n_components]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return mean.astype(np.float32), (axes * signs[:, None]).astype(np.float32)
