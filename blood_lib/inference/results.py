"""What is said about images: the numbers of many as `Predictions`, the answer about one as `Result`.

How the numbers come about is for `classifier`; how they are written down for `table`.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image

from blood_lib.bundle import NAMED, Thresholds
from blood_lib.detection.found import Found
from blood_lib.detection.upload_scale import UNKNOWN, Scale
from blood_lib.files.reasons import Reason

__all__ = ["Box", "FieldReading", "Predictions", "Result", "explain", "find_fault", "heat_map"]

Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the network says about N images: C classes, D features, maps of h x w.

    Where a doubtful image was seen in several views, `features` are their mean, and all follows from that
    but `cams`, which are of the first one.
    """

    probs: np.ndarray  # (N, C) float32, calibrated, each row sums to 1
    features: np.ndarray  # (N, D) float32, penultimate activations
    cams: np.ndarray  # (N, C, h, w) float32, class activation maps: sum_d w[c, d] * maps[d], any sign
    ood_score: np.ndarray  # (N,) float32, the higher the less familiar, see Atlas.ood_score
    status: list[str]  # N of ANSWERED, see `files.reasons`
    subtype_probs: np.ndarray | None = None  # (N, S) float32, calibrated; None where the bundle tells none

    def __len__(self) -> int:
        return len(self.probs)


@dataclass(frozen=True, eq=False)
class FieldReading:
    """What was found in one whole field, and at which scale."""

    name: str
    found: Found
    scale: Scale

    @property
    def counts(self) -> dict[str, int]:
        """Whole cells by the detector's class; those that the edge cuts are not counted."""
        whole = self.found.which[~self.found.is_cut]
        return {kind.name: int((whole == i).sum()) for i, kind in enumerate(self.found.kinds)}

    @property
    def n_cut(self) -> int:
        """Cells to name that the edge cuts."""
        return int((self.found.with_role(NAMED) & self.found.is_cut).sum())


@dataclass(frozen=True, eq=False)
class Result:
    """The answer about one cell, or about a file that was rejected: then what follows `reason` is None.

    A picture of one cell has no `cell`, `box` and `field`; in a field its cells are numbered.
    """

    name: str
    status: str  # one of STATUSES
    reason: Reason | None  # None when the status is "ok"
    label: str | None = None  # name of the most probable class
    confidence: float | None = None  # its calibrated probability
    probs: np.ndarray | None = None  # (C,)
    features: np.ndarray | None = None  # (D,)
    cams: np.ndarray | None = None  # (C, h, w); None too when only the features were seen
    ood_score: float | None = None
    subtype: str | None = None  # the most probable one; None too where the bundle tells none
    subtype_probs: np.ndarray | None = None  # (S,)
    cell: int | None = None  # 1, 2, ... in a field
    box: Box | None = None  # x, y, width and height in a field, in the file's own pixels, upright
    window: Box | None = None  # left, top, right and bottom of what was classified; None: the whole picture
    diameter_um: float | None = None  # None too where the scale is unknown
    field: FieldReading | None = None  # shared by all cells of a field
    focus: float = 1.0  # how sharp it is, see `focus.measure_focus`
    side: float = math.inf  # of what was classified, in the file's own pixels


def heat_map(cam: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A class activation map (h, w) as a picture of `size` (W, H): (H, W) float32 in [0, 1].

    What speaks against the class (negative) is 0, the rest is divided by its maximum, as in Grad-CAM
    (Selvaraju et al. 2017, eq. 2). It belongs over the crop that the network saw.
    """
    positive = Image.fromarray(np.maximum(cam, 0).astype(np.float32))
    heat = np.maximum(np.asarray(positive.resize(size, Image.Resampling.BILINEAR)), 0)
    return heat / max(float(heat.max()), 1e-12)


def explain(status: str, confidence: float, limit: float) -> Reason | None:
    """The reason for a status; its numbers are rounded apart, so that they never look alike."""
    if status == "ok":
        return None
    if status == "unfamiliar":
        return Reason("unfamiliar")
    down, up = np.floor(round(confidence * 1000, 6)), np.ceil(round(limit * 1000, 6))
    return Reason("uncertain", {"confidence": down / 1000, "limit": up / 1000})


def find_fault(limits: Thresholds, *, focus: float, side: float, scale: Scale | None = None) -> Reason | None:
    """What forbids that a cell is ok, however sure its name: size, focus, or the scale of its field."""
    if side < limits.side:
        return Reason("few_pixels", {"side": round(side), "limit": round(limits.side)})
    if focus < limits.focus:
        return Reason("out_of_focus")
    if scale is not None and scale.source == UNKNOWN:
        return Reason("no_scale")
    if scale is not None and scale.doubtful:
        return Reason("scale_doubtful")
    return None
