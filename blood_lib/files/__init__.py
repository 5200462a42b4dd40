"""Files that may come from anyone: finding, reading and writing them, and the reasons why one is rejected.

Pixels are for `images`.
"""

from blood_lib.files.errors import BloodError
from blood_lib.files.paths import iter_files, read_file

__all__ = ["BloodError", "iter_files", "read_file"]
