"""Drawn cells: repeatable, varied, true to size and stain, and named by the shipped bundle as drawn."""

import itertools
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from blood_lib.bundle import SHIPPED
from blood_lib.images import load_image
from blood_lib.study.cells import CELL_TYPES, subtype_of
from blood_lib.study.painter import (
    draw_cell,
    draw_cells,
    draw_field,
    draw_sheet,
    draw_smear,
    save_dataset,
    save_examples,
)
from blood_lib.study.painter.__main__ import main
from blood_lib.study.painter.appearance import APPEARANCES

NAMES = [cell_type.name for cell_type in CELL_TYPES]


def pixels(image: Image.Image) -> np.ndarray:
    """(height, width, 3) int."""
    return np.asarray(image).astype(int)


def stained(image: Image.Image) -> np.ndarray:
    """Where nuclei and granules are, (height, width) bool: no redder than blue, unlike a red cell."""
    return pixels(image)[..., 0] - pixels(image)[..., 2] < 10


def middle(values: np.ndarray, part: float = 0.5) -> np.ndarray:
    """The middle part of an image or map."""
    height, width = values.shape[:2]
    y, x = int(height * (1 - part) / 2), int(width * (1 - part) / 2)
    return values[y : height - y, x : width - x]


def width_of(cell_type: str, n: int = 4) -> float:
    """Mean diameter in pixels of the stained cell in the middle, from its area."""
    areas = [middle(stained(draw_cell(cell_type, seed=seed))).sum() for seed in range(n)]
    return float(np.mean(np.sqrt(np.array(areas) * 4 / np.pi)))


@pytest.fixture(scope="module")
def cells() -> dict[str, list[Image.Image]]:
    """Three drawn cells of each type."""
    drawn: dict[str, list[Image.Image]] = {name: [] for name in NAMES}
    for name, image in draw_cells(per_type=3, seed=1):
        drawn[name].append(image)
    return drawn


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_draws_the_same_cell(name):
    assert draw_cell(name, seed=5).tobytes() == draw_cell(name, seed=5).tobytes()


def test_no_two_seeds_and_no_two_types_draw_the_same(cells):
    images = [image.tobytes() for drawn in cells.values() for image in drawn]
    assert len(set(images)) == len(images) == 24


def test_a_cell_comes_in_the_frame_of_the_dataset_at_any_size():
    assert draw_cell("platelet", seed=0).size == (360, 363)
    assert draw_cell("platelet", seed=0).mode == "RGB"
    assert draw_cell("platelet", size=32, seed=0).size == (32, 32)
    assert draw_cell("platelet", size=720, seed=0).size == (720, 726)


def test_a_small_cell_is_the_large_one_made_smaller():
    small, large = draw_cell("monocyte", size=90, seed=2), draw_cell("monocyte", seed=2)
    assert np.abs(pixels(small) - pixels(large.resize(small.size))).mean() < 4


@pytest.mark.parametrize("name", NAMES)
def test_the_cell_is_darker_than_the_slide_and_lies_in_its_middle(cells, name):
    for image in cells[name]:
        grey = pixels(image).mean(-1)
        assert np.percentile(grey, 90) > 215
        assert middle(grey, 0.08).mean() < 0.7 * np.percentile(grey, 90)


@pytest.mark.parametrize("name", NAMES)
def test_the_slide_is_beige_and_nuclei_and_granules_are_violet(cells, name):
    for image in cells[name]:
        colours = pixels(image)
        slide = np.median(colours[colours.mean(-1) > 215], axis=0)
        stain = np.median(colours[stained(image)], axis=0)
        assert slide[0] > slide[1] > slide[2] > 180
        assert stain[1] < stain[0] < stain[2]


def test_drawn_sizes_go_from_platelet_to_immature_granulocyte():
    diameters = [width_of(name) for name in ("platelet", "lymphocyte", "immature granulocyte")]
    assert all(1.1 * small < large for small, large in itertools.pairwise(diameters))


def test_the_table_orders_cells_by_size_as_textbooks_do():
    names = ["platelet", "erythroblast", "lymphocyte", "segmented neutrophil", "myelocyte", "promyelocyte"]
    diameters = [sum(APPEARANCES[name].diameter) / 2 for name in names]
    assert diameters == sorted(diameters)
    assert sum(APPEARANCES["monocyte"].diameter) / 2 > diameters[-2]


def test_eosinophil_granules_are_redder_than_any_others(cells):
    def redness(image: Image.Image) -> float:
        red, green, _ = np.moveaxis(middle(pixels(image), 0.3), -1, 0)
        return np.percentile(red - green, 60)

    mean = {name: np.mean([redness(image) for image in drawn]) for name, drawn in cells.items()}
    assert max(mean, key=mean.get) == "eosinophil"


