"""Writes drawn cells as files: a bundle's examples, and a folder laid out as the published dataset."""

from itertools import cycle
from pathlib import Path

from PIL import Image

from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.painter.drawing import draw_cell, draw_cells, nth_seed

__all__ = ["save_dataset", "save_examples"]


def save_examples(folder: Path | str, *, per_type: int = 3, seed: int = 0) -> list[Path]:
    """Write a bundle's example cells, `<cell_type>_<number>.jpg`, and return their paths."""
    paths = []
    for i, (name, image) in enumerate(draw_cells(per_type=per_type, seed=seed)):
        path = Path(folder) / f"{name.replace(' ', '_')}_{i % per_type + 1}.jpg"
        paths.append(_save(image, path))
    return paths


def save_dataset(folder: Path | str, *, per_type: int, size: int, seed: int) -> list[Path]:
    """Write a folder tree of drawn cells laid out as the published dataset, and return the paths.

    `<folder>/<folder of the cell type>/<PREFIX>_000001.jpg`, the prefixes of a cell type taking turns.
    """
    paths = []
    for cell_type in CELL_TYPES:
        for i, (prefix, subtype) in zip(range(per_type), cycle(cell_type.subtypes.items()), strict=False):
            image = draw_cell(cell_type.name, size=size, seed=nth_seed(seed, i), subtype=subtype)
            paths.append(_save(image, Path(folder) / cell_type.folder / f"{prefix}_{i + 1:06d}.jpg"))
    return paths


def _save(image: Image.Image, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=92, subsampling=0)
    return path
