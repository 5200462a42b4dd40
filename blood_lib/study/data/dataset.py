"""The images that a notebook works on: the dataset, a sample of it, or drawn cells where there is no dataset.

A note says which of these they are. `index` builds the table of files, `painter` draws cells.
"""

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.files.errors import BloodError
from blood_lib.study.data.index import DATASET, build_index, find_dataset, list_files
from blood_lib.study.data.manifest import load_manifest
from blood_lib.study.data.split import SPLIT_FILE
from blood_lib.study.progress import show_progress

__all__ = ["Dataset", "open_dataset", "take_shares"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to work on."""

    folder: Path
    """Holds the folders of the cell types."""
    index: pd.DataFrame
    """`index.build_index` of the files to use."""
    note: str
    """"" for all images of a copy of the published dataset, else what to say on every figure."""

    @property
    def images(self) -> str:
        """What the images are, in words: `note`, or how many of the published files are here."""
        if self.note:
            return self.note
        published = load_manifest()["sha256"]
        return f"{self.index['sha256'].isin(published).sum():,} of {len(published):,} published files"


def open_dataset(data_dir: Path | str = "", *, max_images: int = 0, seed: int = 0) -> Dataset:
    """The dataset in `data_dir`; where that is "", in $BLOOD_DATA, `data` or `../data`; else drawn cells.

    `max_images` above 0 takes so many images at random, from each cell type its share. Raises BloodError
    when a `data_dir` is named and does not hold the dataset, and for a packed copy: its pixels do not tell
    the split.
    """
    folder = find_dataset(data_dir) if data_dir else _look_around()
    if folder is not None and (folder / SPLIT_FILE).exists():
        raise BloodError(f"{folder} is a packed copy, for blood train alone; name the dataset's folder.")
    if folder is None:
        folder = _draw(max_images or 400, seed)
    files = list_files(folder)
    chosen = _sample(files, max_images, seed)
    index = build_index(folder, files=chosen, progress=show_progress)
    return Dataset(folder, index, _note(index, len(files)))


def _look_around() -> Path | None:
    for name in filter(None, (os.environ.get("BLOOD_DATA"), "data", "../data")):
        try:
            return find_dataset(name)
        except BloodError:
            continue
    return None


def _draw(n_images: int, seed: int) -> Path:
    """The folder of a drawn copy that lasts as long as this process."""
    from blood_lib.study.cells import CELL_TYPES
    from blood_lib.study.painter import save_dataset

    folder = Path(tempfile.mkdtemp(prefix="blood-drawn-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    save_dataset(folder / DATASET, per_type=-(-n_images // len(CELL_TYPES)), size=120, seed=seed)
    return folder / DATASET


def _sample(files: list[str], max_images: int, seed: int) -> list[str]:
    """At most `max_images` of `files`: each folder's share of them, at least one."""
    if not 0 < max_images < len(files):
        return files
    order = pd.Series(np.random.default_rng(seed).permutation(sorted(files)))
    return order[take_shares(order.str.partition("/")[0], max_images)].tolist()


def take_shares(groups: pd.Series, n: int) -> pd.Index:
    """The row labels of n rows, the first of each group as they stand: each group's share of all rows."""
    rank = groups.groupby(groups).cumcount() / groups.map(groups.value_counts())
    return rank.sort_values(kind="stable").index[:n]


def _note(index: pd.DataFrame, n_files: int) -> str:
    if not index["sha256"].isin(load_manifest()["sha256"]).any():
        return "drawn cells, not the dataset"
    return f"a sample of {len(index):,} of {n_files:,} files" if len(index) < n_files else ""
