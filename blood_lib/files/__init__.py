"""Strangers' files: where they lie, what is in them, how results are written, and why one is refused.

Pixels are for `images.py`.
"""

from blood_lib.files.errors import BloodError
from blood_lib.files.paths import iter_files, read_file

__all__ = ["BloodError", "iter_files", "read_file"]
