"""The painter's brushes, nuclei, layers and slide, each by itself."""

import numpy as np
import pytest

from blood_lib.study.painter.appearance import APPEARANCES, PLATELET
from blood_lib.study.painter.brush import capsules, density, dots, grid, light, noise, outline, smoothstep
from blood_lib.study.painter.layers import paint_cell
from blood_lib.study.painter.nuclei import SHAPES, build_nucleus
from blood_lib.study.painter.scene import (
    BACKGROUND,
    add_platelets,
    add_red_cells,
    build_canvas,
    develop,
    place_cell,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_light_is_what_density_leaves():
    assert light(density((254, 128, 1))) == pytest.approx([254, 128, 1], rel=1e-5)


def test_a_ramp_is_flat_outside_and_even_about_its_middle():
    assert smoothstep(np.array([-1, 0, 0.5, 1, 2])).tolist() == [0, 0, 0.5, 1, 1]
    x = np.linspace(0, 1, 11)
    assert smoothstep(x) + smoothstep(1 - x) == pytest.approx(np.ones(11))


def test_noise_has_unit_spread_and_bumps_of_its_scale(rng):
    fields = np.stack([noise(rng, (60, 80), 10) for _ in range(50)])
    assert fields.shape == (50, 60, 80) and fields.std() == pytest.approx(1, abs=0.15)
    steps = {gap: np.abs(fields[:, :, gap:] - fields[:, :, :-gap]).mean() for gap in (1, 20)}
    assert steps[1] < 0.25 * steps[20]


def test_an_even_outline_is_a_circle_and_a_stretched_one_keeps_its_area(rng):
    x, y = grid(201)
    assert outline(rng, x, y, 50, stretch=1, lumps=0) == pytest.approx(50 - np.hypot(x, y), abs=1e-3)
    body = outline(rng, x, y, 50, stretch=1.5, lumps=0) > 0
    assert body.sum() == pytest.approx(np.pi * 50**2, rel=0.01)
    assert body.any(axis=0).sum() != body.any(axis=1).sum()


def test_a_capsule_is_as_deep_as_its_segment_is_thick():
    x, y = grid(101)
    depth = capsules(x, y, [(-20, 0, 10, 20, 0, 10)], soft=1e-3)
    assert depth[50, [30, 50, 70]] == pytest.approx([10, 10, 10], abs=0.01)
    assert (depth > 0).sum() == pytest.approx(40 * 20 + np.pi * 10**2, rel=0.05)


def test_granules_fill_the_share_of_places_that_they_take(rng):
    cover = [dots(rng, 120, spacing=12, radius=(3, 3), share=share) for share in (0.0, 0.5, 1.0)]
    assert cover[0].max() == 0 and 0.5 < cover[2].max() <= 1
    assert cover[1].sum() == pytest.approx(cover[2].sum() / 2, rel=0.25)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_nucleus_of_any_shape_lies_in_its_cell_and_grows_with_it(shape):
    def reach(radius: float) -> float:
        found = build_nucleus(np.random.default_rng(1), shape, radius=radius, size=0.9)
        joints = np.array(found).reshape(-1, 3)
        return float((np.hypot(*joints[:, :2].T) + joints[:, 2]).max())

    assert 20 < reach(50) <= 50
    assert reach(100) == pytest.approx(2 * reach(50))


def test_a_cell_covers_its_disc_and_is_darkest_where_its_nucleus_is(rng):
    body, cover = paint_cell(rng, APPEARANCES["erythroblast"], 40)
    assert body.shape == (*cover.shape[:2], 3) and cover.min() >= 0 and cover.max() == 1
    assert cover.sum() == pytest.approx(np.pi * 40**2, rel=0.15)
    away = np.hypot(*grid(len(body)))
    assert body[away < 10].mean() > 1.3 * body[(away > 37) & (away < 39)].mean()


def test_what_is_placed_over_the_edge_is_cut_off(rng):
    canvas = build_canvas(rng, (80, 100))
    before = canvas.copy()
    place_cell(rng, canvas, PLATELET, (0, 0, 20))
    changed = np.abs(canvas - before).sum(axis=2) > 1e-4
    assert changed[0, 0] and not changed[40:].any() and not changed[:, 45:].any()
    place_cell(rng, canvas, PLATELET, (500, 500, 20))  # off the slide: nothing to draw on


@pytest.mark.parametrize("add", [add_platelets, lambda *args: add_red_cells(*args, crowding=30)])
def test_what_is_scattered_keeps_out_of_where_a_cell_will_lie(add, rng):
    canvas = build_canvas(rng, (300, 300))
    before = canvas.copy()
    for _ in range(8):
        add(rng, canvas, [(150, 150, 60)])
    x, y = grid(300)
    changed = np.abs(canvas - before).sum(axis=2) > 0.05
    assert changed.any()
    assert changed[np.hypot(x, y) < 50].mean() < 0.02


def test_an_empty_slide_is_developed_in_its_own_colour(rng):
    image = develop(rng, build_canvas(rng, (60, 90)))
    assert image.mode == "RGB" and image.size == (90, 60)
    assert np.asarray(image).mean(axis=(0, 1)) == pytest.approx(BACKGROUND, abs=3)


def test_a_stronger_stain_is_darker_and_leaves_the_slide_as_it_is():
    def draw(stain: float) -> np.ndarray:
        rng = np.random.default_rng(2)
        canvas = build_canvas(rng, (100, 100))
        place_cell(rng, canvas, APPEARANCES["lymphocyte"], (50, 50, 25))
        return np.asarray(develop(rng, canvas, stain=stain)).astype(float)

    weak, strong = draw(0.8), draw(1.2)
    assert strong[40:60, 40:60].mean() < weak[40:60, 40:60].mean() - 10
    assert np.abs(strong[:10, :10] - weak[:10, :10]).mean() < 3
