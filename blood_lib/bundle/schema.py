"""The records in bundle.json, made from JSON and checked.

Every `parse_` raises a KeyError, TypeError or ValueError that says what is wrong. Files are for `record`.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

__all__ = [
    "COUNTED",
    "NAMED",
    "ROLES",
    "RULER",
    "ClassInfo",
    "DetectedClass",
    "DetectorInfo",
    "Preprocessing",
    "SubtypeInfo",
    "Thresholds",
    "parse_class",
    "parse_detector",
    "parse_file_name",
    "parse_number",
    "parse_preprocessing",
    "parse_subtype",
    "parse_text",
    "parse_texts",
    "parse_thresholds",
    "rename_older_keys",
]

NAMED, RULER, COUNTED = ROLES = ("named", "ruler", "counted")
"""What a detected class is for: the classifier names its cells, they set the scale, or are only counted."""

_MAX_VIEWS = 16  # of one image
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_KEYS_OF_TODAY = {"distance": "ood_score", "further_crops": "tta_crops", "doubtful_below": "tta_below"}


@dataclass(frozen=True)
class ClassInfo:
    """One cell type (or whatever the model tells apart): all that the rest of the program knows about it."""

    name: str
    label: dict[str, str]  # language -> what people read
    colour: str  # "#rrggbb"
    subtypes: tuple[str, ...] = ()
    in_differential: bool = True
    reference_range: tuple[float, float] | None = None  # per cent of the cells of a differential
    per_hundred: bool = False  # counted beside the differential, per hundred of its cells


@dataclass(frozen=True)
class SubtypeInfo:
    """One of the finer kinds that a bundle may tell besides its classes."""

    name: str
    label: dict[str, str]  # language -> what people read


@dataclass(frozen=True)
class Preprocessing:
    """From an image to what the network sees."""

    image_size: int  # px a side
    crop: float  # side of the centred square that is cut out, as a share of the image's shorter side
    mean: tuple[float, float, float]  # of each channel, pixels in [0, 1]
    std: tuple[float, float, float]
    tta_crops: tuple[float, ...] = ()  # test-time augmentation: further values of `crop`, for doubtful images
    tta_below: float = 0.0  # calibrated confidence below which an image is doubtful
    window: float | None = None  # the image's shorter side in red-cell diameters; None: it has no scale


@dataclass(frozen=True)
class DetectedClass:
    """One kind of cell that the detector finds in a whole field."""

    name: str
    label: dict[str, str]  # language -> what one is called
    labels: dict[str, str]  # the same for several
    role: str  # one of ROLES
    colour: str  # "#rrggbb"
    threshold: float  # the score from which it is found


@dataclass(frozen=True)
class DetectorInfo:
    """What detector.onnx finds, and at which scale."""

    diameter: float  # of a red cell in what it sees best, px
    classes: tuple[DetectedClass, ...]  # in the order of its heat maps


@dataclass(frozen=True)
class Thresholds:
    """Where an answer stops being `ok`."""

    confidence: float  # calibrated; below it a cell is uncertain
    ood_score: float  # out-of-distribution score (`Atlas.ood_score`); above it a cell is unfamiliar
    focus: float = 0.0  # sharpness (`inference.focus`) below which no cell is ok
    side: float = 0.0  # of the picture of one cell in the file's own pixels, below which none is ok


def parse_class(data: dict[str, Any]) -> ClassInfo:
    """One entry of `classes`."""
    colour, limits = _parse_colour(data["colour"]), data["reference_range"]
    in_differential, per_hundred = bool(data["in_differential"]), bool(data.get("per_hundred", False))
    if in_differential and per_hundred:
        raise ValueError(f"{data['name']!r} is counted both in the differential and per hundred of it")
    return ClassInfo(
        name=parse_text(data["name"]),
        label=parse_texts(data["label"]),
        colour=colour,
        subtypes=tuple(parse_text(subtype) for subtype in data["subtypes"]),
        in_differential=in_differential,
        reference_range=None if limits is None else _parse_range(limits),
        per_hundred=per_hundred,
    )


def _parse_colour(value: Any) -> str:
    colour = parse_text(value)
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f"{colour!r} is no colour like '#aabbcc'")
    return colour


def _parse_range(limits: Any) -> tuple[float, float]:
    low, high = (parse_number(limit, 0, 100) for limit in limits)
    if low > high:
        raise ValueError(f"{limits!r} is no range: it begins above its end")
    return low, high


def parse_subtype(data: dict[str, Any]) -> SubtypeInfo:
    """One entry of `subtypes`."""
    return SubtypeInfo(parse_text(data["name"]), parse_texts(data["label"]))


def parse_detector(data: dict[str, Any]) -> DetectorInfo:
    """The entry `detector`: a class to name and one ruler at least, each class with a name of its own."""
    classes = tuple(map(_parse_detected, data["classes"]))
    roles = [info.role for info in classes]
    if NAMED not in roles or roles.count(RULER) != 1:
        raise ValueError("a detector needs a class to name and exactly one that is the ruler")
    if len({info.name for info in classes}) != len(classes):
        raise ValueError("each class of the detector needs a name of its own")
    return DetectorInfo(diameter=parse_number(data["diameter"], 4, 512), classes=classes)


def _parse_detected(data: dict[str, Any]) -> DetectedClass:
    role = parse_text(data["role"])
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role: it is one of {', '.join(ROLES)}")
    return DetectedClass(
        name=parse_text(data["name"]),
        label=parse_texts(data["label"]),
        labels=parse_texts(data["labels"]),
        role=role,
        colour=_parse_colour(data["colour"]),
        threshold=parse_number(data["threshold"], 0.01, 1),
    )


def rename_older_keys(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with the keys of today, where it has those of older bundles and recipes."""
    return {_KEYS_OF_TODAY.get(key, key): value for key, value in data.items()}


