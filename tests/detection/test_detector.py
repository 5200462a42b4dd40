"""Large fields are gone through in tiles that leave no cell out and find none twice."""

import numpy as np
import pytest
from PIL import Image

from blood_lib.detection.detector import MARGIN, TILE, Detector, _cut
from blood_lib.detection.found import Kind

KINDS = (Kind("a", "named"), Kind("b", "ruler"))


class DotDetector(Detector):
    """Finds each dark dot as a cell of 28 px; looks at pixels as the network would."""

    def __init__(self) -> None:
        self.kinds, self.diameter, self._ruler = KINDS, 28.0, 1
        self.looks: list[tuple[int, int]] = []

    def look(self, pixels: np.ndarray, *, lowest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.looks.append(pixels.shape[:2])
        dark = pixels[..., 0] < 128
        middles = [
            (x + 1.5, y + 1.5)
            for y, x in np.argwhere(dark)
            if not dark[max(y - 1, 0), x] and not dark[y, max(x - 1, 0)]
        ]
        middles = np.array(middles, float).reshape(-1, 2)
        boxes = np.concatenate([middles - 14, middles + 14], 1)
        return boxes, np.ones(len(boxes), int), np.full(len(boxes), 0.9)


def dotted(size: tuple[int, int], places: list[tuple[int, int]]) -> Image.Image:
    image = Image.new("RGB", size, "white")
    for x, y in places:
        image.paste((0, 0, 0), (x - 1, y - 1, x + 2, y + 2))
    return image


@pytest.mark.parametrize("length", [40, TILE, TILE + 1, 2 * TILE, 5000])
def test_tiles_cover_a_side_and_each_place_has_one_owner(length):
    pieces = _cut(length)
    assert pieces[0][0] == 0 and pieces[-1][1] == length
    for begin, end, first, last in pieces:
        assert end - begin <= TILE + 1
        assert first <= begin or first - begin >= MARGIN / 2 - 1
        assert last >= end or end - last >= MARGIN / 2 - 1
    assert all(a[3] == b[2] for a, b in zip(pieces, pieces[1:], strict=False))


def test_every_cell_of_a_large_field_is_found_once():
    places = [(x, y) for x in range(60, 1900, 92) for y in range(60, 1400, 83)]
    detector = DotDetector()
    found = detector(dotted((1950, 1450), places), diameter=28)
    assert len(detector.looks) == 9
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    assert len(found) == len(places)
    assert {tuple(place) for place in np.round(middles - 0.5).astype(int)} == set(places)


def test_boxes_are_in_the_image_s_own_pixels_and_the_edge_marks_cells():
    places = [(20, 300), (200, 300), (800, 300)]
    big = dotted((1000, 600), places).resize((2000, 1200), Image.Resampling.NEAREST)
    found = DotDetector()(big, diameter=56)
    order = np.argsort(found.boxes[:, 0])
    assert found.boxes[order, 2] - found.boxes[order, 0] == pytest.approx(56)
    assert found.is_cut[order].tolist() == [False, False, False]
    assert DotDetector()(dotted((1000, 600), [(14, 300)]), diameter=28).is_cut.all()


def test_a_field_without_cells_finds_none_and_has_no_ruler():
    found = DotDetector()(Image.new("RGB", (300, 200), "white"))
    assert len(found) == 0 and found.ruler is None


def test_what_other_fields_say_saves_the_search_where_it_holds():
    image = dotted((600, 400), [(x, y) for x in range(60, 560, 92) for y in range(60, 360, 83)])
    detector = DotDetector()
    assert detector(image, near=28).ruler.diameter == pytest.approx(28)
    assert len(detector.looks) == 1
    detector(Image.new("RGB", (300, 200), "white"), near=28)
    assert len(detector.looks) > 3


def test_a_picture_as_wide_as_those_of_one_cell_is_looked_at_once():
    places = [(x, y) for x in range(20, 130, 30) for y in range(20, 130, 30)]
    detector = DotDetector()
    assert detector(dotted((140, 140), places), crop_width=5).ruler.diameter == pytest.approx(28)
    assert len(detector.looks) == 1
    detector(Image.new("RGB", (360, 360), "white"), crop_width=5)
    assert len(detector.looks) > 3
