"""Shapes of nuclei: round, oval, kidney, folded, band, segmented, bilobed, lobed.

Each is a list of round-ended segments in units of the cell's radius. `brush` fills them.
"""

from collections.abc import Callable

import numpy as np

__all__ = ["SHAPES", "Segment", "build_nucleus"]

Segment = tuple[float, float, float, float, float, float]
"""x0, y0, r0, x1, y1, r1."""


def _arc(span: float, bend: float, radii: np.ndarray) -> list[Segment]:
    """A bow of `span` radians on a circle of radius `bend`; `radii`: its thickness at even joints."""
    angle = np.linspace(-span / 2, span / 2, len(radii))
    joints = np.stack([bend * np.cos(angle), bend * np.sin(angle), radii], 1)
    return [(*a, *b) for a, b in zip(joints[:-1].tolist(), joints[1:].tolist(), strict=True)]


def _lobes(angles: np.ndarray, bend: float, radii: np.ndarray, length: float, bridge: float) -> list[Segment]:
    """Lobes at `angles` on a circle of radius `bend`, drawn out along it by `length` radians, and bridged."""
    ends = [
        (angle + side * length / 2, r) for angle, r in zip(angles, radii, strict=True) for side in (-1, 1)
    ]
    joints = [(bend * np.cos(angle), bend * np.sin(angle), r) for angle, r in ends]
    segments = [(*joints[i], *joints[i + 1]) for i in range(0, len(joints), 2)]
    thin = [((*joints[i][:2], bridge), (*joints[i + 1][:2], bridge)) for i in range(1, len(joints) - 1, 2)]
    return segments + [(*a, *b) for a, b in thin]


def _round(rng: np.random.Generator) -> list[Segment]:
    return _arc(0.3, 0.2, np.full(2, 1.0))


def _oval(rng: np.random.Generator) -> list[Segment]:
    return _arc(rng.uniform(0.5, 1.4), 0.55, rng.uniform(0.8, 0.95, 3))


def _kidney(rng: np.random.Generator) -> list[Segment]:
    return _arc(rng.uniform(1.6, 2.2), rng.uniform(0.40, 0.48), rng.uniform(0.36, 0.44, 5))


def _folded(rng: np.random.Generator) -> list[Segment]:
    span = rng.choice([rng.uniform(1.2, 1.9), rng.uniform(2.2, 3.2)])
    return _arc(span, rng.uniform(0.40, 0.50), rng.uniform(0.32, 0.46, 6))


def _band(rng: np.random.Generator) -> list[Segment]:
    return _arc(rng.uniform(2.8, 4.4), rng.uniform(0.42, 0.52), rng.uniform(0.20, 0.29, 7))


def _segmented(rng: np.random.Generator) -> list[Segment]:
    count = int(rng.choice([3, 4, 5], p=[0.45, 0.4, 0.15]))
    step = rng.uniform(4.2, 5.2) / count
    angles = np.arange(count) * step + rng.uniform(-0.15, 0.15, count)
    return _lobes(angles, rng.uniform(0.46, 0.54), rng.uniform(0.21, 0.29, count), 0.25 * step, 0.045)


def _bilobed(rng: np.random.Generator) -> list[Segment]:
    step, bend, length = rng.uniform(1.5, 2.2), rng.uniform(0.52, 0.60), rng.uniform(0.3, 0.6)
    return _lobes(np.array([0, step]), bend, rng.uniform(0.30, 0.36, 2), length, 0.07)


def _lobed(rng: np.random.Generator) -> list[Segment]:
    count = int(rng.choice([2, 3]))
    step = rng.uniform(3.4, 4.2) / count
    return _lobes(np.arange(count) * step, 0.36, rng.uniform(0.34, 0.44, count), step * 0.4, 0.22)


SHAPES: dict[str, Callable[[np.random.Generator], list[Segment]]] = {
    "round": _round,
    "oval": _oval,
    "kidney": _kidney,
    "folded": _folded,
    "band": _band,
    "segmented": _segmented,
    "bilobed": _bilobed,
    "lobed": _lobed,
}


def build_nucleus(rng: np.random.Generator, shape: str, *, radius: float, size: float) -> list[Segment]:
    """A nucleus of `shape`, in pixels, turned at random and lying somewhere in a cell of `radius` pixels.

    size: scale of the shape; for "round" and "oval" the nucleus's diameter over the cell's.
    """
    segments = np.array(SHAPES[shape](rng)).reshape(-1, 3)
    segments[:, :2] -= segments[:, :2].mean(0) * rng.uniform(0.75, 1.0)
    if shape in ("round", "oval"):
        segments /= (np.hypot(*segments[:, :2].T) + segments[:, 2]).max()
    segments *= size * radius
    reach = (np.hypot(*segments[:, :2].T) + segments[:, 2]).max()
    turn, aside = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi)
    slack = rng.uniform(0, 0.9) * max(radius - reach, 0)
    x, y, r = segments.T
    placed = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn), r], 1)
    placed[:, :2] += slack * np.array([np.cos(aside), np.sin(aside)])
    return [tuple(pair) for pair in placed.reshape(-1, 6).tolist()]
