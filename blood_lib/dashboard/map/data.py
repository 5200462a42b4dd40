"""The map as arrays for its script: reference cells, zones, uploaded cells; sending them is for `view.py`.

Groups are told by their number in `markers.name_groups`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blood_lib.atlas import Atlas
from blood_lib.dashboard.state import Cell
from blood_lib.dashboard.viewer.neighbourhood import thin_out
from blood_lib.files.reasons import ANSWERED

__all__ = ["REVIEWS", "PackedAtlas", "pack_atlas", "pack_cells", "pack_appearance"]

PackedAtlas = tuple[dict[str, Any], list[bytes]]  # the content of a message, and its buffers

MOST_REFERENCE = 4000  # markers drawn
REVIEWS = ("", "confirmed", "moved", "bulk")  # what people have done with a cell
MARGIN = 0.12  # of the map around its outermost reference cells


def pack_atlas(atlas: Atlas) -> PackedAtlas:
    """What reaches how far, [left, bottom, right, top]; places, groups, and the raster of the zones.

    The raster begins at the bottom; 255 stands for a place that is far from any cell.
    """
    zones, shown = atlas.zones(), thin_out(len(atlas.target), MOST_REFERENCE)
    low, high = atlas.embedding.min(axis=0) - MARGIN, atlas.embedding.max(axis=0) + MARGIN
    content = {"bounds": [*map(float, (*low, *high))], "zones": [*zones.low, *zones.high]}
    return content, [
        atlas.embedding[shown].astype("<f4").tobytes(),
        atlas.target[shown].astype(np.uint8).tobytes(),
        zones.raster.astype(np.uint8).tobytes(),
    ]


def pack_cells(cells: Sequence[Cell], index: Mapping[str, int]) -> list[bytes]:
    """Appearance, as below, and places, float32 (N, 2)."""
    places = np.array([cell.place for cell in cells], "<f4")
    return [*pack_appearance(cells, index), places.tobytes()]


def pack_appearance(cells: Sequence[Cell], index: Mapping[str, int]) -> list[bytes]:
    """All of a cell that may change: ids, uint32 (N,), appearance, uint8 (N, 3), and confidences.

    Appearance is group, status and review, a place in REVIEWS; confidences are float32 (N,).
    """
    appearance = [(index[cell.label], ANSWERED.index(cell.status), _review(cell)) for cell in cells]
    return [
        np.array([cell.id for cell in cells], "<u4").tobytes(),
        np.array(appearance, np.uint8).tobytes(),
        np.array([cell.confidence for cell in cells], "<f4").tobytes(),
    ]


def _review(cell: Cell) -> int:
    return REVIEWS.index("bulk") if cell.decided == "bulk" else cell.reviewed + cell.moved
