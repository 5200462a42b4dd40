"""Places new points in a finished t-SNE embedding, as openTSNE's `transform` does, with NumPy alone.

A served map then needs neither openTSNE nor the SciPy and scikit-learn beneath it; a test holds the two
against each other. Which points, and in what space, is for `atlas.py`.
"""

import numpy as np

__all__ = ["Embedding"]

# openTSNE's defaults for `transform` (Poličar et al. 2024, doi:10.18637/jss.v109.i03, section 3.4)
PERPLEXITY = 5
N_ITER = 250
LEARNING_RATE = 0.1
EXAGGERATION = 1.5
MOMENTUM = 0.8
MAX_GRADIENT = 0.25
MIN_GAIN = 0.01

_STEP = 0.5  # of the grid on which the repulsion is tabulated; t-SNE's kernel is 1 wide
_MARGIN = 5.0


class Embedding:
    """A finished embedding (M, 2) of reference points (M, P), in t-SNE's own units.

    Named after openTSNE's `TSNEEmbedding`, whose `transform` it computes.
    """

    def __init__(self, reference: np.ndarray, embedding: np.ndarray) -> None:
        self.reference = np.asarray(reference, np.float64)
        self.embedding = np.asarray(embedding, np.float64)
        self._squares = np.square(self.reference).sum(axis=1)
        self._repulsion = _Repulsion(self.embedding)

    def transform(self, points: np.ndarray) -> np.ndarray:
        """Where new points (N, P) belong: (N, 2) float64. Every point is placed as if it were alone."""
        if not len(points):
            return np.empty((0, 2))
        near, distances = self._find_neighbours(points)
        attraction = EXAGGERATION * _affinities(distances, PERPLEXITY)
        anchors = self.embedding[near]  # (N, k, 2)
        return self._descend(np.median(anchors, axis=1), anchors, attraction)

    def _find_neighbours(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices and distances (N, k) of the nearest reference points; row by row: no point sees another."""
        k = min(3 * PERPLEXITY, len(self.reference))
        near = np.empty((len(points), k), np.int64)
        for i, point in enumerate(points):
            squares = self._squares - 2 * (self.reference @ point)
            nearest = np.argpartition(squares, k - 1)[:k]
            near[i] = nearest[np.lexsort((nearest, squares[nearest]))]
        distances = np.sqrt(np.square(self.reference[near] - points[:, None]).sum(axis=2))
        return near, distances

    def _descend(self, y: np.ndarray, anchors: np.ndarray, attraction: np.ndarray) -> np.ndarray:
        """Gradient descent with momentum and gains, as in openTSNE's `gradient_descent`."""
        update, gains = np.zeros_like(y), np.ones_like(y)
        for _ in range(N_ITER):
            to_anchors = y[:, None] - anchors
            pull = attraction / (1 + np.square(to_anchors).sum(axis=2))
            gradient = (pull[:, :, None] * to_anchors).sum(axis=1) - self._repulsion(y)
            norm = np.sqrt(np.square(gradient).sum(axis=1, keepdims=True)) + 1e-6
            gradient *= np.minimum(1, MAX_GRADIENT / norm)
            turned = np.sign(update) != np.sign(gradient)
            gains = np.where(turned, gains + 0.2, gains * 0.8 + MIN_GAIN)
            update = MOMENTUM * update - LEARNING_RATE * gains * gradient
            y = y + update
        return y


class _Repulsion:
    """The push of the whole embedding on a point of the plane: sum_j q_j^2 (y - y_j) / sum_j q_j.

    It depends on the point's position only, since new points do not see each other; so it is tabulated once,
    and read by bilinear interpolation.
    """

    def __init__(self, embedding: np.ndarray) -> None:
        self.low = embedding.min(axis=0) - _MARGIN
        counts = np.ceil((embedding.max(axis=0) + _MARGIN - self.low) / _STEP).astype(int) + 1
        xs, ys = (low + _STEP * np.arange(n) for low, n in zip(self.low, counts, strict=True))
        self.last = counts - 2
        self.table = np.stack([_push(x, ys, embedding) for x in xs])  # (X, Y, 2)

    def __call__(self, y: np.ndarray) -> np.ndarray:
        cell = (y - self.low) / _STEP
        corner = np.clip(cell.astype(np.int64), 0, self.last)
        i, j = corner[:, 0], corner[:, 1]
        u, v = np.clip(cell - corner, 0, 1).T[:, :, None]
        left = self.table[i, j] * (1 - v) + self.table[i, j + 1] * v
        right = self.table[i + 1, j] * (1 - v) + self.table[i + 1, j + 1] * v
        return left * (1 - u) + right * u


def _push(x: float, ys: np.ndarray, embedding: np.ndarray) -> np.ndarray:
    """The repulsion (Y, 2) at the points (x, ys)."""
    q = 1 / (1 + np.square(x - embedding[:, 0]) + np.square(ys[:, None] - embedding[:, 1]))  # (Y, M)
    total = q.sum(axis=1)
    q *= q
    at, mass = np.stack([np.full_like(ys, x), ys], axis=1), q.sum(axis=1)
    return (at * mass[:, None] - q @ embedding) / total[:, None]


def _affinities(distances: np.ndarray, perplexity: float) -> np.ndarray:
    """Gaussian weights (N, k), each row of the given perplexity and sum 1 (bisection on the precision)."""
    squares = np.square(distances)
    squares -= squares.min(axis=1, keepdims=True)
    squares /= np.maximum(squares.mean(axis=1, keepdims=True), 1e-300)
    low, high = np.full((len(squares), 1), -40.0), np.full((len(squares), 1), 40.0)
    for _ in range(60):
        middle = (low + high) / 2
        too_wide = _entropy(squares, np.exp(middle)) > np.log(perplexity)
        low, high = np.where(too_wide, middle, low), np.where(too_wide, high, middle)
    weights = np.exp(-squares * np.exp((low + high) / 2))
    return weights / weights.sum(axis=1, keepdims=True)


def _entropy(squares: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Of Gaussian weights at squared distances (N, k): (N, 1), in nats."""
    weights = np.exp(-squares * precision)
    total = weights.sum(axis=1, keepdims=True)
    return np.log(total) + precision * (squares * weights).sum(axis=1, keepdims=True) / total
