"""Below which focus and size no cell may be `ok`: from the validation split, as shares measured once.

The shares were chosen by `benchmarks.doubt.image_quality`: sharp cells of every laboratory stay above, and
blurred ones below.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.bundle import Bundle
from blood_lib.inference.focus import measure_focus
from blood_lib.study.train.loaders import load_views

__all__ = ["add_limits", "choose_limits"]

FOCUS_SHARE = 0.11
"""Of the validation split's median focus. The softest hundredth of BCCD's cells have 0.12 of it."""
SIDE_SHARE = 0.25
"""Of the side that the network sees: a smaller picture of a cell has lost what tells cells apart."""


def choose_limits(views: np.ndarray) -> dict[str, float]:
    """`focus` and `side` of the thresholds, from validation views (N, S, S, 3) uint8."""
    median = float(np.median([measure_focus(view) for view in views]))
    return {"focus": round(FOCUS_SHARE * median, 4), "side": SIDE_SHARE * views.shape[1]}


def add_limits(bundle: Bundle, root: Path, split: pd.DataFrame) -> Bundle:
    """`bundle` with limits from the validation images of `split`, whose files are in `root`."""
    how = bundle.preprocessing
    files = split[split["part"] == "valid"]["file"].tolist()
    limits = choose_limits(load_views(root, files, size=how.image_size, crop=how.crop))
    return bundle.change(files={}, thresholds=replace(bundle.thresholds, **limits))
