"""One cell, layer by layer: cytoplasm, vacuoles, granules, nucleus, and the granules that cover it.

Everything is on a square patch of densities. `scene` lays the patch on the slide.
"""

from collections.abc import Iterable
from math import cos, pi, sin, sqrt

import numpy as np

from blood_lib.study.painter.appearance import Appearance, Chromatin, Granules
from blood_lib.study.painter.brush import capsules, density, dots, grid, noise, outline, smoothstep
from blood_lib.study.painter.nuclei import build_nucleus

__all__ = ["paint_cell"]

VACUOLE = (238, 218, 208)


def paint_cell(rng: np.random.Generator, style: Appearance, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A cell of `radius` pixels: densities (side, side, 3), and its share of each pixel (side, side, 1)."""
    x, y = grid(int(2.7 * radius) + 8)
    x, y = x + 0.03 * radius * noise(rng, x.shape, 30), y + 0.03 * radius * noise(rng, x.shape, 30)
    stretch = 1 + (style.stretch - 1) * rng.random()
    smooth = outline(rng, x, y, radius, stretch=stretch, lumps=style.lumps)
    depth = smooth + style.ragged * (noise(rng, x.shape, 9) + 0.6 * noise(rng, x.shape, 4))
    inner = _nucleus_depth(rng, style, x, y, smooth - 2.5, radius)
    nucleus = smoothstep(inner / 2 + 0.5)[..., None]

    body = _cytoplasm(rng, style, depth)
    body = _granulate(rng, body, (g for g in style.granules if not g.over_nucleus), depth, nucleus)
    body = _vacuoles(rng, body, radius, int(rng.integers(style.vacuoles[0], style.vacuoles[1] + 1)))
    if style.chromatin:
        body = body + (_nucleoplasm(rng, style.chromatin, inner) - body) * nucleus
    body = _granulate(rng, body, (g for g in style.granules if g.over_nucleus), depth, nucleus)
    return body * rng.normal(1, 0.025), smoothstep(depth / 2 + 0.5)[..., None]


def _nucleus_depth(
    rng: np.random.Generator,
    style: Appearance,
    x: np.ndarray,
    y: np.ndarray,
    within: np.ndarray,
    radius: float,
) -> np.ndarray:
    """Depth in pixels below the surface of the nucleus, at most `within`; negative everywhere without one."""
    if style.nucleus is None:
        return np.full_like(x, -9)
    segments = build_nucleus(rng, style.nucleus, radius=radius, size=rng.uniform(*style.nucleus_size))
    return np.minimum(capsules(x, y, segments) + style.folds * noise(rng, x.shape, 14), within)


def _cytoplasm(rng: np.random.Generator, style: Appearance, depth: np.ndarray) -> np.ndarray:
    patches = 0.5 * noise(rng, depth.shape, 4 * style.mottle) + 0.35 * noise(rng, depth.shape, style.mottle)
    mix = smoothstep(0.5 + 0.45 * patches + rng.normal(0, 0.12))[..., None]
    pale, deep = (density(colour) for colour in style.cytoplasm)
    grain = 1 + 0.05 * noise(rng, depth.shape, 2.2)
    rim = 1 + style.rim * np.exp(-np.maximum(depth, 0) / 5)
    return (pale + (deep - pale) * mix) * (grain * rim)[..., None]


def _vacuoles(rng: np.random.Generator, body: np.ndarray, radius: float, count: int) -> np.ndarray:
    """Bright round holes in the outer part of the cell."""
    x, y = grid(len(body))
    depth = np.full_like(x, -9)
    for _ in range(count):
        angle, away, size = rng.uniform(0, 2 * pi), radius * sqrt(rng.uniform(0.3, 0.8)), rng.gamma(4, 1.2)
        np.maximum(depth, size - np.hypot(x - away * cos(angle), y - away * sin(angle)), out=depth)
    return body + (density(VACUOLE) - body) * (0.9 * smoothstep(depth / 2 + 0.5))[..., None]


def _nucleoplasm(rng: np.random.Generator, chromatin: Chromatin, depth: np.ndarray) -> np.ndarray:
    """Dense chromatin with open parts in it, and a dense border."""
    field = noise(rng, depth.shape, chromatin.scale) + 0.4 * noise(rng, depth.shape, chromatin.scale / 2)
    if chromatin.lacy:
        field = 0.3 * field - np.abs(noise(rng, depth.shape, 1.5 * chromatin.scale))
    inside = field[depth > 0]
    limit = np.quantile(inside, 1 - chromatin.share) if inside.size else 0
    openness = smoothstep((field - limit) / 0.9 + 0.5) * smoothstep(depth / 5 - 0.2)
    dense, loose = density(chromatin.dense), density(chromatin.open)
    tone = rng.normal(1, 0.04) * (1 + 0.05 * noise(rng, depth.shape, 12))
    return (dense + (loose - dense) * openness[..., None]) * tone[..., None]


def _granulate(
    rng: np.random.Generator,
    body: np.ndarray,
    kinds: Iterable[Granules],
    depth: np.ndarray,
    nucleus: np.ndarray,
) -> np.ndarray:
    """The body with granules of each kind laid on it."""
    for granules in kinds:
        cover = _granule_cover(rng, granules, depth) * (1 - 0.35 * granules.over_nucleus * nucleus)
        body = body + (density(granules.colour) - body) * cover
    return body


def _granule_cover(rng: np.random.Generator, granules: Granules, depth: np.ndarray) -> np.ndarray:
    """How much of each pixel granules of one kind cover: (side, side, 1) in [0, 1]."""
    share = rng.uniform(*granules.share)
    cover = dots(rng, len(depth), spacing=granules.spacing, radius=granules.radius, share=share)
    cover = cover * smoothstep(depth / granules.inward + granules.over_nucleus)
    if granules.patchy:
        cover = cover * smoothstep(noise(rng, depth.shape, 30) + 2.2 * (1 - granules.patchy))
    return cover[..., None]
