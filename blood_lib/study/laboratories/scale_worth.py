"""What the right scale is worth for naming: the same cells, seen in windows of several widths."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from blood_lib.counts import interval
from blood_lib.detection.windows import cut_window, window_of
from blood_lib.inference import Classifier
from blood_lib.study.detect.at_hand import NamedCell

__all__ = ["PUBLISHED", "compute_scale_worth"]

PUBLISHED = "as published"
_SIDE = 360  # of a picture, px


def compute_scale_worth(
    classifier: Classifier, cells: Sequence[NamedCell], widths: Iterable[float]
) -> pd.DataFrame:
    """A row per width in red cells, and one for the published crops where there are some: of n cells, how
    many get the right name, how many are ok, and how many of these are right.

    The name is chosen among all classes; each crop is seen as it is.
    """
    loaded = [cell.load() for cell in cells]
    truth = np.array([cell.cell_type for cell in cells])
    rows = []
    if crops := [crop for _, crop in loaded if crop is not None]:
        has_crop = np.array([crop is not None for _, crop in loaded])
        rows.append({"window": PUBLISHED, **_grade(classifier, crops, truth[has_crop])})
    for width in widths:
        pictures = [_cut(image, cell, width) for (image, _), cell in zip(loaded, cells, strict=True)]
        rows.append({"window": f"{width:g}", **_grade(classifier, pictures, truth)})
    return pd.DataFrame(rows)


def _cut(image: Image.Image, cell: NamedCell, width: float) -> Image.Image:
    window = window_of(cell.box, diameter=cell.field.diameter, width=width)
    return cut_window(image, window, size=min(_SIDE, max(32, round(window[2] - window[0]))))


def _grade(classifier: Classifier, pictures: Sequence[Image.Image], truth: np.ndarray) -> dict[str, float]:
    found = classifier.predict(pictures)
    right = np.array(classifier.class_names)[found.probs.argmax(1)] == truth
    is_ok = np.array(found.status) == "ok"
    low, high = interval(int(right.sum()), len(right))
    return {
        "cells": len(right),
        "accuracy": right.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "ok": is_ok.mean(),
        "accuracy of ok": right[is_ok].mean() if is_ok.any() else np.nan,
    }
