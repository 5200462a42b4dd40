"""A review as a ZIP file: what there is, where people put it, and on which model's word; nothing executable.

    review.json    format, model, date, reviewer, ranges, cells, rejected files, fields
    arrays.npz     probs (N, C), features (N, D), has_cams (N,), cams (K, C, h, w) of those that have them,
                   subtype_probs (N, S) where the model tells subtypes
    model/         if the model had learnt from corrections: what that changed in its bundle
    images/        one per cell, if wanted
    fields         see `field_file.py`

Plain values in and out; when a file is saved and opened, and what is said about it, is for `saving.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from blood_lib.bundle import EXCLUDED, UNIDENTIFIED, Bundle
from blood_lib.dashboard.review import field_file
from blood_lib.dashboard.review.checks import (
    Checked,
    ReviewError,
    read_array,
    read_flag,
    read_name,
    read_number,
    read_range,
    read_reason,
    read_text,
)
from blood_lib.dashboard.state import Cell, Field, RejectedFile, known
from blood_lib.files.arrays import load_arrays, save_arrays
from blood_lib.files.reasons import ANSWERED, Reason
from blood_lib.inference import Result

__all__ = [
    "INDEX",
    "MAX_CELLS",
    "ReviewedModel",
    "SavedReview",
    "iter_review",
    "read_model",
    "read_review",
    "write_index",
]

REVIEW_FORMAT = 1
INDEX = "review.json"
MAX_CELLS = 10_000
MODEL, IMAGES, ARRAYS = "model/", "images/", "arrays.npz"

_MAX_JSON_BYTES = 64 * 2**20
_MAX_MAP_SIDE = 64  # of a class activation map


@dataclass(frozen=True)
class ReviewedModel:
    """The model whose answers were reviewed."""

    title: dict[str, str]
    sha256: str
    base: str  # sha256 of what it was before it learnt from corrections; the same where it has not
    files: dict[str, bytes] = field(default_factory=dict, repr=False)  # what the learning changed


@dataclass(frozen=True, eq=False)
class SavedReview:
    """All that a review consists of."""

    model: ReviewedModel
    date: str  # as ISO 8601 writes it
    reviewer: str
    ranges: dict[str, tuple[float, float]]
    cells: tuple[Cell, ...]
    rejected: tuple[RejectedFile, ...]
    fields: tuple[Field, ...] = ()


# --- writing ---


def iter_review(review: SavedReview, *, images: bool) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each file in the ZIP."""
    yield INDEX, write_index(review, images=images)
    yield ARRAYS, _pack_arrays([cell.result for cell in review.cells])
    for name, content in review.model.files.items():
        yield MODEL + name, content
    for i, cell in enumerate(review.cells):
        if images and cell.content:
            yield _image_name(i), cell.content
    yield from field_file.iter_field_files(review.fields, images=images)


def write_index(review: SavedReview, *, images: bool) -> bytes:
    """review.json: all that people have decided, and nothing large."""
    return json.dumps(_describe(review, images), indent=1, default=np.generic.item).encode()


def _image_name(i: int) -> str:
    return f"{IMAGES}{i:05}"


def _describe(review: SavedReview, images: bool) -> dict[str, Any]:
    model, places = review.model, {field.id: i for i, field in enumerate(review.fields)}
    return {
        "format": REVIEW_FORMAT,
        "model": {"title": model.title, "sha256": model.sha256, "base": model.base},
        "date": review.date,
        "reviewer": review.reviewer,
        "ranges": {name: list(limits) for name, limits in review.ranges.items()},
        "cells": [
            _describe_cell(cell, images) | field_file.describe_place(cell, places) for cell in review.cells
        ],
        "rejected": [_describe_rejected(file, places) for file in review.rejected],
        "fields": field_file.describe_fields(review.fields, images=images),
    }


def _describe_rejected(file: RejectedFile, places: Mapping[int, int]) -> dict[str, Any]:
    field = {} if file.field is None else {"field": places[file.field]}
    return {"name": file.name, "reason": _pack_reason(file.reason)} | field


def _describe_cell(cell: Cell, images: bool) -> dict[str, Any]:
    result = cell.result
    return {
        "name": cell.name,
        "status": result.status,
        "reason": _pack_reason(result.reason),
        "label": result.label,
        "confidence": result.confidence,
        "distance": result.ood_score,
        "place": cell.place,
        "group": cell.group,
        "bulk": cell.bulk,
        "image": images and bool(cell.content),
        "focus": result.focus,
        "side": result.side if math.isfinite(result.side) else None,
    }


def _pack_reason(reason: Reason | None) -> dict[str, Any] | None:
    return {"code": reason.code, "values": dict(reason.values)} if reason else None


def _pack_arrays(results: Sequence[Result]) -> bytes:
    cams = [result.cams for result in results if result.cams is not None]
    subtypes = [result.subtype_probs for result in results if result.subtype_probs is not None]
    return save_arrays(
        small=False,
        subtype_probs=_stack(subtypes),
        probs=_stack([known(result.probs) for result in results]),
        features=_stack([known(result.features) for result in results]),
        has_cams=np.array([result.cams is not None for result in results], bool),
        cams=_stack(cams),
    )


