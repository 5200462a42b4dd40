"""Least squares with an L2 penalty, which knows exactly what it would say of a cell that it was not shown.

Arrays in, arrays out; which cells, and what for, is for `adapt.py`.
"""

import numpy as np

from blood_lib.inference.head import Head

__all__ = ["Ridge"]

_CONSTANT = 10.0  # the feature that the bias belongs to: so large that the penalty hardly sees it


class Ridge:
    """From features (R, D) to scores that should be 1 for the row's class and 0 for the others.

    target (R,) class indices, weight (R,): how much each row counts. In closed form along the principal axes,
    so that another strength of the penalty costs next to nothing.
    """

    def __init__(self, features: np.ndarray, target: np.ndarray, weight: np.ndarray, n_classes: int) -> None:
        self._weight = np.asarray(weight, np.float32)[:, None]
        self._wanted = np.eye(n_classes, dtype=np.float32)[target]
        self._mean = (self._weight * features).sum(axis=0) / self._weight.sum()
        x = features - self._mean
        self._scale = np.sqrt((self._weight * np.square(x)).sum() / self._weight.sum() / x.shape[1]) + 1e-12
        x = np.hstack([x / self._scale, np.full((len(x), 1), _CONSTANT, np.float32)])
        values, self._axes = np.linalg.eigh((self._weight * x).T @ x)
        self._values = np.maximum(values, 0)
        self._x = x @ self._axes
        self._moment = self._x.T @ (self._weight * self._wanted)

    def head(self, strength: float) -> Head:
        """The fit as a layer on features as they came."""
        solved = self._axes @ self._solve(strength)
        weight = solved[:-1].T / self._scale
        return Head(weight, solved[-1] * np.float32(_CONSTANT) - weight @ self._mean)

    def left_out(self, strength: float, rows: slice, n_views: int) -> np.ndarray:
        """What fits without them would say of the cells in `rows`, n_views rows each: scores (N, C) of each
        one's first row. Exact, without another fit (Cook & Weisberg 1982, section 2.2).
        """
        x = self._x[rows].reshape(-1, n_views, self._x.shape[1])
        wanted = self._wanted[rows].reshape(len(x), n_views, -1)
        missed = wanted - x @ self._solve(strength)
        scaled = x / (self._values + np.float32(strength))
        hat = self._weight[rows].reshape(-1, n_views, 1)[:, :1] * (scaled @ x.transpose(0, 2, 1))
        left_out = np.linalg.solve(np.eye(n_views, dtype=np.float32) - hat, missed)
        return (wanted - left_out)[:, 0]

    def _solve(self, strength: float) -> np.ndarray:
        return self._moment / (self._values + np.float32(strength))[:, None]