def test_a_basophil_is_the_darkest_of_the_granulocytes(cells):
    grey = {name: np.mean([middle(pixels(i), 0.25).mean() for i in drawn]) for name, drawn in cells.items()}
    assert grey["basophil"] < min(grey["eosinophil"], grey["neutrophil"], grey["immature granulocyte"])


def test_subtypes_differ_and_unknown_ones_are_refused():
    kinds = [draw_cell("neutrophil", seed=3, subtype=f"{kind} neutrophil") for kind in ("band", "segmented")]
    assert kinds[0].tobytes() != kinds[1].tobytes()
    with pytest.raises(
        ValueError, match="'neutrophil' has no subtype 'myelocyte'; choose one of band neutrophil"
    ):
        draw_cell("neutrophil", seed=3, subtype="myelocyte")
    with pytest.raises(KeyError, match="'blast'"):
        draw_cell("blast", seed=3)


def test_a_field_shows_each_cell_where_it_says():
    image, circles = draw_field(NAMES, width=900, height=700, seed=4)
    assert image.size == (900, 700)
    assert len(circles) == len(NAMES)
    for (x, y, r), (a, b, s) in itertools.combinations(circles, 2):
        assert np.hypot(x - a, y - b) > r + s
    for x, y, radius in circles:
        assert 0 <= x - radius < x + radius <= 900
        inside = image.crop(
            (int(x - radius / 2), int(y - radius / 2), int(x + radius / 2), int(y + radius / 2))
        )
        assert pixels(inside).mean() < 165


def test_a_smear_says_where_everything_lies_at_any_scale():
    coarse, fine = (draw_smear(["monocyte"], width=w, height=h, red_cell=d, seed=5) for w, h, d in SCALES)
    assert coarse.image.size == (320, 240) and fine.image.size == (640, 480)
    for group in ("cells", "red_cells", "platelets"):
        a, b = np.array(getattr(coarse, group)), np.array(getattr(fine, group))
        assert len(a) and b == pytest.approx(2 * a)
    assert np.median(np.array(fine.red_cells)[:, 2]) == pytest.approx(30, rel=0.1)
    for x, y, radius in fine.platelets:
        if radius < min(x, y, 640 - x, 480 - y):
            around = pixels(fine.image)[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3]
            assert around[..., 0].mean() < 180, "a platelet absorbs red light, a red cell hardly does"


SCALES = ((320, 240, 30.0), (640, 480, 60.0))


def test_a_field_that_is_too_small_says_so():
    with pytest.raises(ValueError, match="8 cells do not fit in 300 x 300 pixels"):
        draw_field(NAMES, width=300, height=300, seed=0)


def test_examples_are_small_named_after_their_type_and_repeatable(tmp_path):
    paths = save_examples(tmp_path / "examples", per_type=3, seed=7)
    assert [path.name for path in paths[:4]] == [
        "basophil_1.jpg", "basophil_2.jpg", "basophil_3.jpg", "eosinophil_1.jpg",
    ]  # fmt: skip
    assert len(paths) == 24
    assert sum(path.stat().st_size for path in paths) < 1_500_000
    assert all(isinstance(load_image(path), Image.Image) for path in paths)
    again = save_examples(tmp_path / "again", per_type=1, seed=7)
    assert again[0].read_bytes() == paths[0].read_bytes()


def test_a_drawn_dataset_is_laid_out_as_the_published_one(tmp_path):
    paths = save_dataset(tmp_path, per_type=2, size=48, seed=0)
    assert {path.parent.name for path in paths} == {cell_type.folder for cell_type in CELL_TYPES}
    assert Counter(path.parent.name for path in paths).most_common(1)[0][1] == 2
    assert len({path.read_bytes() for path in paths}) == 16
    subtypes = [subtype_of(path.name) for path in paths if path.parent.name == "ig"]
    assert subtypes == ["metamyelocyte", "myelocyte"]
    assert load_image(paths[0]).size == (48, 48)


def test_the_sheet_has_a_row_for_each_type(tmp_path):
    assert main([str(tmp_path / "sheet.png"), "--columns", "1", "--size", "40"]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (40, 320)
        assert sheet.tobytes() != draw_sheet(columns=1, size=40, seed=2).tobytes()


@pytest.mark.slow
def test_the_shipped_bundle_names_at_least_four_of_five_as_drawn():
    if not (SHIPPED / "bundle.json").is_file():
        pytest.skip("no shipped bundle to name the drawn cells")
    from blood_lib.inference import Classifier

    classifier = Classifier.load()
    for name in NAMES:
        images = [draw_cell(name, seed=10_000 + seed) for seed in range(25)]
        predictions = classifier.predict(images)
        right = predictions.probs.argmax(1) == classifier.class_names.index(name)
        strange = [status == "unfamiliar" for status in predictions.status]
        assert right.mean() >= 0.8, f"{name}: {right.sum()} of 25"
        assert np.mean(strange) < 0.5, f"{name}: {sum(strange)} of 25 unfamiliar"
