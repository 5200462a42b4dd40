"""Memory that is free goes back to the system."""

import psutil
import pytest

from blood_lib.dashboard.state import memory


def measure() -> float:
    return psutil.Process().memory_info().rss / 1e6


@pytest.mark.skipif(memory._trim is None, reason="this C library has no malloc_trim")
def test_free_memory_below_what_is_in_use_is_given_back() -> None:
    pieces = [bytes(15_000) for _ in range(4_000)]  # 60 MB
    last = pieces.pop()  # which keeps the heap from shrinking by itself
    full = measure()
    pieces.clear()
    memory.release_memory()
    assert measure() < full - 40
    assert len(last) == 15_000


def test_another_c_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_trim", None)
    memory.release_memory()
