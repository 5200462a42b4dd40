"""Gives every image its split (train, valid or test) by a salted hash of its pixels.

Duplicates and near-duplicates stay together. An image has the same split in every copy of the dataset.
Reading files is left to `index`. The rule, to the byte:

1. `pixels` is the sha256, in hexadecimal, of `WIDTHxHEIGHT:` (decimal, ASCII) and the decoded RGB bytes.
2. The first 8 bytes of the sha256 of `SALT:pixels` (ASCII), read as a big-endian number and divided by 2**64,
   are the image's fraction in [0, 1).
3. Below 0.8 the image is in train, below 0.9 in valid, else in test.
4. All images of a group in `near_duplicates.csv` are where the first of train, valid and test has one of it.
"""

import hashlib
from pathlib import Path

import pandas as pd

from blood_lib.files.output import open_whole
from blood_lib.study.data.index import build_index, find_dataset
from blood_lib.study.data.manifest import find_contradictions, load_manifest
from blood_lib.study.data.near_duplicates import load_near_duplicates
from blood_lib.study.progress import Progress

__all__ = [
    "SPLITS",
    "SALT",
    "SPLIT_FILE",
    "build_split",
    "compute_proportions",
    "has_two_labels",
    "load_split",
    "split_of",
    "save_split",
]

SALT = "blood-cells 1"
"""Another salt gives another split: figures measured with this one would not be comparable any more."""

SPLIT_FILE = "split.csv"
"""In a copy whose images were changed (see `pack`): the split of the originals, which holds for it."""

PERCENT = {"train": 80, "valid": 10, "test": 10}

SPLITS = tuple(PERCENT)


def split_of(pixels: str, *, salt: str = SALT) -> str:
    """The split of the image whose `index.hash_pixels` is `pixels`, by its pixels alone."""
    number = int.from_bytes(hashlib.sha256(f"{salt}:{pixels}".encode()).digest()[:8], "big")
    percent = (number * 100) >> 64  # whole per cent, exact: 0 to 99
    if percent < PERCENT["train"]:
        return "train"
    return "valid" if percent < PERCENT["train"] + PERCENT["valid"] else "test"


def has_two_labels(index: pd.DataFrame) -> pd.Series:
    """Per row: do these pixels stand under more than one cell type, here or in the published list of files?

    The list is what settles it for a copy that has only one image of such a pair.
    """
    labels = index.groupby("pixels")["cell_type"].transform("nunique")
    published = index["sha256"].isin(find_contradictions(load_manifest()))
    return (index["pixels"] != "") & ((labels > 1) | published)


def build_split(index: pd.DataFrame, *, salt: str = SALT, join: bool = True) -> pd.DataFrame:
    """The usable images of `index` (see `index.build_index`): file, cell_type, subtype, part.

    The column `part` names the split; bundles hold a hash of this table, so it keeps its name. In no split:
    what is no readable image, lies outside the class folders, or has two labels. join: near-duplicates, by
    rule 4; without it the split is that of bundles from before these were known.
    """
    usable = index[(index["pixels"] != "") & (index["cell_type"] != "") & ~has_two_labels(index)]
    together = _join_near_duplicates(salt) if join else {}
    splits = [together.get(pixels) or split_of(pixels, salt=salt) for pixels in usable["pixels"]]
    return usable[["file", "cell_type", "subtype"]].assign(part=splits).reset_index(drop=True)


def _join_near_duplicates(salt: str) -> dict[str, str]:
    """pixels -> split, of the known near-duplicates: no image that is tested on overlaps a trained one."""
    known = load_near_duplicates()
    own = known["pixels"].map(lambda pixels: SPLITS.index(split_of(pixels, salt=salt)))
    first = own.groupby(known["group"]).transform("min")
    return {pixels: SPLITS[i] for pixels, i in zip(known["pixels"], first, strict=True)}


def load_split(
    folder: Path | str, *, salt: str = SALT, join: bool = True, progress: Progress | None = None
) -> pd.DataFrame:
    """`build_split` of the copy of the dataset in `folder`; decodes every image, which takes some seconds.

    A packed copy brings its split along.
    """
    packed = find_dataset(folder) / SPLIT_FILE
    if packed.exists():
        return pd.read_csv(packed, keep_default_na=False)
    return build_split(build_index(folder, progress=progress), salt=salt, join=join)


def save_split(split: pd.DataFrame, file: Path | str) -> None:
    """Writes the table as CSV (UTF-8, one line per image); the same table gives the same bytes everywhere.

    The file is there when it is whole; BloodError when it cannot be written.
    """
    with open_whole(Path(file)) as out:
        split.to_csv(out, index=False, lineterminator="\n")


def compute_proportions(split: pd.DataFrame) -> pd.DataFrame:
    """Per cell type and subtype, and for all: the images in each split, in all, and each split's per cent."""
    counts = pd.crosstab([split["cell_type"], split["subtype"]], split["part"])
    counts = counts.reindex(columns=list(SPLITS), fill_value=0)
    counts.loc[("all", ""), :] = counts.sum()
    counts = counts.astype(int).assign(images=lambda table: table.sum(axis=1))
    for name in SPLITS:
        counts[f"{name} %"] = (100 * counts[name] / counts["images"]).round(1)
    return counts.rename_axis(columns=None).reset_index()
