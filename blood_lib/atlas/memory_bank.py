"""The memory bank: where all cells that the network has learned from lie; far from them is unfamiliar.

What else makes a cell unfamiliar is for `atlas.py`.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["MemoryBank"]

N_NEIGHBOURS = 10
N_AXES = 64  # tell as much of what is near as all of them
QUANTILE = 0.995  # of known cells: where residuals and the distances here weigh alike
_ROWS = 256  # at once, which bounds memory


@dataclass(frozen=True, eq=False)
class MemoryBank:
    """members (N, P) float16: each known cell's deviation from the mean, divided by its length, along the
    first P principal axes. scale: squares of a relative residual per distance.
    """

    members: np.ndarray
    scale: float

    def __post_init__(self) -> None:
        if self.members.ndim != 2 or self.members.dtype != np.float16 or len(self.members) <= N_NEIGHBOURS:
            raise ValueError(f"a memory bank needs more than {N_NEIGHBOURS} members, of 16 bits a number")
        if not np.isfinite(self.members).all() or not 0 < self.scale < np.inf:
            raise ValueError("a memory bank needs finite numbers, and a scale above 0")

    @classmethod
    def fit(cls, directions: np.ndarray, residual: np.ndarray) -> "MemoryBank":
        """Of known cells: directions (N, P), as the members, and relative residuals (N,).

        The scale makes the distances as large as the residuals where both are as large as known cells have
        them.
        """
        bank = cls(directions.astype(np.float16), 1.0)
        own = bank._find_distance(directions, N_NEIGHBOURS + 1)  # the nearest one is the cell itself
        scale = np.quantile(residual, QUANTILE) ** 2 / max(np.quantile(own, QUANTILE), 1e-6)
        return cls(bank.members, max(float(scale), 1e-6))

    def distance(self, directions: np.ndarray) -> np.ndarray:
        """How far cells, directions (N, P), are from their tenth neighbour: (N,) float32, like a residual.

        The root, by the scale, of the distance of Sun et al. 2022 (arXiv:2204.06507), seen from the mean of
        what is known; what the axes leave of two cells counts as at right angles to each other. With the root
        it exceeds the residual of most known cells and ranks them; at the edge they are equal.
        """
        return np.sqrt(self.scale * self._find_distance(directions, N_NEIGHBOURS)).astype(np.float32)

    def _find_distance(self, directions: np.ndarray, k: int) -> np.ndarray:
        """Without the scale, in double precision: so what stands beside a row does not round it otherwise."""
        members, found = self.members.astype(np.float64).T, np.empty(len(directions))
        for i in range(0, len(directions), _ROWS):
            likeness = np.asarray(directions[i : i + _ROWS], np.float64) @ members
            found[i : i + _ROWS] = np.partition(likeness, -k, axis=1)[:, -k]
        return np.sqrt(np.maximum(2 - 2 * found, 0))
