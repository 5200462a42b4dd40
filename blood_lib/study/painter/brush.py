"""Brushes of the painter: smooth noise, outlines, granules, and colour as absorbed light.

`appearance` says what a cell looks like, `scene` where things lie on the slide.
"""

from collections.abc import Sequence
from math import cos, sin, sqrt

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["capsules", "density", "dots", "grid", "light", "noise", "outline", "smoothstep"]

Colour = Sequence[float] | np.ndarray
"""Red, green, blue in [0, 255]."""


def density(colour: Colour) -> np.ndarray:
    """What is absorbed where `colour` is seen: (3,) float32, -log of the light left (Beer-Lambert law)."""
    return -np.log(np.asarray(colour, np.float32) / 255)


def light(absorbed: np.ndarray) -> np.ndarray:
    """The colours seen through densities: (..., 3) float32 -> (..., 3) float32 in [0, 255]."""
    return 255 * np.exp(-absorbed)


def smoothstep(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, and a smooth ramp between."""
    t = np.clip(x, 0, 1)
    return t * t * (3 - 2 * t)


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (x, y) of a square of `side` pixels, each (side, side) float32, 0 at the centre."""
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    x, y = np.meshgrid(axis, axis)
    return x, y


def noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    """Smooth random field of `shape`, float32, of about unit spread, with bumps about `scale` pixels wide."""
    height, width = shape
    size = (int(height / scale) + 4, int(width / scale) + 4)
    coarse = Image.fromarray(rng.standard_normal(size, dtype=np.float32) * np.float32(1.3))
    left, top = rng.uniform(1, 2, 2)
    box = (left, top, left + width / scale, top + height / scale)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC, box=box))


def outline(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, radius: float, *, stretch: float, lumps: float
) -> np.ndarray:
    """Depth in pixels below the outline of a roundish body (negative outside), same shape as `x`.

    stretch: long axis over short axis; lumps: how uneven the outline is, as a part of the radius.
    """
    turn = rng.uniform(0, 2 * np.pi)
    across = (x * cos(turn) + y * sin(turn)) / sqrt(stretch)
    along = (y * cos(turn) - x * sin(turn)) * sqrt(stretch)
    angle = np.arctan2(along, across)
    edge = np.ones_like(x)
    for k in range(2, 7):
        height, phase = 2.5 * lumps / k * rng.normal(), rng.uniform(0, 2 * np.pi)
        edge += height * np.cos(k * angle + phase)
    return radius * edge - np.hypot(across, along)


def capsules(
    x: np.ndarray, y: np.ndarray, segments: Sequence[tuple[float, ...]], *, soft: float = 2.0
) -> np.ndarray:
    """Depth in pixels below the surface of a body made of round-ended segments, same shape as `x`.

    segments: (x0, y0, r0, x1, y1, r1) each, in pixels; soft: how far joints are rounded, in pixels.
    """
    depth = np.full_like(x, -1e3)
    for x0, y0, r0, x1, y1, r1 in segments:
        dx, dy = x1 - x0, y1 - y0
        t = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-6), 0, 1)
        part = r0 + (r1 - r0) * t - np.hypot(x - x0 - t * dx, y - y0 - t * dy)
        blend = np.clip(0.5 + 0.5 * (part - depth) / soft, 0, 1)
        depth = depth + (part - depth) * blend + soft * blend * (1 - blend)
    return depth


def dots(
    rng: np.random.Generator, side: int, *, spacing: float, radius: tuple[float, float], share: float
) -> np.ndarray:
    """Granules: a (side, side) float32 field in [0, 1] of discs on a shaken lattice.

    spacing: pixels between neighbours; radius: smallest and largest, in pixels; share: of the places taken.
    """
    zoom = 3
    axis = np.arange(spacing / 2, side, spacing)
    places = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    places = places[rng.random(len(places)) < share]
    places = places + rng.uniform(-0.55, 0.55, places.shape) * spacing
    radii = rng.uniform(*radius, len(places))
    shades = rng.integers(150, 256, len(places))
    sheet = Image.new("L", (side * zoom, side * zoom))
    draw = ImageDraw.Draw(sheet)
    boxes = np.concatenate([places - radii[:, None], places + radii[:, None]], 1) * zoom
    for box, shade in zip(boxes.tolist(), shades.tolist(), strict=True):
        draw.ellipse(box, fill=shade)
    return np.asarray(sheet.reduce(zoom), np.float32) / 255
