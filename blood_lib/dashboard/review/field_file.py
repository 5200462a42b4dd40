"""The fields of a saved review: what was found in each, and where its cells lie.

review.json    fields: name, size, scale, ruler, number of boxes; of a cell: its field and where it lies there
fields.npz     of all fields one after the other: boxes (N, 4), which (N,), scores (N,), is_cut (N,)
fields/        a picture of each, if wanted; the photographs themselves are not saved
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from blood_lib.bundle import Bundle
from blood_lib.dashboard.review.checks import read_array, read_flag, read_name, read_number, read_text
from blood_lib.dashboard.state import Box, Cell, Field, known
from blood_lib.detection.found import Found, Kind
from blood_lib.detection.ruler import Ruler
from blood_lib.detection.upload_scale import SOURCES, Scale
from blood_lib.files.arrays import load_arrays, save_arrays
from blood_lib.inference import Result
from blood_lib.inference.results import FieldReading

__all__ = [
    "describe_fields",
    "describe_place",
    "iter_field_files",
    "read_fields",
    "read_found_result",
    "read_index",
    "read_place",
]

FIELDS, ARRAYS = "fields/", "fields.npz"
MAX_FIELDS = 10_000
_MAX_SIDE = 100_000  # px

Facts = Mapping[str, Any]


# --- writing ---


def describe_fields(fields: Sequence[Field], *, images: bool) -> list[dict[str, Any]]:
    """What review.json says of them."""
    return [_describe_field(field, images=images) for field in fields]


def _describe_field(field: Field, *, images: bool) -> dict[str, Any]:
    found = field.reading.found
    return {
        "name": field.name,
        "size": list(found.size),
        "scale": asdict(field.reading.scale),
        "ruler": asdict(found.ruler) if found.ruler else None,
        "n": len(found),
        "image": images and bool(field.content),
    }


def iter_field_files(fields: Sequence[Field], *, images: bool) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each file; none where there are no fields."""
    found = [field.reading.found for field in fields]
    if fields:
        yield (
            ARRAYS,
            save_arrays(
                boxes=np.concatenate([each.boxes for each in found]).astype(np.float32).reshape(-1, 4),
                which=np.concatenate([each.which for each in found]).astype(np.int64),
                scores=np.concatenate([each.scores for each in found]).astype(np.float32),
                is_cut=np.concatenate([each.is_cut for each in found]).astype(bool),
            ),
        )
    for i, field in enumerate(fields):
        if images and field.content:
            yield _picture_name(i), field.content


def _picture_name(i: int) -> str:
    return f"{FIELDS}{i:05}"


def describe_place(cell: Cell, places: Mapping[int, int]) -> dict[str, Any]:
    """What review.json says of where a cell lies; places: id of a field -> its place in the list."""
    result = cell.result
    if cell.field is None:
        return {"um_wide": cell.um_wide, "diameter_um": result.diameter_um} if cell.um_wide else {}
    return {
        "file": result.name,
        "field": places[cell.field],
        "number": result.cell,
        "box": list(known(cell.box)),
        "window": list(known(result.window)),
        "diameter_um": result.diameter_um,
        "um_wide": cell.um_wide,
        "drawn": cell.drawn,
    }


# --- reading: everything in the file may be a stranger's ---


def read_fields(data: Facts, files: Mapping[str, bytes], bundle: Bundle) -> tuple[Field, ...]:
    """The fields, numbered from 0; none in an older file. Raises whatever a strange value raises."""
    described = data.get("fields", [])
    if not described:
        return ()
    if len(described) > MAX_FIELDS:
        raise ValueError("too many fields")
    kinds = [Kind(info.name, info.role, info.threshold) for info in known(bundle.detector).classes]
    arrays, ends = load_arrays(files[ARRAYS]), np.cumsum([_whole(each["n"]) for each in described])
    n = int(ends[-1])
    boxes = read_array(arrays["boxes"], np.float32, (n, 4))
    which = read_array(arrays["which"], np.int64, (n,))
    scores = read_array(arrays["scores"], np.float32, (n,))
    is_cut = read_array(arrays["is_cut"], bool, (n,))
    if n and not (which.min() >= 0 and which.max() < len(kinds)):
        raise ValueError("a class that the model does not find")
    parts = [np.split(each, ends[:-1]) for each in (boxes, which, scores, is_cut)]
    return tuple(
        _read_field(i, each, (kinds, *found), files)
        for i, (each, *found) in enumerate(zip(described, *parts, strict=True))
    )


def _read_field(i: int, data: Facts, parts: tuple[Any, ...], files: Mapping[str, bytes]) -> Field:
    """parts: kinds, boxes, which, scores and is_cut of what was found."""
    kinds, boxes, which, scores, is_cut = parts
    size, ruler = _read_size(data["size"]), _read_ruler(data["ruler"])
    name, found = read_text(data["name"]), Found(size, kinds, boxes, which, scores, is_cut, ruler)
    content = files[_picture_name(i)] if read_flag(data["image"]) else b""
    return Field(i, name, FieldReading(name, found, _read_scale(data["scale"])), content)


def _read_scale(data: Facts) -> Scale:
    diameter = None if data["diameter"] is None else _positive(data["diameter"])
    return Scale(diameter, read_name(SOURCES, data["source"]), read_flag(data["doubtful"]))


def _read_ruler(data: Facts | None) -> Ruler | None:
    if data is None:
        return None
    spread = read_number(data["spread"])
    return Ruler(_positive(data["diameter"]), spread, _whole(data["n_cells"]), _whole(data["n_fields"]))


def _read_size(data: Sequence[Any]) -> tuple[int, int]:
    width, height = map(_whole, data)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise ValueError("a size that no image has")
    return width, height


def read_found_result(data: Facts, result: Result, fields: Sequence[Field]) -> Result:
    """The result with what is said of its place in a field."""
    um = data.get("diameter_um")
    result = replace(result, diameter_um=None if um is None else _positive(um))
    if data.get("field") is None:
        return result
    left, top, right, bottom = map(read_number, data["window"])
    return replace(
        result,
        name=read_text(data["file"]),
        cell=_whole(data["number"]),
        box=_read_box(data["box"]),
        window=(left, top, right, bottom),
        field=fields[read_index(data["field"], fields)].reading,
    )


def read_place(data: Facts, cell: Cell, fields: Sequence[Field]) -> Cell:
    """The cell with its place in a field."""
    wide = data.get("um_wide")
    cell = replace(cell, um_wide=None if wide is None else _positive(wide))
    if data.get("field") is None:
        return cell
    field, drawn = read_index(data["field"], fields), read_flag(data["drawn"])
    return replace(cell, name=read_text(data["name"]), field=field, box=cell.result.box, drawn=drawn)


def read_index(value: Any, fields: Sequence[Field]) -> int:
    """The place of a field that there is."""
    if not 0 <= _whole(value) < len(fields):
        raise ValueError("a field that is not there")
    return _whole(value)


def _read_box(data: Sequence[Any]) -> Box:
    x, y, width, height = map(read_number, data)
    return x, y, _positive(width), _positive(height)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no whole number")
    return value


def _positive(value: Any) -> float:
    number = read_number(value)
    if number <= 0:
        raise ValueError("a length that cannot be")
    return number
