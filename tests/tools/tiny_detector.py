"""A detector for tests, drawn up by hand: it finds blue discs and red ones on white, at one scale.

Discs as wide as a red cell are red ones, discs 1.8 times as wide are blue. What real detectors find is for
the study.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from blood_lib.bundle import Bundle, DetectedClass, DetectorInfo, Preprocessing
from tests.tools.fixtures_bundle import IMAGE_SIZE, build_tiny_atlas, build_tiny_onnx, save_tiny_bundle

RED_CELL = 28  # px in what the detector sees
BLUE = 1.8  # in red cells
CLASSES = (
    DetectedClass("blue_disc", {"en": "blue disc"}, {"en": "blue discs"}, "named", "#7b3fa0", 0.5),
    DetectedClass("red_disc", {"en": "red disc"}, {"en": "red discs"}, "ruler", "#c0392b", 0.5),
)


def draw_discs(
    n: int, *, red_cell: int = 30, size: tuple[int, int] = (640, 480), seed: int = 0
) -> Image.Image:
    """A field of `n` blue discs and a dozen red ones, far from each other and from the edge."""
    rng, image, step = np.random.default_rng(seed), Image.new("RGB", size, "white"), 3 * red_cell
    columns, rows = (range(step, side - step, step) for side in size)
    places = rng.permutation([(x, y) for y in rows for x in columns])
    for i, (x, y) in enumerate(places[: n + 12]):
        radius = red_cell / 2 * (BLUE if i < n else 1)
        colour = (40, 40, 200) if i < n else (220, 120, 120)
        ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


def save_finding_bundle(folder: Path) -> Bundle:
    """The tiny bundle with this detector."""
    rng = np.random.default_rng(0)
    files = {
        "model.onnx": build_tiny_onnx(rng),
        "atlas.npz": build_tiny_atlas(rng).to_bytes(),
        "detector.onnx": build_tiny_detector(),
    }
    how = Preprocessing(IMAGE_SIZE, 0.8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), window=3.0)
    info = DetectorInfo(RED_CELL, CLASSES)
    return save_tiny_bundle(folder, files=files, preprocessing=how, detector=info)


def build_tiny_detector() -> bytes:
    """Colour, then for each class a disc of positive weights in a ring of negative ones: size counts."""
    onnx = pytest.importorskip("onnx", reason="the tiny detector is drawn up with onnx")
    from onnx import TensorProto, helper, numpy_helper

    sides = (BLUE * RED_CELL, RED_CELL)
    colour = np.array([[-1, 0, 1], [1, 0, -1]], np.float32)[..., None, None] / [[[[100]]], [[[40]]]]
    shape = np.stack([_weigh(side / 2) for side in sides])[:, None]
    constants = {
        "colour": colour.astype(np.float32),
        "dark": np.array([-0.6, -1.5], np.float32),
        "shape": shape.astype(np.float32),
        "low": np.array(0, np.float32),
        "high": np.array(1, np.float32),
        "none": np.zeros((8, 2, 1, 1), np.float32),
        "sides": np.concatenate([[0, 0, *[np.log(side / 4)] * 2] for side in sides]).astype(np.float32),
    }
    pad = shape.shape[-1] // 2 - 2
    nodes = [
        helper.make_node("Conv", ["images", "colour", "dark"], ["shades"]),
        helper.make_node("Clip", ["shades", "low", "high"], ["seen"]),
        helper.make_node("Conv", ["seen", "shape"], ["found"], group=2, pads=[pad] * 4, strides=[4, 4]),
        helper.make_node("Clip", ["found", "low", "high"], ["heat"]),
        helper.make_node("Conv", ["heat", "none", "sides"], ["boxes"]),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, f"{name}_h", f"{name}_w"])
        for name, channels in (("images", 3), ("heat", 2), ("boxes", 8))
    ]
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "discs", values[:1], values[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _weigh(radius: float, side: int = 84) -> np.ndarray:
    """(side, side): a disc of this radius gives 1, one half or twice as wide next to nothing."""
    away = np.hypot(*np.meshgrid(*[np.arange(side) - (side - 1) / 2] * 2))
    inside, ring = away <= 0.85 * radius, (away >= 1.15 * radius) & (away <= 1.45 * radius)
    return inside / inside.sum() - ring / ring.sum()
