"""Regions of a mask, without SciPy: what hangs together, as boxes and areas; and Otsu's threshold."""

import numpy as np

__all__ = ["find_regions", "otsu"]


def otsu(values: np.ndarray) -> float:
    """The threshold that parts `values` into two classes of least variance (Otsu 1979, eq. 18)."""
    counts, edges = np.histogram(values, 128)
    middles = (edges[1:] + edges[:-1]) / 2
    below = counts.cumsum()
    sums = (counts * middles).cumsum()
    above = np.maximum(below[-1] - below, 1)
    between = below * above * (sums / np.maximum(below, 1) - (sums[-1] - sums) / above) ** 2
    return float(edges[1 + int(np.argmax(between))])


def find_regions(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The regions of a mask (h, w) whose pixels are neighbours side by side: boxes (N, 4), areas (N,)."""
    rows, starts, ends = _find_runs(mask)
    parents = list(range(len(rows)))
    first = np.searchsorted(rows, np.arange(mask.shape[0] + 1))
    for row in range(1, mask.shape[0]):
        i, j = first[row - 1], first[row]
        while i < first[row] and j < first[row + 1]:
            if starts[i] < ends[j] and starts[j] < ends[i]:
                parents[_root(parents, j)] = _root(parents, i)
            i, j = (i + 1, j) if ends[i] <= ends[j] else (i, j + 1)
    _, group = np.unique([_root(parents, i) for i in range(len(rows))], return_inverse=True)
    n = int(group.max(initial=-1)) + 1
    boxes = np.tile(np.array([np.inf, np.inf, 0, 0]), (n, 1))
    for column, values, pick in (
        (0, starts, np.minimum),
        (1, rows, np.minimum),
        (2, ends, np.maximum),
        (3, rows + 1, np.maximum),
    ):
        pick.at(boxes[:, column], group, values)
    return boxes.astype(np.float32), np.bincount(group, ends - starts, minlength=n)


def _find_runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, first column and column after the last of each run of true pixels, row by row."""
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def _root(parents: list[int], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i
