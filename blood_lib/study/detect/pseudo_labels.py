"""Pseudo-labels: what an earlier detector finds where a training field's laboratory boxed no such cell.

So red cells of laboratories that boxed white cells alone are learned, too (self-training). The earlier
detector misjudges how wide they are where photographs are blurred: its boxes are scaled so that their median
is the laboratory's known diameter. What it is unsure of is neither cell nor none.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.detection.boxes import centres_of, compute_iou, diameters_of
from blood_lib.detection.detector import Detector
from blood_lib.study.detect.fields import CROPS, KINDS, RED, Field, load_field_image

__all__ = [
    "LEAST",
    "SURE",
    "add_pseudo_labels",
    "find_pseudo_labels",
    "hash_pseudo_labels",
    "load_pseudo_labels",
]

LEAST, SURE = 0.1, 0.4
"""Scores: below the first there is no cell, from the second there is one."""

_KNOWN = 1.0  # the score of what is known beforehand
_SAME = 0.3  # the overlap with a laboratory's own box up to which a box is another cell


def find_pseudo_labels(fields: Sequence[Field], detector: Detector) -> pd.DataFrame:
    """file (its folder and name), left, top, right, bottom, kind, score of all cells in `fields`.

    The detector is one that finds cells from the score `LEAST` on.
    """
    rows = []
    for field in fields:
        found = detector(load_field_image(field), diameter=field.diameter)
        boxes = _rescale(found.boxes, found.which, found.scores, field)
        rows += [
            (_key(field.file), *box, KINDS[kind], score)
            for box, kind, score in zip(
                boxes.round(1).tolist(), found.which, found.scores.round(3), strict=True
            )
        ]
    return pd.DataFrame(rows, columns=["file", "left", "top", "right", "bottom", "kind", "score"])


def _key(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _rescale(boxes: np.ndarray, which: np.ndarray, scores: np.ndarray, field: Field) -> np.ndarray:
    """Red cells' boxes about their own middles, as wide as the laboratory's are; the others as they are."""
    sure = (which == RED) & (scores >= SURE)
    if not sure.any():
        return boxes
    factor = field.diameter / np.median(diameters_of(boxes[sure]))
    middles = np.tile(centres_of(boxes), 2)
    return np.where((which == RED)[:, None], middles + (boxes - middles) * factor, boxes)


def load_pseudo_labels(file: Path) -> pd.DataFrame:
    """The table that `find_pseudo_labels` made, from its CSV."""
    return pd.read_csv(file)


def hash_pseudo_labels(file: Path) -> str:
    """sha256 of the CSV, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def add_pseudo_labels(fields: Sequence[Field], labels: pd.DataFrame) -> list[Field]:
    """The fields with the pseudo-labels' boxes for each kind of which their own are not complete."""
    groups = {str(name): rows for name, rows in labels.groupby("file")}
    return [
        _add(field, groups[_key(field.file)]) if _key(field.file) in groups else field for field in fields
    ]


def _add(field: Field, rows: pd.DataFrame) -> Field:
    boxes = rows[["left", "top", "right", "bottom"]].to_numpy(np.float32)
    kinds, scores = rows["kind"].map(KINDS.index).to_numpy(), rows["score"].to_numpy()
    if field.laboratory == "crops":
        kinds, scores = _name_middle(field, boxes, kinds, scores)
        if not (scores == _KNOWN).any():
            return field
    new = ~np.isin(kinds, field.boxed)
    for kind in range(len(KINDS)):
        own = field.of_kind(kind)
        new &= ~((kinds == kind) & (compute_iou(boxes, own).max(1, initial=0) > _SAME))
    return replace(
        field,
        boxes=np.concatenate([field.boxes, boxes[new]]),
        kinds=np.concatenate([field.kinds, kinds[new]]),
        doubtful=np.concatenate([field.doubts, scores[new] < SURE]),
        boxed=tuple(range(len(KINDS))),
    )


def _name_middle(
    field: Field, boxes: np.ndarray, kinds: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The crop's one cell, in its middle, is surely of the folder's kind; other kinds there are in doubt."""
    kind = CROPS[field.file.parent.name]
    size = np.array(load_field_image(field).size)
    central = (np.abs(centres_of(boxes) / size - 0.5) < 0.12).all(1)
    kinds, scores = kinds.copy(), scores.copy()
    scores[central & (kinds != RED) & (kinds != kind)] = 0
    right = np.flatnonzero(central & (kinds == kind))
    if len(right):
        scores[right[np.argmax(scores[right])]] = _KNOWN
    return kinds, scores
