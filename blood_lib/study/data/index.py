"""Lists every file of a copy of the dataset: class, subtype, size, and hashes of its bytes and pixels.

`audit` finds what is wrong in this table, and `split` builds the split from it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from blood_lib.files.errors import BloodError
from blood_lib.images import Rejection, load_image
from blood_lib.study.cells import CELL_TYPES, subtype_of
from blood_lib.study.progress import Progress

__all__ = [
    "COLUMNS",
    "DATASET",
    "build_index",
    "find_dataset",
    "hash_pixels",
    "list_files",
    "load_usable_image",
    "select_images",
]

DATASET = "PBC_dataset_normal_DIB"
"""The folder that the published archive holds."""

COLUMNS = ("file", "cell_type", "subtype", "bytes", "width", "height", "sha256", "pixels", "problem")

_NAMES = {cell_type.folder: cell_type.name for cell_type in CELL_TYPES}


def find_dataset(folder: Path | str) -> Path:
    """The folder that holds the class folders: `folder`, or the one with the dataset's name inside it.

    Raises BloodError when there is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BloodError(
            f"There is no folder {folder}; name the dataset's, or download it: blood data fetch."
        )
    for candidate in (folder, folder / DATASET):
        if any((candidate / name).is_dir() for name in _NAMES):
            return candidate
    raise BloodError(
        f"{folder} does not hold the dataset, none of the folders {', '.join(_NAMES)} is in it; "
        "name the folder that has them, or download the dataset: blood data fetch."
    )


def list_files(root: Path) -> list[str]:
    """Every file below `root`, hidden ones included, as a sorted list of paths below it, with `/`."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def load_usable_image(path: Path) -> Image.Image:
    """The image in the file `path`, RGB; BloodError with the reason where it cannot be used."""
    image = load_image(path)
    if isinstance(image, Rejection):
        raise BloodError(f"{path} cannot be used: {image.reason}")
    return image


def select_images(index: pd.DataFrame) -> pd.DataFrame:
    """The rows of `build_index` that are images of a cell type, row labels kept."""
    return index[(index["pixels"] != "") & (index["cell_type"] != "")]


def hash_pixels(image: Image.Image) -> str:
    """sha256, hexadecimal, of the text `WIDTHxHEIGHT:` followed by the bytes R, G, B, row by row.

    Two RGB images have the same one when they have the same size and pixels, whatever files they came from.
    """
    return hashlib.sha256(b"%dx%d:" % image.size + image.tobytes()).hexdigest()


def build_index(
    folder: Path | str,
    *,
    files: Sequence[str] | None = None,
    workers: int = 4,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """One row per file of the copy in `folder`, sorted by name; nothing is left out, whatever it is.

    file        path below the dataset's folder, with `/`
    cell_type   as in the bundle; "" outside the class folders
    subtype     "" when the file's name tells none
    bytes, width, height   0 when unknown
    sha256      of the file's bytes
    pixels      `hash_pixels`; "" when there is no image
    problem     "" or one sentence: why there is no image

    With `files` only these. `progress(rows, total=n)` iterates over the rows and shows it.
    """
    root = find_dataset(folder)
    files = list_files(root) if files is None else sorted(files)
    with ThreadPoolExecutor(
        workers
    ) as pool:  # reading, decoding and hashing let go of the interpreter's lock
        rows: Iterable[dict[str, Any]] = pool.map(lambda file: _index_file(root, file), files)
        rows = rows if progress is None else progress(rows, total=len(files))
        return pd.DataFrame(list(rows), columns=list(COLUMNS))


def _index_file(root: Path, file: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "file": file,
        "cell_type": _NAMES.get(file.rpartition("/")[0], ""),
        "subtype": subtype_of(file) or "",
    } | {"bytes": 0, "width": 0, "height": 0, "sha256": "", "pixels": "", "problem": ""}
    try:
        content = (root / file).read_bytes()
    except OSError as error:
        return row | {"problem": f"the file cannot be read: {error.strerror}."}
    row |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    image = load_image(content)
    if isinstance(image, Rejection):
        return row | {"problem": str(image.reason)}
    return row | {"width": image.width, "height": image.height, "pixels": hash_pixels(image)}