def parse_thresholds(data: dict[str, Any]) -> Thresholds:
    """The entry `thresholds`."""
    data = rename_older_keys(data)
    return Thresholds(
        confidence=parse_number(data["confidence"], 0, 1),
        ood_score=parse_number(data["ood_score"], 0, 1e9),
        focus=parse_number(data.get("focus", 0), 0, 10),
        side=parse_number(data.get("side", 0), 0, 10_000),
    )


def parse_preprocessing(data: dict[str, Any]) -> Preprocessing:
    """The entry `preprocessing`; test-time augmentation is optional."""
    data = rename_older_keys(data)
    crops = data.get("tta_crops", ())
    if len(crops) > _MAX_VIEWS:
        raise ValueError(f"{len(crops)} crops for test-time augmentation are more than {_MAX_VIEWS}")
    if bool(crops) != bool(data.get("tta_below", 0)):
        raise ValueError("tta_crops and tta_below need each other")
    return Preprocessing(
        image_size=int(parse_number(data["image_size"], 16, 2048)),
        crop=parse_number(data["crop"], 0.01, 1),
        mean=_channels(data["mean"], -10, 10),
        std=_channels(data["std"], 1e-6, 10),
        tta_crops=tuple(parse_number(crop, 0.01, 1) for crop in crops),
        tta_below=parse_number(data.get("tta_below", 0), 0, 1),
        window=None if data.get("window") is None else parse_number(data["window"], 0.5, 100),
    )


def parse_file_name(name: str) -> str:
    """A file name that stays inside the bundle: relative, forward slashes, no `..`, no drive."""
    parts = PurePosixPath(name).parts
    if not parts or name != "/".join(parts) or ".." in parts or parts[0] == "/" or set(name) & set("\\:\0"):
        raise ValueError(f"{name!r} is no file name inside a bundle")
    return name


def parse_text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} should be a text")
    return value


def parse_texts(value: Any) -> dict[str, str]:
    """Texts by language, one at least."""
    if not value or not isinstance(value, dict):
        raise TypeError(f"{value!r} should be texts by language")
    return {parse_text(language): parse_text(text) for language, text in value.items()}


def parse_number(value: Any, low: float, high: float) -> float:
    """A number within limits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{value!r} should be a number from {low:g} to {high:g}")
    return float(value)


def _channels(values: Any, low: float, high: float) -> tuple[float, float, float]:
    red, green, blue = (parse_number(value, low, high) for value in values)
    return red, green, blue
