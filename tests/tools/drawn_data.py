"""A tiny copy of the dataset, drawn at random, with every fault that the real one has.

Cells that look like cells are for `blood_lib.study.painter`; here only the files matter.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from blood_lib.study.cells import CELL_TYPES

PER_SUBTYPE = 4


def draw_jpeg(seed: int, size: tuple[int, int] = (36, 33)) -> bytes:
    """A JPEG of coloured noise; the same seed gives the same bytes."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def draw_files() -> dict[str, bytes]:
    """`folder/name` -> content: four images of each subtype of each cell type, all different."""
    names = [
        f"{cell_type.folder}/{prefix}_{number}.jpg"
        for cell_type in CELL_TYPES
        for prefix in cell_type.subtypes
        for number in range(PER_SUBTYPE)
    ]
    return {name: draw_jpeg(seed) for seed, name in enumerate(names)}


def spoil(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same with junk, a pair in one class, one in two, an odd size, a broken and a misplaced image."""
    return files | {
        "neutrophil/.DS_1.jpg": b"\0\0\0\1Bud1 is no image",
        "lymphocyte/notes.txt": b"written by hand",
        "basophil/BA_90.jpg": files["basophil/BA_0.jpg"],
        "monocyte/MO_91.jpg": files["platelet/PLATELET_1.jpg"],
        "ig/IG_92.jpg": draw_jpeg(9001, (36, 30)),
        "eosinophil/EO_93.jpg": files["eosinophil/EO_1.jpg"][:-300],
        "elsewhere/EO_94.jpg": draw_jpeg(9002),
    }


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Writes each content below `folder`; returns `folder`."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
