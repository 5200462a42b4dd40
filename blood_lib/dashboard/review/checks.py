"""What is checked in a saved review: everything in the file may be a stranger's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blood_lib.files.reasons import Reason

__all__ = [
    "Checked",
    "ReviewError",
    "read_array",
    "read_flag",
    "read_name",
    "read_number",
    "read_range",
    "read_reason",
    "read_text",
]

_MAX_TEXT = 2000


class ReviewError(Exception):
    """A file holds no review that can be opened; its text is the key of a sentence: "damaged" or "newer"."""


class Checked:
    """Turns whatever goes wrong with a stranger's values into a ReviewError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ReviewError):
            raise ReviewError("damaged") from None


def read_array(array: np.ndarray, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    if array.dtype != dtype or array.shape != shape or not np.isfinite(array).all():
        raise ValueError("an array that does not fit")
    return array


def read_range(limits: Sequence[Any]) -> tuple[float, float]:
    low, high = (read_number(limit) for limit in limits)
    if not 0 <= low <= high <= 100:
        raise ValueError("a range that cannot be")
    return low, high


def read_reason(data: Mapping[str, Any] | None) -> Reason | None:
    return Reason(read_text(data["code"]), data["values"]) if data else None


def read_name(known: Sequence[str], value: Any) -> str:
    if value not in known:
        raise ValueError("a name that is not known")
    return value


def read_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def read_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError("no text")
    return value


def read_number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)
