"""The trained network as ONNX, with its batch normalisation folded and its weights in half precision.

What each kind of cell is for is told here, too: the core knows no kind by its name.
"""

import io
import warnings
from dataclasses import replace

import torch

from blood_lib.bundle import COUNTED, NAMED, RULER
from blood_lib.detection.detector import Detector
from blood_lib.detection.found import Kind
from blood_lib.study.detect.fields import KINDS
from blood_lib.study.detect.network import DetectorNetwork
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.export import store_as_float16

__all__ = ["MAX_BYTES", "SERVED_KINDS", "build_detector", "export_detector"]

MAX_BYTES = 2 * 10**6

SERVED_KINDS = tuple(
    Kind(name, role, lowest)
    for name, role, lowest in zip(KINDS, (NAMED, RULER, COUNTED), (0.35, 0.4, 0.4), strict=True)
)
"""What a bundle says of each kind, with the score from which it is found: chosen on validation fields."""


def export_detector(network: DetectorNetwork, *, half: bool = True) -> bytes:
    """images (N, 3, H, W), 0 to 255, sides multiples of 32 -> heat (N, K, h, w), boxes (N, 4 K, h, w)."""
    file, served = io.BytesIO(), _Served(network).eval()
    names = ["heat", "boxes"]
    with warnings.catch_warnings():  # the exporter that needs no further package says that it is deprecated
        warnings.simplefilter("ignore")
        torch.onnx.export(
            served,
            (torch.zeros(1, 3, 64, 64),),
            file,  # type: ignore[arg-type]  # the older exporter writes to files that are open, too
            dynamo=False,
            opset_version=17,
            input_names=["images"],
            output_names=names,
            dynamic_axes={name: {0: "N", 2: f"{name}_h", 3: f"{name}_w"} for name in ["images", *names]},
        )
    content = file.getvalue()
    return store_as_float16(content) if half else content


class _Served(torch.nn.Module):
    def __init__(self, network: DetectorNetwork):
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, maps = self.network(images)
        return logits.sigmoid(), maps


def build_detector(
    network: DetectorNetwork, recipe: DetectorRecipe, *, lowest: float | None = None, exact: bool = False
) -> Detector:
    """`network` as it will be served; `lowest`: the score from which every kind is found instead."""
    kinds = [kind if lowest is None else replace(kind, lowest=lowest) for kind in SERVED_KINDS]
    return Detector(export_detector(network), kinds, diameter=recipe.diameter, exact=exact)
