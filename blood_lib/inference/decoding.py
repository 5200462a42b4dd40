"""Files are decoded by threads, ahead of the network, a few batches at a time.

What decoding is, is left to the function that is given; what follows to `classifier`.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias, TypeVar

import numpy as np
from PIL import Image

from blood_lib.images import Rejection, Source
from blood_lib.inference.sources import Named

__all__ = ["count_cores", "decode_ahead"]

T = TypeVar("T")
Decoded: TypeAlias = tuple[str, Source | Rejection, T]  # name, content, what it was decoded to
_Waiting: TypeAlias = tuple[str, Source | Rejection, Future[T]]

_FIRST_BATCH = 8  # images; the next are twice as large, and so on
_MAX_THREADS = 4  # each may hold an image of many megapixels
_MAX_WAITING_BYTES = 192 * 2**20  # file contents that wait for their turn; a third as much is looked at


def decode_ahead(
    files: Iterable[Named], decode: Callable[[Source | Rejection], T], batch_size: int
) -> Iterator[list[Decoded[T]]]:
    """Batches of decoded files in their order; threads decode the next two batches meanwhile.

    The first batches are smaller: files may arrive slowly, and the first results should come soon.
    """
    waiting: deque[_Waiting[T]] = deque()
    size = min(_FIRST_BATCH, batch_size)
    pool = ThreadPoolExecutor(min(_MAX_THREADS, count_cores()))
    try:
        for name, content in files:
            waiting.append((name, content, pool.submit(decode, content)))
            if len(waiting) >= 3 * size or sum(map(_count_bytes, waiting)) > _MAX_WAITING_BYTES:
                yield _take(waiting, max(1, len(waiting) // 3))
                size = min(2 * size, batch_size)
        while waiting:
            yield _take(waiting, batch_size)
    finally:
        pool.shutdown(cancel_futures=True)


def _take(waiting: deque[_Waiting[T]], n: int) -> list[Decoded[T]]:
    """The first `n` of those that wait, once they are decoded."""
    first = [waiting.popleft() for _ in range(min(n, len(waiting)))]
    return [(name, content, future.result()) for name, content, future in first]


def _count_bytes(one: _Waiting[T]) -> int:
    content = one[1]
    if isinstance(content, Image.Image):
        return content.width * content.height * len(content.getbands())
    if isinstance(content, np.ndarray):
        return content.nbytes
    return len(content) if isinstance(content, bytes) else 0


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
