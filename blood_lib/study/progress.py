"""How far long work is: a bar on a terminal and in a notebook, nothing elsewhere.

What a training tells of each epoch is left to `callbacks`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tqdm.auto import tqdm

__all__ = ["Progress", "show_progress"]

Progress = Callable[..., Iterable[Any]]
"""`progress(rows, total=n)` goes through the rows and shows how many of `total` are done."""


def show_progress(
    rows: Iterable[Any] | None = None, *, total: int, what: str = "Reading images", unit: str = "images"
) -> tqdm:
    """Goes through `rows` and shows how many of `total` are done; without rows, as its `update` is told."""
    return tqdm(rows, desc=what, total=total, unit=f" {unit}", disable=None, leave=False)
