"""Gives free memory back to the system, where the C library would keep it for later.

A thousand images come and go in small pieces, and what lasts comes to lie among them: so every visitor's heap
stays as large as it was at its worst. glibc gives back whole free pages when it is asked to.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

__all__ = ["release_memory"]


def _find_trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return None


_trim = _find_trim()


def release_memory() -> None:
    """Give back what is free; takes some hundredths of a second, and does nothing where it cannot be done."""
    if _trim is not None:
        _trim(0)
