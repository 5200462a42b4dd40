"""What lies around a cell: the nearest reference cells, counted and on a small map; plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from blood_lib.atlas import Atlas

__all__ = ["SIDE", "describe_neighbours", "describe_reference", "thin_out"]

SIDE = 1000  # of the small map; y points down, as on a screen
MOST_REFERENCE = 700  # points on the small map
N_NEIGHBOURS = 10


def thin_out(n: int, most: int) -> np.ndarray:
    """At most `most` of the indices 0 ... n - 1, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def describe_reference(atlas: Atlas, n_classes: int) -> list[list[int]]:
    """For each class the places of its reference cells, thinned out: [x, y, x, y, ...]."""
    shown = thin_out(len(atlas.target), MOST_REFERENCE)
    target, places = atlas.target[shown], _to_screen(atlas.embedding[shown])
    return [places[target == index].ravel().tolist() for index in range(n_classes)]


def describe_neighbours(
    atlas: Atlas, features: np.ndarray, place: tuple[float, float] | None
) -> dict[str, Any]:
    """The nearest reference cells of a cell, features (D,), with its own place on the map.

    counts: [[class, number], ...], the most frequent first; neighbours: [[class, x, y], ...].
    """
    near = atlas.neighbours(np.asarray(features)[None], N_NEIGHBOURS)[0]
    kinds, numbers = np.unique(atlas.target[near], return_counts=True)
    order = np.argsort(-numbers, kind="stable")
    places = np.column_stack([atlas.target[near], _to_screen(atlas.embedding[near])])
    return {
        "counts": np.column_stack([kinds, numbers])[order].tolist(),
        "neighbours": places.tolist(),
        "place": None if place is None else _to_screen(np.array([place]))[0].tolist(),
    }


def _to_screen(places: np.ndarray) -> np.ndarray:
    """Places (N, 2) on the map, within [-1, 1], as whole units of the small map."""
    x, y = places.T
    return np.column_stack([(1 + x) * SIDE / 2, (1 - y) * SIDE / 2]).round().astype(int)
