"""Corruptions do what their names say, harder with each severity, and errors stand beside AlexNet's."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pd = pytest.importorskip("pandas", reason="needs the extra `study`")
pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks import corruption
from benchmarks.corruption import ALEXNET, ALEXNET_CLEAN, balanced_error, compute_ratios
from benchmarks.tools.corruptions import CORRUPTIONS, N_SEVERITIES
from blood_lib.bundle import ClassInfo
from blood_lib.study.cells import by_name
from blood_lib.study.painter import draw_cell

SIZE = 224


@pytest.fixture(scope="module")
def cell() -> Image.Image:
    return draw_cell("monocyte", size=SIZE, seed=0)


def _corrupt(image: Image.Image, name: str, severity: int, seed: int = 0) -> np.ndarray:
    return np.asarray(CORRUPTIONS[name](image, severity, np.random.default_rng(seed)), float)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_hardest_severity_changes_more_than_the_mildest(cell: Image.Image, name: str) -> None:
    before = np.asarray(cell, float)
    change = [
        np.mean([np.abs(_corrupt(cell, name, severity, seed) - before).mean() for seed in range(8)])
        for severity in (0, N_SEVERITIES - 1)
    ]
    assert 0 < change[0] < change[1]
    assert np.asarray(cell, float).tolist() == before.tolist()  # the image itself is left alone
    assert _corrupt(cell, name, 2).shape == before.shape
    assert np.array_equal(_corrupt(cell, name, 2), _corrupt(cell, name, 2))


def _dot() -> Image.Image:
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[100, 100] = 255
    return Image.fromarray(pixels)


def test_a_dot_out_of_focus_is_a_disk() -> None:
    blurred = _corrupt(_dot(), "defocus_blur", 0)[..., 0]
    assert (blurred > 0).sum() == 13  # pixels within 2 of the middle
    assert blurred.max() == 255 // 13
    assert np.argwhere(blurred > 0).mean(axis=0) == pytest.approx([100, 100])


def test_a_moved_dot_is_a_line_that_fades_from_one_end() -> None:
    at = np.argwhere(_corrupt(_dot(), "motion_blur", 4)[..., 0] > 0)
    assert 15 <= len(at) <= 21
    assert np.linalg.matrix_rank(at - at.mean(axis=0), tol=4) == 1
    flat = Image.new("RGB", (50, 50), (10, 200, 30))
    assert np.abs(_corrupt(flat, "motion_blur", 4) - np.asarray(flat)).max() <= 1


def test_colour_grows_stronger_and_light_stays() -> None:
    strong = _corrupt(Image.new("RGB", (9, 9), (200, 100, 100)), "saturate", 1)
    assert strong[0, 0] == pytest.approx([200, 80, 80], abs=1)  # a saturation of 0.5 becomes 0.6


def test_marks_are_as_dense_on_larger_images() -> None:
    shares = []
    for side in (SIZE, 3 * SIZE):
        white = Image.new("RGB", (side, side), "white")
        shares.append(np.mean([(_corrupt(white, "stain_deposit", 3, s) == 0).mean() for s in range(30)]))
    assert shares[1] == pytest.approx(shares[0], rel=0.25)


def test_errors_are_divided_by_those_of_alexnet() -> None:
    target = np.array([0, 0, 0, 0, 1, 1])
    wrong = np.array([True, False, False, False, True, False])
    assert balanced_error(wrong, target) == pytest.approx((1 / 4 + 1 / 2) / 2)
    alexnet = np.tile(np.array(list(ALEXNET.values()))[:, None], 5)
    assert list(ALEXNET) == list(CORRUPTIONS)
    assert np.allclose(compute_ratios(ALEXNET_CLEAN, alexnet), 1)
    assert np.allclose(compute_ratios(0.0, alexnet / 2)[0], 0.5)
    assert np.mean(list(ALEXNET.values())) == pytest.approx(0.1125, abs=1e-4)  # as the paper's table says


def test_the_table_has_a_row_per_corruption(tiny_dataset: Path, tmp_path: Path, capsys) -> None:
    from tests.tools.fixtures_bundle import save_tiny_bundle

    names = ("immature granulocyte", "monocyte", "platelet")  # the tiny network tells three classes apart
    classes = [ClassInfo(name, dict(by_name(name).label), by_name(name).colour) for name in names]
    bundle = save_tiny_bundle(tmp_path / "bundle", classes=classes)
    out = tmp_path / "table.csv"
    corruption.main([str(tiny_dataset), "--bundle", str(bundle.path), "--max-images", "3", "--out", str(out)])
    table, said = pd.read_csv(out, index_col="corruption"), capsys.readouterr().out
    assert list(table.index) == list(CORRUPTIONS) and "mean BE" in said and "n = 3 images" in said
    assert table["mean"].to_numpy() == pytest.approx(table.iloc[:, :5].mean(axis=1).to_numpy(), abs=1e-4)
