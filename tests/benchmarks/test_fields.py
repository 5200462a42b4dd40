"""The benchmark of fields counts what it says it counts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks.fields import make_round, measure_ruler, measure_white
from blood_lib.detection.found import Found
from blood_lib.study.detect.assessment import Shown
from blood_lib.study.detect.exporting import SERVED_KINDS
from blood_lib.study.detect.fields import RED, WHITE, Field

BOX = [40, 40, 60, 60]


def shown(boxes: list, *, scores: list[float], kinds: int = WHITE) -> Shown:
    """A field of 100 px with one white cell at BOX and red cells of 20 px, and what was found."""
    field = Field(Path("f"), "bccd", "valid", np.array([BOX], float), np.zeros(1, int), (0,), 20.0)
    n, found = len(boxes), np.array(boxes, float).reshape(-1, 4)
    cut, which = np.zeros(n, bool), np.full(n, kinds)
    return Shown(field, Found((100, 100), SERVED_KINDS, found, which, np.array(scores), cut, None))


def test_only_what_is_found_when_served_counts_as_found():
    sure, unsure = shown([BOX], scores=[0.9]), shown([BOX, [10, 10, 30, 30]], scores=[0.1, 0.05])
    assert measure_white([sure, unsure]).startswith("white cells 1 of 2 (50.0%")
    assert "false alarms 0 in 2 fields" in measure_white([sure, unsure])


def red_cells(diameter: float) -> list:
    """Six boxes that lie apart."""
    return [[x, y, x + diameter, y + diameter] for x in (5, 35, 65) for y in (10, 60)]


def test_the_ruler_of_what_is_found_when_served_is_held_against_that_of_the_boxes():
    fields = [
        shown([*red_cells(diameter), [5, 5, 80, 80]], scores=[0.9] * 6 + [0.1], kinds=RED)
        for diameter in (20.5, 21.5, 25)
    ]
    assert measure_ruler(fields) == (
        "ruler in 3 of 3 fields (100%): 1 within 5%, 2 within 10%, 2 within 15%; median ratio 1.075"
    )


def test_a_round_view_is_black_outside_and_knows_what_it_cuts():
    boxes = np.array([[290, 220, 350, 260], [10, 10, 60, 60], [600, 220, 630, 250]], float)
    image, whole = make_round(Image.new("RGB", (640, 480), "white"), boxes)
    assert whole.tolist() == [True, False, False]
    assert image.getpixel((0, 0))[0] < 10 and image.getpixel((320, 240)) == (255, 255, 255)
