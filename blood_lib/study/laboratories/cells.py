"""The cells of all laboratories as windows of one size in red cells, cut once and kept in a folder.

A folder holds cells.csv, a row per cell, and windows.npy, (N, 256, 256, 3) uint8: the windows of all rows
that are not in the test split, in their order. No window of the test split is ever cut.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.detection.boxes import compute_iou
from blood_lib.detection.windows import cut_window, window_of
from blood_lib.files.errors import BloodError
from blood_lib.files.output import open_whole
from blood_lib.study.cells import by_name
from blood_lib.study.data.index import DATASET, build_index, load_usable_image
from blood_lib.study.data.split import build_split
from blood_lib.study.detect.fields import WHITE, Field, load_fields
from blood_lib.study.progress import Progress
from blood_lib.study.train.loaders import FRAME_SIZE

__all__ = ["WINDOW", "Cells", "cut_cells", "list_cells", "open_cells"]

WINDOW = 4.5
"""Side of a window in red cells, by the ruler of `detection.ruler`: that of PBC's images."""

MORE = "PBC_more"
_COLUMNS = ("laboratory", "file", "left", "top", "right", "bottom", "cell_type", "subtype", "part")


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells, and the windows of those that may be looked at."""

    split: pd.DataFrame
    """All of them: laboratory, file, the window's left, top, right and bottom in the file's own pixels,
    cell_type, subtype ("" where it is not told) and part, the split's name. A laboratory that is not split is
    all train."""
    windows: np.ndarray
    """(N, 256, 256, 3) uint8, the rows of `table`."""

    @property
    def table(self) -> pd.DataFrame:
        """The rows that have a window: all but those of the test split."""
        return self.split[self.split["part"] != "test"].reset_index(drop=True)


def open_cells(data: Path, cache: Path, *, progress: Progress | None = None) -> Cells:
    """The cells of the laboratories in `data`, from the folder `cache`; cut now where it has none yet."""
    table, windows = cache / "cells.csv", cache / "windows.npy"
    if not table.exists():
        split = list_cells(data, progress=progress)
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _save_windows(cut_cells(data, split[split["part"] != "test"], progress=progress), split, windows)
        except OSError as error:
            raise BloodError(f"{cache} cannot be written: {error.strerror}; name another folder.") from None
        with open_whole(table) as out:
            split.to_csv(out, index=False, lineterminator="\n")
    split = pd.read_csv(table, keep_default_na=False)
    # Read as they are needed; "c", since a tensor of what is read-only would warn.
    return Cells(split, np.load(windows, mmap_mode="c"))


def _save_windows(windows: Iterable[np.ndarray], split: pd.DataFrame, file: Path) -> None:
    """One by one, so that they are never all in memory."""
    unfinished = file.with_suffix(".tmp")
    shape = (int((split["part"] != "test").sum()), FRAME_SIZE, FRAME_SIZE, 3)
    out = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
    for i, window in enumerate(windows):
        out[i] = window
    out.flush()
    os.replace(unfinished, file)


def list_cells(data: Path, *, progress: Progress | None = None) -> pd.DataFrame:
    """The table `Cells.split` of the laboratories in the folder `data`; decodes every image."""
    rows = [_list_pbc(data, progress), *map(pd.DataFrame, (_list_bccd(data), _list_chula(data)))]
    return pd.concat(rows, ignore_index=True)[list(_COLUMNS)]


def cut_cells(data: Path, table: pd.DataFrame, *, progress: Progress | None = None) -> Iterator[np.ndarray]:
    """The window (256, 256, 3) uint8 of each row."""
    with ThreadPoolExecutor() as pool:
        corners = table[["left", "top", "right", "bottom"]].itertuples(index=False, name=None)
        windows = pool.map(partial(_cut, data), table["file"], corners)
        yield from windows if progress is None else progress(windows, total=len(table))


def _cut(data: Path, file: str, window: tuple[float, float, float, float]) -> np.ndarray:
    return np.asarray(cut_window(load_usable_image(data / file), window, size=FRAME_SIZE))


def _list_pbc(data: Path, progress: Progress | None) -> pd.DataFrame:
    """An image of PBC is a window: its centred square, of which `Cells` has the corners."""
    folders = [name for name in (DATASET, MORE) if name == DATASET or (data / name).is_dir()]
    found = {name: build_index(data / name, progress=progress) for name in folders}
    index = pd.concat([rows.assign(file=f"{name}/" + rows["file"]) for name, rows in found.items()])
    rows = build_split(index).merge(index[["file", "width", "height"]], on="file")
    side = rows[["width", "height"]].min(axis=1)
    corner = {"left": (rows["width"] - side) / 2, "top": (rows["height"] - side) / 2}
    rows = rows.assign(laboratory="pbc", **corner)
    return rows.assign(right=rows["left"] + side, bottom=rows["top"] + side)


def _list_bccd(data: Path) -> Iterator[dict[str, object]]:
    """The white cell of each field in which BCCD itself boxed exactly one: only there its type is sure."""
    types = {
        file.name.rpartition("_")[0]: folder.name.lower()
        for folder in sorted((data / "BCCD_cropped").glob("*"))
        for file in folder.glob("*.jpg")
    }
    for field in load_fields(data, laboratories=("bccd",)):
        named = (field.own or field).of_kind(WHITE)
        if len(named) == 1 and field.file.stem in types:
            boxes = field.of_kind(WHITE)
            box = boxes[compute_iou(named, boxes)[0].argmax()] if len(boxes) else named[0]
            yield _describe(data, field, box, types[field.file.stem])


def _list_chula(data: Path) -> Iterator[dict[str, object]]:
    """Every boxed cell: the boxes of a field stand in the order of the table."""
    table = pd.read_csv(data / "chula_wbc" / "boxes.csv")
    types = {name: rows["cell_type"].tolist() for name, rows in table.groupby("file")}
    for field in load_fields(data, laboratories=("chula",)):
        for box, cell_type in zip(field.boxes, types[field.file.name], strict=True):
            yield _describe(data, field, box, cell_type)


def _describe(data: Path, field: Field, box: np.ndarray, cell_type: str) -> dict[str, object]:
    corners = window_of(box, diameter=field.diameter, width=WINDOW)
    return {
        "laboratory": field.laboratory,
        "file": field.file.relative_to(data).as_posix(),
        **dict(zip(("left", "top", "right", "bottom"), (round(float(x), 2) for x in corners), strict=True)),
        "cell_type": by_name(cell_type).name,
        "subtype": "",
        "part": "train",
    }
