"""Lists every file of a copy of the dataset: its class, subtype, size, and the hashes of its bytes and its pixels.

What the table means is left to `audit` (what is wrong) and `split` (which part).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from PIL import Image

from blood_lib.study.data._door import BloodError, Rejection, load_image
from blood_lib.study.cells import CELL_TYPES, subtype_of

__all__ = ["COLUMNS", "DATASET", "build_index", "find_dataset", "hash_pixels"]

DATASET = "PBC_dataset_normal_DIB"
"""The name of the folder that the published archive holds."""

COLUMNS = ("file", "cell_type", "subtype", "bytes", "width", "height", "sha256", "pixels", "problem")

_NAMES = {cell_type.folder: cell_type.name for cell_type in CELL_TYPES}


def find_dataset(folder: Path | str) -> Path:
    """The folder that holds the class folders: `folder`, or the one with the dataset's name inside it.

    Raises BloodError when neither holds a folder of a known cell type.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BloodError(
            f"There is no folder {folder}; give the dataset's folder, or download it: blood data fetch."
        )
    for candidate in (folder, folder / DATASET):
        if any((candidate / name).is_dir() for name in _NAMES):
            return candidate
    raise BloodError(
        f"{folder} does not look like the dataset: none of the folders {', '.join(_NAMES)} is in it; "
        "give the folder that holds them, or download it: blood data fetch."
    )


def hash_pixels(image: Image.Image) -> str:
    """sha256 (hexadecimal) of an RGB image: of the text `WIDTHxHEIGHT:` and then its bytes R, G, B, row by row.

    Equal for two images exactly when they have the same size and the same pixels, whatever file they came from.
    """
    return hashlib.sha256(f"{image.width}x{image.height}:".encode() + image.tobytes()).hexdigest()


def build_index(
    folder: Path | str, *, workers: int = 4, progress: Callable[[Iterable], Iterable] | None = None
) -> pd.DataFrame:
    """One row per file below the dataset's folder, sorted by name; nothing is left out, whatever it is.

    file: path below the dataset's folder, with `/`; cell_type: as in the bundle, "" outside a class folder; subtype: "" when
    the name tells none; bytes; width, height: 0 when unreadable; sha256: of the file; pixels: see `hash_pixels`, "" when
    unreadable; problem: "" or one sentence that says why there is no image. `progress` wraps the rows (e.g. `tqdm`).
    """
    root = find_dataset(folder)
    files = sorted(
        (path for path in root.rglob("*") if path.is_file()),
        key=lambda path: path.relative_to(root).as_posix(),
    )
    with ThreadPoolExecutor(
        workers
    ) as pool:  # reading, decoding and hashing all let go of the interpreter's lock
        rows: Iterator = pool.map(lambda path: _row(root, path), files)
        table = pd.DataFrame(_with_progress(rows, len(files), progress), columns=list(COLUMNS))
    return table


def _with_progress(rows: Iterator, total: int, progress: Callable | None) -> list:
    return list(rows if progress is None else progress(rows, total=total))


def _row(root: Path, path: Path) -> tuple:
    file = path.relative_to(root).as_posix()
    cell_type, subtype = _NAMES.get(file.rpartition("/")[0], ""), subtype_of(file) or ""
    try:
        content = path.read_bytes()
    except OSError as error:
        return file, cell_type, subtype, 0, 0, 0, "", "", f"cannot be read: {error.strerror}"
    sha256 = hashlib.sha256(content).hexdigest()
    image = load_image(content)
    if isinstance(image, Rejection):
        return file, cell_type, subtype, len(content), 0, 0, sha256, "", image.reason
    return file, cell_type, subtype, len(content), *image.size, sha256, hash_pixels(image), ""
