"""A small copy of the dataset for training on another machine: smaller frames, and the originals' split.

A bundle's figures are measured on the originals, never on such a copy.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from blood_lib.files.errors import BloodError
from blood_lib.images import crop_and_resize
from blood_lib.study.data.index import build_index, find_dataset, load_usable_image
from blood_lib.study.data.split import SPLIT_FILE, build_split, save_split
from blood_lib.study.progress import Progress

__all__ = ["pack_dataset"]

QUALITY = 90
"""Of WebP: some 8 kB an image."""


def pack_dataset(
    folder: Path | str, out: Path, *, image_size: int = 256, progress: Progress | None = None
) -> pd.DataFrame:
    """Write the usable images in `folder` into `out`, under their names: the centred square of the shorter
    side, `image_size` px wide, as WebP; and the split of the originals, which `load_split` finds there.

    Returns the split. Raises BloodError when `folder` does not hold the dataset, or `out` is not empty or
    cannot be written.
    """
    root = find_dataset(folder)
    if out.exists() and any(out.iterdir()):
        raise BloodError(f"{out} is not empty; name a new folder.")
    split = build_split(build_index(root, progress=progress))
    try:
        for name in sorted({file.rpartition("/")[0] for file in split["file"]}):
            (out / name).mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda file: _pack(root / file, out / file, image_size), split["file"]))
    except OSError as error:
        raise BloodError(f"{out} cannot be written: {error.strerror}; name another folder.") from None
    save_split(split, out / SPLIT_FILE)
    return split


def _pack(source: Path, target: Path, image_size: int) -> None:
    crop_and_resize(load_usable_image(source), image_size=image_size, crop=1.0).save(
        target, "WEBP", quality=QUALITY
    )
