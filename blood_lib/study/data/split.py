"""Gives every image its part (train, valid or test) by a salted hash of its pixels, and by nothing else.

So duplicates stay together, and an image has the same part in every copy of the dataset, complete or not. The rule, to
the byte: `pixels` is the sha256, in hexadecimal, of `WIDTHxHEIGHT:` (decimal, ASCII) followed by the decoded RGB bytes row by
row; the first 8 bytes of the sha256 of `SALT:pixels` (ASCII) are a big-endian number; that number divided by 2**64 is the
image's fraction in [0, 1): below 0.8 train, below 0.9 valid, else test. Reading files is left to `index`.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from blood_lib.study.data.index import build_index
from blood_lib.study.data.manifest import conflicting_digests, load_manifest

__all__ = [
    "PARTS",
    "SALT",
    "build_split",
    "compute_proportions",
    "has_two_labels",
    "load_split",
    "part_of",
    "save_split",
]

PARTS = ("train", "valid", "test")
SALT = "blood-cells 1"
"""Another salt is another split: a new value here makes every measured figure incomparable with the old ones."""

_PERCENT = {"train": 80, "valid": 10, "test": 10}


def part_of(pixels: str, *, salt: str = SALT) -> str:
    """The part of the image whose `index.hash_pixels` is `pixels`."""
    number = int.from_bytes(hashlib.sha256(f"{salt}:{pixels}".encode()).digest()[:8], "big")
    percent = number * 100 >> 64  # exact: 0 to 99
    end = 0
    for part in PARTS:
        end += _PERCENT[part]
        if percent < end:
            return part
    raise AssertionError("the parts do not add up to 100 %")


def has_two_labels(index: pd.DataFrame) -> pd.Series:
    """Per row of `index`: are these pixels under more than one cell type, here or in the published list of files?

    The published list settles it for a copy that holds only one of the two.
    """
    types = index["cell_type"].groupby(index["pixels"]).transform("nunique")
    published = index["sha256"].isin(conflicting_digests(load_manifest()))
    return (index["pixels"] != "") & ((types > 1) | published)


def build_split(index: pd.DataFrame, *, salt: str = SALT) -> pd.DataFrame:
    """The images of `index` that may be used, a row each: file, cell_type, subtype, part.

    Not in it: what is no readable image, lies outside the class folders, or carries two labels.
    """
    usable = (index["pixels"] != "") & (index["cell_type"] != "") & ~has_two_labels(index)
    table = index.loc[usable, ["file", "cell_type", "subtype"]].reset_index(drop=True)
    table["part"] = [part_of(pixels, salt=salt) for pixels in index.loc[usable, "pixels"]]
    return table


def load_split(folder: Path | str, *, salt: str = SALT, progress: Callable | None = None) -> pd.DataFrame:
    """`build_split` of the copy of the dataset in `folder`: decodes every image, about 10 s on two cores."""
    return build_split(build_index(folder, progress=progress), salt=salt)


def save_split(split: pd.DataFrame, file: Path | str) -> None:
    """Writes the table as CSV, UTF-8, one line per image."""
    split.to_csv(file, index=False, lineterminator="\n")


def compute_proportions(split: pd.DataFrame) -> pd.DataFrame:
    """Per cell type and subtype: images in each part, in all, and the per cent that each part holds."""
    counts = pd.crosstab([split["cell_type"], split["subtype"]], split["part"]).reindex(
        columns=PARTS, fill_value=0
    )
    shares = (100 * counts.div(counts.sum(axis=1), axis=0)).round(1).add_suffix(" %")
    return (
        pd.concat([counts.assign(all=counts.sum(axis=1)), shares], axis=1)
        .rename_axis(columns=None)
        .reset_index()
    )
