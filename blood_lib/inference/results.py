"""What is said about images: the numbers of many as `Predictions`, the answer about one as `Result`.

How the numbers come about is for `classifier`; how they are written down for `table`.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from blood_lib.files.reasons import Reason

__all__ = ["Predictions", "Result", "explain", "heat_map"]


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
class Result:
    """The answer about one file; the fields after `reason` are None when the file was rejected."""

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
