"""How good a finder is: recall, false alarms per field, average precision, and how right its ruler is.

A box is found where a box of its kind overlaps it by half (intersection over union); each counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blood_lib.detection.boxes import compute_iou, touches_edge

__all__ = ["EDGE", "Score", "average_precision", "compute_recall", "match"]

HALF = 0.5


def match(boxes: np.ndarray, truth: np.ndarray, *, least: float = HALF) -> np.ndarray:
    """(N,) for each box, best first, the box of `truth` that it finds, or -1 (the rule of Pascal VOC)."""
    overlaps = compute_iou(boxes, truth)
    found = np.full(len(boxes), -1)
    for i in range(len(boxes) if len(truth) else 0):
        best = int(np.argmax(overlaps[i]))
        if overlaps[i, best] >= least:
            found[i] = best
            overlaps[:, best] = -1
    return found


def average_precision(fields: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """The area below precision against recall, made to fall (VOC 2010 and after); NaN without any truth.

    fields: boxes (best first), scores and true boxes of one kind in each field.
    """
    n_true = sum(len(truth) for _, _, truth in fields)
    if not n_true:
        return float("nan")
    scores = np.concatenate([scores for _, scores, _ in fields])
    right = np.concatenate([match(boxes, truth) >= 0 for boxes, _, truth in fields])
    right = right[np.argsort(-scores, kind="stable")]
    hits = right.cumsum()
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((precision * right).sum() / n_true)


@dataclass(frozen=True)
class Score:
    """What was found of the cells of one kind in some fields."""

    n_fields: int
    n_true: int
    n_found: int
    n_false: int

    @property
    def recall(self) -> float:
        return self.n_found / max(self.n_true, 1)

    @property
    def false_per_field(self) -> float:
        return self.n_false / max(self.n_fields, 1)


def compute_recall(
    fields: Sequence[tuple[np.ndarray, np.ndarray]], sizes: Sequence[tuple[int, int]], *, least: float = 0.3
) -> Score:
    """Cells found and false alarms, from the boxes found and the true ones of each field.

    Where the box lies matters less here than that the cell is found: an overlap of `least` is enough. What
    the edge cuts is neither asked for nor an alarm.
    """
    n_true = n_found = n_false = 0
    for (boxes, truth), size in zip(fields, sizes, strict=True):
        found = match(boxes, truth, least=least)
        asked = ~touches_edge(truth, size, margin=EDGE * min(size))
        n_true += int(asked.sum())
        n_found += int(asked[found[found >= 0]].sum())
        n_false += int(((found < 0) & ~touches_edge(boxes, size, margin=EDGE * min(size))).sum())
    return Score(len(fields), n_true, n_found, n_false)


EDGE = 0.005  # how near to the edge a box is cut, as a share of the shorter side
