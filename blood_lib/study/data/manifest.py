"""The published dataset's own list of files, with the size and sha256 of each, as it ships with the package.

What to do with it is left to `fetch` (check a download) and `split` (know labels that contradict each other).
"""

import lzma
from functools import cache
from importlib import resources

import pandas as pd

__all__ = ["conflicting_digests", "load_manifest"]


@cache
def _load() -> pd.DataFrame:
    packed = resources.files(__package__).joinpath("manifest.csv.xz")
    with packed.open("rb") as binary, lzma.open(binary, "rt", encoding="utf-8") as text:
        return pd.read_csv(text)


def load_manifest() -> pd.DataFrame:
    """All 17,093 published files: file ("folder/name"), bytes, sha256 (64 hexadecimal digits)."""
    return _load().copy()


def conflicting_digests(manifest: pd.DataFrame) -> frozenset[str]:
    """The sha256 of every file content that `manifest` lists in more than one class folder."""
    folders = manifest["file"].str.partition("/")[0].groupby(manifest["sha256"]).nunique()
    return frozenset(folders.index[folders > 1])
