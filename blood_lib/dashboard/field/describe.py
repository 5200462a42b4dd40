"""Fields as plain values for their script: the strip, one field with all boxes, and what is doubtful in it.

Groups are told by their number in `markers.name_groups`, the detector's classes by theirs in the bundle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from blood_lib.bundle import NAMED, RULER, Bundle
from blood_lib.dashboard.state import Cell, Field
from blood_lib.dashboard.state.messages import Messages
from blood_lib.dashboard.widgets.markers import svg_shape
from blood_lib.detection.upload_scale import AGREED, OWN

__all__ = ["describe_box", "describe_classes", "describe_field", "describe_strip", "sort_by_field"]

Cells = Mapping[int, Sequence[Cell]]  # id of a field -> its cells


def sort_by_field(cells: Iterable[Cell]) -> Cells:
    """The cells of each field; crops are left out."""
    found: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.field is not None:
            found[cell.field].append(cell)
    return found


def describe_classes(bundle: Bundle | None, t: Messages) -> list[dict[str, Any]]:
    """The detector's classes: name, labels, colour, shape and whether their cells are named."""
    classes = bundle.detector.classes if bundle and bundle.detector else ()
    return [
        {
            "label": t.pick(info.label),
            "labels": t.pick(info.labels),
            "colour": info.colour,
            "shape": svg_shape(i),
            "named": info.role == NAMED,
        }
        for i, info in enumerate(classes)
    ]


def describe_strip(fields: Iterable[Field], cells: Cells) -> list[list[Any]]:
    """[id, name, cells, cells to check, cells cut, scale is known] of each field."""
    return [
        [
            field.id,
            field.name,
            len(cells.get(field.id, ())),
            sum(cell.doubtful for cell in cells.get(field.id, ())),
            field.reading.n_cut,
            field.um_per_pixel is not None,
        ]
        for field in fields
    ]


def describe_field(
    field: Field, cells: Sequence[Cell], groups: Mapping[str, int], bundle: Bundle, t: Messages
) -> dict[str, Any]:
    """One field with the boxes of all that lies in it, in the pixels of its file."""
    return {
        "id": field.id,
        "name": field.name,
        "size": field.size,
        "boxes": _describe_found(field),
        "cells": [describe_box(cell, groups) for cell in cells],
        "um_per_pixel": field.um_per_pixel,
        "facts": _say_facts(field, cells, bundle, t),
        "can_draw": bool(field.photograph),
    }


def describe_box(cell: Cell, groups: Mapping[str, int]) -> list[Any]:
    """id, number, box, group, status, review, drawn by hand, confidence."""
    review = (
        "bulk" if cell.decided == "bulk" else "moved" if cell.moved else "confirmed" if cell.reviewed else ""
    )
    box = [round(value, 1) for value in cell.box or (0, 0, 0, 0)]
    number, sure = cell.result.cell, round(cell.confidence, 4)
    return [cell.id, number, box, groups[cell.label], cell.status, review, cell.drawn, sure]


def _describe_found(field: Field) -> list[dict[str, list[int]]]:
    """For each class of the detector the boxes that are no `Cell`s, flat: whole ones, and cut ones."""
    found = field.reading.found
    corners = np.rint(found.boxes).astype(int)
    flat = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    return [
        {
            "whole": [] if kind.role == NAMED else flat[(found.which == i) & ~found.is_cut].ravel().tolist(),
            "cut": flat[(found.which == i) & found.is_cut].ravel().tolist(),
        }
        for i, kind in enumerate(found.kinds)
    ]


# --- in words ---


def _say_facts(field: Field, cells: Sequence[Cell], bundle: Bundle, t: Messages) -> list[str]:
    """The scale, and what is doubtful, a sentence each."""
    doubtful, drawn = sum(cell.doubtful for cell in cells), sum(cell.drawn for cell in cells)
    counted = (("check", doubtful), ("cut", field.reading.n_cut), ("drawn", drawn))
    facts = [_say_scale(field, bundle, t), *(t(f"field.{name}", n=n) for name, n in counted if n)]
    return facts if field.photograph else [*facts, t("field.not_kept", name=field.name)]


def _say_scale(field: Field, bundle: Bundle, t: Messages) -> str:
    """What the scale rests on, whether it is in doubt, and where it misleads."""
    scale, ruler = field.reading.scale, field.reading.found.ruler
    if scale.um_per_pixel is None:
        return t("field.scale_unknown")
    values: dict[str, object] = {"um": t.number(scale.um_per_pixel, 3), "rulers": _name_rulers(bundle, t)}
    if scale.source == OWN and ruler is not None:
        values |= {"n": ruler.n_cells, "spread": ruler.spread / ruler.diameter}
    sentences = [t(f"field.scale_{scale.source}", **values)]
    if scale.doubtful:
        sentences.append(t("field.scale_doubtful", **values))
    if scale.source in (OWN, AGREED):
        sentences.append(t("field.ruler_note", **values))
    return " ".join(sentences)


def _name_rulers(bundle: Bundle, t: Messages) -> str:
    """What sets the scale, as people call it."""
    classes = bundle.detector.classes if bundle.detector else ()
    return next((t.pick(info.labels) for info in classes if info.role == RULER), "")