def _stack(rows: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(rows, np.float32)


# --- reading: everything in the file may be a stranger's ---


def read_model(files: Mapping[str, bytes]) -> ReviewedModel:
    """Which model the review needs; ReviewError when this is no review."""
    with Checked():
        data = _read_index(files)["model"]
        title = {read_text(language): read_text(text) for language, text in data["title"].items()}
        changed = {name.removeprefix(MODEL): files[name] for name in files if name.startswith(MODEL)}
        return ReviewedModel(title, read_text(data["sha256"]), read_text(data["base"]), changed)


def read_review(files: Mapping[str, bytes], bundle: Bundle, n_features: int) -> SavedReview:
    """The review in the files of the ZIP, made with this bundle; its cells are numbered from 0.

    ReviewError when something in it cannot be.
    """
    with Checked():
        data, model, names = _read_index(files), read_model(files), bundle.names
        if len(data["cells"]) > MAX_CELLS or len(data["rejected"]) > MAX_CELLS:
            raise ValueError("too many cells")
        fields = field_file.read_fields(data, files, bundle)
        results = _read_results(data["cells"], load_arrays(files[ARRAYS]), bundle, n_features)
        return SavedReview(
            model=model,
            date=read_text(data["date"]),
            reviewer=read_text(data["reviewer"]),
            ranges={read_name(names, name): read_range(limits) for name, limits in data["ranges"].items()},
            cells=tuple(
                _read_cell(i, each, field_file.read_found_result(each, result, fields), files, names, fields)
                for i, (each, result) in enumerate(zip(data["cells"], results, strict=True))
            ),
            rejected=tuple(_read_rejected(each, fields) for each in data["rejected"]),
            fields=fields,
        )


def _read_rejected(data: Mapping[str, Any], fields: Sequence[Field]) -> RejectedFile:
    place = data.get("field")
    field = None if place is None else field_file.read_index(place, fields)
    return RejectedFile(read_text(data["name"]), read_reason(data["reason"]), field)


def _read_index(files: Mapping[str, bytes]) -> dict[str, Any]:
    content = files[INDEX]
    if len(content) > _MAX_JSON_BYTES:
        raise ValueError("too large")
    data = json.loads(content)
    if data["format"] != REVIEW_FORMAT:
        raise ReviewError("newer" if data["format"] > REVIEW_FORMAT else "damaged")
    return data


def _read_cell(
    i: int,
    data: Mapping[str, Any],
    result: Result,
    files: Mapping[str, bytes],
    names: Sequence[str],
    fields: Sequence[Field],
) -> Cell:
    place, group = data["place"], data["group"]
    cell = Cell(
        id=i,
        name=result.name,
        result=result,
        content=files[_image_name(i)] if data["image"] else b"",
        place=None if place is None else (read_number(place[0]), read_number(place[1])),
        group=None if group is None else read_name((*names, UNIDENTIFIED, EXCLUDED), group),
        bulk=group is not None and read_flag(data.get("bulk", False)),  # older files: a person has decided
    )
    return field_file.read_place(data, cell, fields)


def _read_results(
    cells: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, np.ndarray],
    bundle: Bundle,
    n_features: int,
) -> Iterator[Result]:
    n, c, s, names = len(cells), len(bundle.names), len(bundle.subtypes), bundle.names
    has_cams = read_array(arrays["has_cams"], bool, (n,))
    probs = read_array(arrays["probs"], np.float32, (n, c) if n else (0,))
    features = read_array(arrays["features"], np.float32, (n, n_features) if n else (0,))
    subtypes = read_array(arrays["subtype_probs"], np.float32, (n, s) if n and s else (0,))
    k, sides = int(has_cams.sum()), arrays["cams"].shape[2:4]
    cams = iter(read_array(arrays["cams"], np.float32, (k, c, *sides) if k else (0,)))
    if any(side > _MAX_MAP_SIDE for side in arrays["cams"].shape[2:]):
        raise ValueError("maps that are too large")
    for i, cell in enumerate(cells):
        yield Result(
            name=read_text(cell["name"]),
            status=read_name(ANSWERED, cell["status"]),
            reason=read_reason(cell["reason"]),
            label=read_name(names, cell["label"]),
            confidence=read_number(cell["confidence"]),
            probs=probs[i],
            features=features[i],
            cams=next(cams) if has_cams[i] else None,
            ood_score=read_number(cell["distance"]),
            subtype=bundle.subtypes[int(subtypes[i].argmax())].name if s else None,
            subtype_probs=subtypes[i] if s else None,
            focus=_read_optional(cell.get("focus"), 1.0),
            side=_read_optional(cell.get("side"), math.inf),
        )


def _read_optional(value: Any, without: float) -> float:
    """What older files do not have is what holds nothing back."""
    return without if value is None else read_number(value)
