"""The slide: background, red cells, cells and platelets, laid over each other as layers of absorbed light.

A canvas is (height, width, 3) float32 of densities, drawn on in place; `develop` turns it into a photograph.
`layers` and `appearance` know what one cell looks like.
"""

import numpy as np
from PIL import Image, ImageFilter

from blood_lib.study.painter.appearance import SMALL_PLATELET, Appearance
from blood_lib.study.painter.brush import density, grid, light, noise, outline, smoothstep
from blood_lib.study.painter.layers import paint_cell

__all__ = ["Circle", "add_platelets", "add_red_cells", "build_canvas", "develop", "place_cell"]

BACKGROUND = (254, 228, 202)
RED_CELL = (204, 165, 166)

Circle = tuple[float, float, float]
"""x, y and radius in pixels."""


def build_canvas(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """An empty slide of `shape` (height, width), a little unevenly lit."""
    shade = noise(rng, shape, 140) * np.float32(0.004)
    return density(BACKGROUND) + shade[..., None]


def add_red_cells(
    rng: np.random.Generator, canvas: np.ndarray, keep_out: list[Circle], *, crowding: float
) -> list[Circle]:
    """Scatter red cells, some overlapping each other; returns where they lie, in part beyond the canvas.

    keep_out: circles they may touch but not enter; crowding: how many are tried for 100 x 100 pixels.
    """
    height, width = canvas.shape[:2]
    size, pallor = rng.normal(34.5, 1.5), rng.uniform(0.35, 0.9)
    thick = np.zeros((height, width), np.float32)
    taken: list[Circle] = []
    for _ in range(int(crowding * height * width / 1e4)):
        x, y = rng.uniform(-30, width + 30), rng.uniform(-30, height + 30)
        radius = size * rng.normal(1, 0.06)
        overlap = 0.5 if rng.random() < 0.15 else 0.97
        if _is_free((x, y, radius), keep_out) and _is_free((x, y, radius), taken, overlap):
            taken.append((x, y, radius))
            _add_red_cell(rng, thick, taken[-1], float(np.clip(pallor + rng.normal(0, 0.12), 0, 0.9)))
    thick = np.minimum(thick, 0.7 + 0.3 * thick) * (1 + 0.03 * noise(rng, thick.shape, 30))
    colour = np.array(RED_CELL) + rng.normal(0, 3) + rng.normal(0, 1.5, 3)
    canvas += thick[..., None] * (density(colour) - density(BACKGROUND))
    return taken


def add_platelets(rng: np.random.Generator, canvas: np.ndarray, keep_out: list[Circle]) -> list[Circle]:
    """Scatter a few small platelets, outside the circles `keep_out`; returns where they lie."""
    height, width = canvas.shape[:2]
    placed = []
    for _ in range(rng.poisson(1.2 * height * width / 130_000)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        diameter = rng.uniform(*SMALL_PLATELET.diameter)
        if _is_free((x, y, diameter), keep_out):
            placed.append((x, y, diameter / 2))
            place_cell(rng, canvas, SMALL_PLATELET, placed[-1])
    return placed


def place_cell(rng: np.random.Generator, canvas: np.ndarray, appearance: Appearance, circle: Circle) -> None:
    """Draw one cell of this appearance where `circle` says."""
    x, y, radius = circle
    body, cover = paint_cell(rng, appearance, radius)
    under, inside = _window(canvas, len(body), x, y)
    under += (body[inside] - under) * cover[inside]


def develop(rng: np.random.Generator, canvas: np.ndarray, *, stain: float = 1.0) -> Image.Image:
    """The photograph of a canvas: RGB, with a camera's blur, sharpening and grain; stain: about 1."""
    picture = light((canvas - density(BACKGROUND)) * stain + density(BACKGROUND))
    picture += 0.8 * noise(rng, canvas.shape[:2], 1.6)[..., None]
    image = Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 1.2)))
    return image.filter(ImageFilter.UnsharpMask(radius=3, percent=60, threshold=0))


def _is_free(circle: Circle, others: list[Circle], share: float = 1.0) -> bool:
    """Whether the circle's centre is at least `share` of the two radii away from each of the others."""
    x, y, radius = circle
    return all(np.hypot(x - a, y - b) >= share * (radius + r) for a, b, r in others)


def _add_red_cell(rng: np.random.Generator, thick: np.ndarray, circle: Circle, pallor: float) -> None:
    """Lay one red cell, a disc with a hollow, on the map of thickness (height, width)."""
    centre_x, centre_y, radius = circle
    x, y = grid(int(2.6 * radius))
    under, inside = _window(thick, len(x), centre_x, centre_y)
    x, y = x + 1.5 * noise(rng, x.shape, 25), y + 1.5 * noise(rng, x.shape, 25)
    stretch = 1 + min(rng.exponential(0.08), 0.5)
    depth = outline(rng, x, y, radius, stretch=stretch, lumps=rng.uniform(0.006, 0.02))
    away = 1 - depth / radius
    hollow = pallor * smoothstep((rng.uniform(0.55, 0.75) - away) / 0.42)
    rim = 0.10 * np.exp(-(((away - 0.8) / 0.18) ** 2))
    under += (smoothstep(depth / 3 + 0.5) * (1 + rim - hollow) * rng.uniform(0.85, 1.15))[inside]


def _window(canvas: np.ndarray, side: int, x: float, y: float) -> tuple[np.ndarray, tuple[slice, slice]]:
    """The part of the canvas under a square patch around (x, y), and which part of the patch that is."""
    left, top = round(x - side / 2), round(y - side / 2)
    height, width = canvas.shape[:2]
    columns = slice(min(max(left, 0), width), min(max(left + side, 0), width))
    rows = slice(min(max(top, 0), height), min(max(top + side, 0), height))
    inside = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    return canvas[rows, columns], inside
