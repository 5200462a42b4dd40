"""The published dataset's list of files, with the size and sha256 of each; it ships with the package.

`fetch` checks downloads against it. `audit` and `split` find contradicting labels with it.
"""

import lzma
from functools import cache
from importlib import resources

import pandas as pd

__all__ = ["find_contradictions", "load_manifest"]


@cache
def _read() -> pd.DataFrame:
    packed = resources.files(__package__) / "manifest.csv.xz"
    with packed.open("rb") as binary, lzma.open(binary, "rt", encoding="utf-8") as text:
        return pd.read_csv(text)


def load_manifest() -> pd.DataFrame:
    """All 17,093 published files: file (`folder/name`), bytes, sha256 (64 hexadecimal digits)."""
    return _read().copy()


def find_contradictions(manifest: pd.DataFrame) -> frozenset[str]:
    """The sha256 of every content that `manifest` lists in more than one class folder."""
    folders = manifest["file"].str.partition("/")[0].groupby(manifest["sha256"]).nunique()
    return frozenset(folders.index[folders > 1])
