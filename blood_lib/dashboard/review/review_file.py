"""A review as a ZIP file: what there is, where people put it, and on which model's word; nothing executable.

    review.json    format, model, date, reviewer, ranges, cells, rejected files
    arrays.npz     probs (N, C), features (N, D), has_cams (N,), cams (K, C, h, w) of those that have them,
                   subtype_probs (N, S) where the model tells subtypes
    model/         if the model had learnt from corrections: what that changed in its bundle
    images/        one per cell, if wanted

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
from blood_lib.dashboard.state import Cell, RejectedFile, known
from blood_lib.files.arrays import load_arrays, save_arrays
from blood_lib.files.reasons import ANSWERED, Reason
from blood_lib.inference import Result

__all__ = [
    "INDEX",
    "MAX_CELLS",
    "ReviewedModel",
    "SavedReview",
    "ReviewError",
    "iter_review",
    "read_model",
    "read_review",
]

REVIEW_FORMAT = 1
INDEX = "review.json"
MAX_CELLS = 10_000
MODEL, IMAGES, ARRAYS = "model/", "images/", "arrays.npz"

_MAX_JSON_BYTES = 64 * 2**20
_MAX_TEXT = 2000
_MAX_MAP_SIDE = 64  # of a class activation map


class ReviewError(Exception):
    """A file holds no review that can be opened; its text is the key of a sentence: "damaged" or "newer"."""


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


# --- writing ---


def iter_review(review: SavedReview, *, images: bool) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each file in the ZIP."""
    yield INDEX, json.dumps(_describe(review, images), indent=1).encode()
    yield ARRAYS, _pack_arrays([cell.result for cell in review.cells])
    for name, content in review.model.files.items():
        yield MODEL + name, content
    for i, cell in enumerate(review.cells):
        if images and cell.content:
            yield _image_name(i), cell.content


def _image_name(i: int) -> str:
    return f"{IMAGES}{i:05}"


def _describe(review: SavedReview, images: bool) -> dict[str, Any]:
    model = review.model
    return {
        "format": REVIEW_FORMAT,
        "model": {"title": model.title, "sha256": model.sha256, "base": model.base},
        "date": review.date,
        "reviewer": review.reviewer,
        "ranges": {name: list(limits) for name, limits in review.ranges.items()},
        "cells": [_describe_cell(cell, images) for cell in review.cells],
        "rejected": [{"name": file.name, "reason": _pack_reason(file.reason)} for file in review.rejected],
    }


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
    with _Checked():
        data = _read_index(files)["model"]
        title = {_text(language): _text(text) for language, text in data["title"].items()}
        changed = {name.removeprefix(MODEL): files[name] for name in files if name.startswith(MODEL)}
        return ReviewedModel(title, _text(data["sha256"]), _text(data["base"]), changed)


def read_review(files: Mapping[str, bytes], bundle: Bundle, n_features: int) -> SavedReview:
    """The review in the files of the ZIP, made with this bundle; its cells are numbered from 0.

    ReviewError when something in it cannot be.
    """
    with _Checked():
        data, model, names = _read_index(files), read_model(files), bundle.names
        if len(data["cells"]) > MAX_CELLS or len(data["rejected"]) > MAX_CELLS:
            raise ValueError("too many cells")
        results = _read_results(data["cells"], load_arrays(files[ARRAYS]), bundle, n_features)
        return SavedReview(
            model=model,
            date=_text(data["date"]),
            reviewer=_text(data["reviewer"]),
            ranges={_one_of(names, name): _read_range(limits) for name, limits in data["ranges"].items()},
            cells=tuple(
                _read_cell(i, each, result, files, names)
                for i, (each, result) in enumerate(zip(data["cells"], results, strict=True))
            ),
            rejected=tuple(
                RejectedFile(_text(each["name"]), _read_reason(each["reason"])) for each in data["rejected"]
            ),
        )


class _Checked:
    """Turns whatever goes wrong with a stranger's values into a ReviewError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ReviewError):
            raise ReviewError("damaged") from None


def _read_index(files: Mapping[str, bytes]) -> dict[str, Any]:
    content = files[INDEX]
    if len(content) > _MAX_JSON_BYTES:
        raise ValueError("too large")
    data = json.loads(content)
    if data["format"] != REVIEW_FORMAT:
        raise ReviewError("newer" if data["format"] > REVIEW_FORMAT else "damaged")
    return data


def _read_cell(
    i: int, data: Mapping[str, Any], result: Result, files: Mapping[str, bytes], names: Sequence[str]
) -> Cell:
    place, group = data["place"], data["group"]
    return Cell(
        id=i,
        name=result.name,
        result=result,
        content=files[_image_name(i)] if data["image"] else b"",
        place=None if place is None else (_number(place[0]), _number(place[1])),
        group=None if group is None else _one_of((*names, UNIDENTIFIED, EXCLUDED), group),
        bulk=group is not None and _flag(data.get("bulk", False)),  # older files: a person has decided
    )


def _read_results(
    cells: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, np.ndarray],
    bundle: Bundle,
    n_features: int,
) -> Iterator[Result]:
    n, c, s, names = len(cells), len(bundle.names), len(bundle.subtypes), bundle.names
    has_cams = _array(arrays["has_cams"], bool, (n,))
    probs = _array(arrays["probs"], np.float32, (n, c) if n else (0,))
    features = _array(arrays["features"], np.float32, (n, n_features) if n else (0,))
    subtypes = _array(arrays["subtype_probs"], np.float32, (n, s) if n and s else (0,))
    k, sides = int(has_cams.sum()), arrays["cams"].shape[2:4]
    cams = iter(_array(arrays["cams"], np.float32, (k, c, *sides) if k else (0,)))
    if any(side > _MAX_MAP_SIDE for side in arrays["cams"].shape[2:]):
        raise ValueError("maps that are too large")
    for i, cell in enumerate(cells):
        yield Result(
            name=_text(cell["name"]),
            status=_one_of(ANSWERED, cell["status"]),
            reason=_read_reason(cell["reason"]),
            label=_one_of(names, cell["label"]),
            confidence=_number(cell["confidence"]),
            probs=probs[i],
            features=features[i],
            cams=next(cams) if has_cams[i] else None,
            ood_score=_number(cell["distance"]),
            subtype=bundle.subtypes[int(subtypes[i].argmax())].name if s else None,
            subtype_probs=subtypes[i] if s else None,
        )


def _array(array: np.ndarray, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    if array.dtype != dtype or array.shape != shape or not np.isfinite(array).all():
        raise ValueError("an array that does not fit")
    return array


def _read_range(limits: Sequence[Any]) -> tuple[float, float]:
    low, high = (_number(limit) for limit in limits)
    if not 0 <= low <= high <= 100:
        raise ValueError("a range that cannot be")
    return low, high


def _read_reason(data: Mapping[str, Any] | None) -> Reason | None:
    return Reason(_text(data["code"]), data["values"]) if data else None


def _one_of(known: Sequence[str], value: Any) -> str:
    if value not in known:
        raise ValueError("a name that is not known")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError("no text")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)
