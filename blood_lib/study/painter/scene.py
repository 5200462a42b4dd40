"""The slide: background, red cells, cells and platelets, laid over each other as layers of absorbed light.

A canvas is (height, width, 3) float32 of densities; `light` turns it into colours. Looks are in `looks`.
"""

import numpy as np
from PIL import Image, ImageFilter

from blood_lib.study.painter.brush import capsules, density, dots, grid, light, noise, outline, smoothstep
from blood_lib.study.painter.looks import PLATELET, Chromatin, Granules, Look
from blood_lib.study.painter.nuclei import build_nucleus

__all__ = ["add_debris", "add_red_cells", "build_canvas", "develop", "place_cell"]

BACKGROUND = (254, 228, 202)
RED_CELL = (203, 163, 166)


def build_canvas(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """An empty slide, unevenly lit by a little: (height, width, 3) float32."""
    shade = noise(rng, shape, 140.0) * np.float32(0.004)
    return density(BACKGROUND) + shade[..., None]


def _window(canvas: np.ndarray, side: int, centre: tuple[float, float]):
    """The part of the canvas under a square patch around `centre` (x, y), and the part of the patch inside it."""
    left, top = (round(c - side / 2) for c in centre)
    height, width = canvas.shape[:2]
    x0, x1, y0, y1 = max(left, 0), min(left + side, width), max(top, 0), min(top + side, height)
    x1, y1 = max(x0, x1), max(y0, y1)
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    return canvas[y0:y1, x0:x1], inside


def _add_red_cell(rng: np.random.Generator, canvas: np.ndarray, centre: tuple[float, float], radius: float, pallor: float):
    side = int(2.5 * radius)
    under, inside = _window(canvas, side, centre)
    if not under.size:
        return
    x, y = grid(side)
    depth = outline(rng, x, y, radius, stretch=1 + rng.exponential(0.10), lumps=rng.choice([0.012, 0.03]))
    hollow = pallor * smoothstep(1.15 - (radius - depth) / (0.62 * radius))
    edge = 0.12 * np.exp(-(((depth - 4) / 4) ** 2))
    thick = smoothstep(depth / 2.2 + 0.5) * (1 + edge - hollow + 0.12 * noise(rng, x.shape, radius))
    tint = density(RED_CELL) - density(BACKGROUND)
    under += (thick[inside][..., None] * tint * rng.uniform(0.85, 1.15)).astype(np.float32)


def add_red_cells(
    rng: np.random.Generator, canvas: np.ndarray, keep_out: list[tuple[float, float, float]], *, crowding: float
) -> None:
    """Scatter red cells, drawn into `canvas` in place, some overlapping each other.

    keep_out: circles (x, y, radius) in pixels that they may touch but hardly enter; crowding: tries per 100 x 100 pixels.
    """
    height, width = canvas.shape[:2]
    size, pallor = rng.normal(35, 1.5), rng.uniform(0.25, 0.85)
    taken: list[tuple[float, float, float]] = []
    for _ in range(int(crowding * height * width / 1e4)):
        x, y = rng.uniform(-30, width + 30), rng.uniform(-30, height + 30)
        radius = size * rng.normal(1, 0.06)
        overlap = 0.55 if rng.random() < 0.12 else 0.97
        if any(np.hypot(x - a, y - b) < 0.99 * (radius + r) for a, b, r in keep_out):
            continue
        if any(np.hypot(x - a, y - b) < overlap * (radius + r) for a, b, r in taken):
            continue
        taken.append((x, y, radius))
        _add_red_cell(rng, canvas, (x, y), radius, np.clip(pallor + rng.normal(0, 0.15), 0, 0.95))


def _between(rng: np.random.Generator, pair: tuple[float, float]) -> float:
    return float(rng.uniform(*pair))


def _paint_cytoplasm(rng: np.random.Generator, look: Look, depth: np.ndarray) -> np.ndarray:
    """Densities of a cell without nucleus and granules: (side, side, 3)."""
    patches = noise(rng, depth.shape, 4 * look.mottle) * 0.5 + noise(rng, depth.shape, look.mottle) * 0.35
    mix = smoothstep(0.5 + 0.45 * patches + rng.normal(0, 0.12))[..., None]
    pale, deep = (density(colour) for colour in look.cytoplasm)
    body = pale + (deep - pale) * mix
    grain = 1 + 0.05 * noise(rng, depth.shape, 2.2)[..., None]
    rim = 1 + look.rim * np.exp(-np.maximum(depth, 0) / 5)[..., None]
    return body * grain * rim


def _paint_chromatin(rng: np.random.Generator, chromatin: Chromatin, depth: np.ndarray) -> np.ndarray:
    """Densities of a nucleus: (side, side, 3); its border is dense."""
    field = noise(rng, depth.shape, chromatin.scale) + 0.4 * noise(rng, depth.shape, chromatin.scale / 2)
    if chromatin.lacy:
        field = -np.abs(field) + 0.3 * noise(rng, depth.shape, 3 * chromatin.scale)
    inside = field[depth > 0]
    limit = np.quantile(inside, 1 - chromatin.share) if inside.size else 0
    openness = smoothstep((field - limit) / 0.5 + 0.35) * smoothstep(depth / 5 - 0.3)
    dense, loose = density(chromatin.dense), density(chromatin.open)
    tone = rng.normal(1, 0.04) * (1 + 0.05 * noise(rng, depth.shape, 12)[..., None])
    return (dense + (loose - dense) * openness[..., None]) * tone


def _granule_layer(rng: np.random.Generator, granules: Granules, depth: np.ndarray, nucleus: np.ndarray) -> np.ndarray:
    """How much of each pixel granules cover: (side, side, 1) in [0, 1]."""
    share = _between(rng, granules.share)
    cover = dots(rng, len(depth), spacing=granules.spacing, radius=granules.radius, share=share)
    reach = 1.0 if granules.over_nucleus else 0.0
    cover = cover * smoothstep(depth / 2.5 + reach)
    if granules.patchy:
        field = noise(rng, depth.shape, 30)
        cover = cover * smoothstep((field + 2.2 - 2.2 * granules.patchy) / 1.0)
    if granules.over_nucleus:
        cover = cover * (1 - 0.35 * nucleus)
    return cover[..., None]


def _paint_vacuoles(rng: np.random.Generator, body: np.ndarray, radius: float, count: int) -> np.ndarray:
    """Bright round holes in the outer half of the cell."""
    x, y = grid(len(body))
    for _ in range(count):
        angle, away, size = rng.uniform(0, 6.3), radius * np.sqrt(rng.uniform(0.3, 0.8)), rng.gamma(4, 0.9)
        hole = smoothstep((size - np.hypot(x - away * np.cos(angle), y - away * np.sin(angle))) / 2 + 0.5)
        body = body * (1 - 0.8 * hole[..., None]) + 0.8 * hole[..., None] * density((236, 214, 208))
    return body


def _paint_cell(rng: np.random.Generator, look: Look, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A cell on a square patch: densities (side, side, 3) and how much of each pixel it covers (side, side, 1)."""
    side = int(2.7 * radius) + 8
    x, y = grid(side)
    x = x + look.ragged * noise(rng, x.shape, 7) + 2 * noise(rng, x.shape, 40)
    y = y + look.ragged * noise(rng, x.shape, 7) + 2 * noise(rng, x.shape, 40)
    depth = outline(rng, x, y, radius, stretch=1 + (look.stretch - 1) * rng.random(), lumps=look.lumps)
    body = _paint_cytoplasm(rng, look, depth)
    body = _paint_vacuoles(rng, body, radius, int(rng.integers(look.vacuoles[0], look.vacuoles[1] + 1)))
    nucleus = np.zeros_like(x)
    if look.nucleus and look.chromatin:
        segments = build_nucleus(rng, look.nucleus, radius=radius, size=_between(rng, look.nucleus_size))
        inner = np.minimum(capsules(x, y, segments), depth - 2.0)
        nucleus = smoothstep(inner / 2 + 0.5)
    for granules in (g for g in look.granules if not g.over_nucleus):
        cover = _granule_layer(rng, granules, depth, nucleus)
        body = body + (density(granules.colour) - body) * cover
    if look.nucleus and look.chromatin:
        body = body + (_paint_chromatin(rng, look.chromatin, inner) - body) * nucleus[..., None]
    for granules in (g for g in look.granules if g.over_nucleus):
        cover = _granule_layer(rng, granules, depth, nucleus)
        body = body + (density(granules.colour) - body) * cover
    return body * rng.normal(1, 0.025), smoothstep(depth / 2 + 0.5)[..., None]


def place_cell(
    rng: np.random.Generator, canvas: np.ndarray, look: Look, centre: tuple[float, float], diameter: float
) -> None:
    """Draw one cell of `look` and `diameter` pixels around `centre` (x, y) into `canvas`, in place."""
    body, cover = _paint_cell(rng, look, diameter / 2)
    under, inside = _window(canvas, len(body), centre)
    under += (body[inside] - under) * cover[inside]


def add_debris(rng: np.random.Generator, canvas: np.ndarray, keep_out: list[tuple[float, float, float]]) -> None:
    """Scatter a few small platelets between the cells, in place, outside the circles `keep_out` (x, y, radius)."""
    height, width = canvas.shape[:2]
    for _ in range(rng.poisson(1.2 * height * width / 130_000)):
        x, y, diameter = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(14, 26)
        if all(np.hypot(x - a, y - b) > r + diameter for a, b, r in keep_out):
            place_cell(rng, canvas, PLATELET, (x, y), diameter)


def develop(rng: np.random.Generator, canvas: np.ndarray, *, stain: float = 1.0) -> Image.Image:
    """The photograph of a canvas: RGB, with the camera's blur, sharpening and grain; stain: strength around 1."""
    picture = light((canvas - density(BACKGROUND)) * stain + density(BACKGROUND))
    picture += noise(rng, canvas.shape[:2], 1.6)[..., None] * 0.8
    image = Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))
    return image.filter(ImageFilter.UnsharpMask(radius=2.5, percent=45, threshold=0))
