"""Progress of long work: a bar on a terminal and in a notebook, nothing in a log.

`callbacks` reports the epochs of a training.
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
    """Goes through `rows` and shows how many of `total` are done; without rows, call its `update`."""
    return tqdm(rows, desc=what, total=total, unit=f" {unit}", disable=None, leave=False)
