"""Named arrays as the bytes of an .npz file: limited in size, since a file may be hostile, and never pickled.

What the arrays mean is left to the caller.
"""

from io import BytesIO
from typing import Any

import numpy as np

from blood_lib.files.archives import read_zip

__all__ = ["load_arrays", "save_arrays"]

MAX_ARRAY_BYTES = 512 * 2**20  # unpacked, all arrays of a file together


def load_arrays(content: bytes) -> dict[str, np.ndarray]:
    """name -> array. Raises ArchiveError, ValueError, or any error of NumPy for a file that is no array."""
    files = read_zip(content, most_bytes=MAX_ARRAY_BYTES)
    return {
        name.removesuffix(".npy"): np.load(BytesIO(file), allow_pickle=False) for name, file in files.items()
    }


def save_arrays(*, small: bool = True, **arrays: np.ndarray) -> bytes:
    """The content of an .npz file; small: compressed, which takes many times as long."""
    buffer = BytesIO()
    named: dict[str, Any] = {**arrays}
    (np.savez_compressed if small else np.savez)(buffer, **named)
    return buffer.getvalue()
