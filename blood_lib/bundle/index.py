"""bundle.json: the fields of a bundle as text, and back; checked, since the file may come from anyone.

The records in it are for `schema.py`, the files beside it for `record.py`.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blood_lib.bundle.schema import (
    parse_class,
    parse_detector,
    parse_file_name,
    parse_number,
    parse_preprocessing,
    parse_subtype,
    parse_text,
    parse_texts,
    parse_thresholds,
)
from blood_lib.files.errors import BloodError

__all__ = [
    "BUNDLE_FORMAT",
    "BUNDLE_INDEX",
    "EXCLUDED",
    "MAX_INDEX_BYTES",
    "UNIDENTIFIED",
    "BundleError",
    "parse_index",
    "write_index",
]

BUNDLE_FORMAT = 1
BUNDLE_INDEX = "bundle.json"
MAX_INDEX_BYTES = 16 * 2**20
NEEDED = ("model.onnx", "atlas.npz")
UNIDENTIFIED, EXCLUDED = "unidentified", "excluded"  # the groups of a review that are no class


class BundleError(BloodError):
    """A bundle is missing, damaged, or not of a kind that this version can use."""


def write_index(fields: Mapping[str, Any], hashes: Mapping[str, str]) -> bytes:
    """The content of bundle.json. fields: as `build_bundle` takes them; hashes: file name -> sha256."""
    data = {
        "format": BUNDLE_FORMAT,
        **{name: value for name, value in fields.items() if value is not None},
        "classes": [asdict(info) for info in fields["classes"]],
        "preprocessing": asdict(fields["preprocessing"]),
        "thresholds": asdict(fields["thresholds"]),
        "subtypes": [asdict(info) for info in fields["subtypes"]],
        **({"detector": asdict(fields["detector"])} if fields["detector"] else {}),
        "files": {name: hashes[name] for name in sorted(hashes)},
    }
    return (json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_index(path: Path, content: bytes) -> dict[str, Any]:
    """The fields that bundle.json describes, by their names in `Bundle`; BundleError says what is wrong.

    path: the bundle's folder, for the message.
    """
    where = path / BUNDLE_INDEX
    if len(content) > MAX_INDEX_BYTES:
        raise BundleError(f"{where} is too large to be a bundle's: get the bundle again.")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise BundleError(f"{where} is no valid JSON: get the bundle again.") from None
    _check_format(path, data)
    try:
        return _parse(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"{where} does not describe a bundle ({_explain(error)}): get the bundle again."
        ) from None


def _check_format(path: Path, data: Any) -> None:
    number = data.get("format") if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise BundleError(f"{path / 'bundle.json'} names no bundle format: get the bundle again.")
    if number > BUNDLE_FORMAT:
        raise BundleError(
            f"the bundle in {path} was made by a newer version (format {number}, this one reads up to "
            f"{BUNDLE_FORMAT}): update blood."
        )


def _parse(data: dict[str, Any]) -> dict[str, Any]:
    """KeyError, TypeError, ValueError say what is wrong."""
    classes = tuple(parse_class(info) for info in data["classes"])
    files = {parse_file_name(name): parse_text(sha) for name, sha in data["files"].items()}
    subtypes = tuple(map(parse_subtype, data.get("subtypes", ())))
    detector = parse_detector(data["detector"]) if "detector" in data else None
    preprocessing = parse_preprocessing(data["preprocessing"])
    _check_together([info.name for info in classes], files, bool(subtypes))
    _check_detector(detector is not None, files, has_window=preprocessing.window is not None)
    return {
        "title": parse_texts(data["title"]),
        "item": parse_texts(data["item"]),
        "items": parse_texts(data["items"]),
        "classes": classes,
        "preprocessing": preprocessing,
        "temperature": parse_number(data["temperature"], 1e-3, 1e3),
        "thresholds": parse_thresholds(data["thresholds"]),
        "card": dict(data["card"]),
        "files": files,
        "subtypes": subtypes,
        "differential": parse_texts(data["differential"]) if "differential" in data else None,
        "detector": detector,
    }


def _check_together(names: Sequence[str], files: Collection[str], has_subtypes: bool) -> None:
    if len(names) < 2 or len(set(names)) != len(names):
        raise ValueError("it needs two classes or more, each with a name of its own")
    if taken := {UNIDENTIFIED, EXCLUDED} & set(names):
        raise ValueError(f"no class may be called {min(taken)!r}")
    if missing := [name for name in NEEDED if name not in files]:
        raise ValueError(f"it lists no {missing[0]}")
    if has_subtypes != ("subtypes.npz" in files):
        raise ValueError("subtypes need their names and the file subtypes.npz, both or neither")


def _check_detector(described: bool, files: Collection[str], *, has_window: bool) -> None:
    if described != ("detector.onnx" in files):
        raise ValueError("a detector needs its classes and the file detector.onnx, both or neither")
    if described and not has_window:
        raise ValueError("a detector needs the window that one cell is seen in")


def _explain(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
