"""Whole fields without a detector: a classifier that finds what a test says, everywhere alike.

How cells are really found is for the tests in detection/ and inference/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from blood_lib.bundle import DetectedClass, DetectorInfo
from blood_lib.detection.found import Found, Kind
from blood_lib.detection.ruler import Ruler
from blood_lib.detection.upload_scale import OWN, UNKNOWN, Scale
from blood_lib.files.reasons import Reason
from blood_lib.images import load_image
from blood_lib.inference import Classifier, Result
from blood_lib.inference.results import FieldReading
from tests.tools.fixtures_bundle import COLOURS, encode

CELLS = ((20, 30, 60, 60), (120, 40, 60, 60))  # x, y, width, height of the squares that are found in a field
RED, PLATELET = (80, 100, 30, 30), (10, 110, 8, 8)
CUT = (180, 90, 20, 40)
SIZE = (200, 150)
DIAMETER = 30.0
CLASSES = (
    DetectedClass("large", {"en": "large one"}, {"en": "large ones"}, "named", "#7b3fa0", 0.4),
    DetectedClass("round", {"en": "round one"}, {"en": "round ones"}, "ruler", "#c0392b", 0.4),
    DetectedClass("small", {"en": "small one"}, {"en": "small ones"}, "counted", "#1f8a70", 0.4),
)


def draw_field(colours: Sequence[str] = ("red", "blue"), size: tuple[int, int] = SIZE) -> bytes:
    """A grey PNG with a square for each of these colours where CELLS says."""
    image = Image.new("RGB", size, "#cccccc")
    for colour, (x, y, width, height) in zip(colours, CELLS, strict=False):
        image.paste(COLOURS[colour], (x, y, x + width, y + height))
    return encode(image)


def read(name: str, n: int = 2, *, size: tuple[int, int] = SIZE, scaled: bool = True) -> FieldReading:
    """A field with the first n of CELLS, a ruler, a counted cell, and a named one that the edge cuts."""
    kinds = [Kind(info.name, info.role) for info in CLASSES]
    sides = np.array([*CELLS[:n], RED, PLATELET, CUT], np.float32)
    boxes = np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:]], 1)
    which = np.array([*[0] * n, 1, 2, 0])
    is_cut = np.array([False] * (n + 2) + [True])
    found = Found(
        size,
        kinds,
        boxes,
        which,
        np.full(len(boxes), 0.9, np.float32),
        is_cut,
        Ruler(DIAMETER, np.float32(2), np.int64(8)),
    )
    return FieldReading(name, found, Scale(DIAMETER, OWN) if scaled else Scale(None, UNKNOWN))


class Finder:
    """A classifier to which files named `field...` are fields; "empty" in the name: without a cell."""

    def __init__(self, classifier: Classifier):
        info = DetectorInfo(28, CLASSES)
        how = replace(classifier.bundle.preprocessing, window=3.0)
        self._classifier = classifier
        self.bundle = replace(classifier.bundle, detector=info, preprocessing=how)
        self.asked: list[dict[str, Any]] = []  # the options of each call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)

    def classify(self, files: Iterable, **options: Any) -> Iterator[Result]:
        self.asked.append(options)
        for name, content in files:
            if not name.startswith("field"):
                yield from self._classifier.classify([(name, content)])
                continue
            field = read(name, 0 if "empty" in name else 2, scaled="unscaled" not in name)
            yield from self.classify_boxes(content, CELLS[: field.counts["large"]], field)
            if not field.counts["large"]:
                yield Result(name, "rejected", Reason("no_cell"), field=field)

    def classify_boxes(
        self, source: bytes, boxes: Sequence, field: FieldReading, *, first: int = 1
    ) -> list[Result]:
        image = load_image(source)
        return [self._name(image, box, field, n) for n, box in enumerate(boxes, first)]

    def _name(self, image: Image.Image, box: tuple, field: FieldReading, n: int) -> Result:
        x, y, width, height = box
        (result,) = self._classifier.classify([image.crop((x, y, x + width, y + height))])
        middle_x, middle_y = (np.float32(low + side / 2) for low, side in ((x, width), (y, height)))
        half = 1.5 * DIAMETER
        window = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
        um = field.scale.um_per_pixel
        wide = None if um is None else float(np.sqrt(width * height)) * um
        return replace(result, name=field.name, cell=n, box=box, window=window, diameter_um=wide, field=field)


@pytest.fixture
def finder(tiny_classifier: Classifier) -> Finder:
    return Finder(tiny_classifier)
