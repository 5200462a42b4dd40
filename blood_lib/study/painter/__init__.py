"""Draws example cells as May-Grünwald-Giemsa shows them, for examples, tests and the quick profile.

Every pixel is made here from the table in `looks`, none is taken from a dataset; no model is ever trained on them
to be shipped. Measuring how well a model names them is left to the tests.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from blood_lib.study.cells import CELL_TYPES, by_name
from blood_lib.study.painter.looks import LOOKS, Look
from blood_lib.study.painter.scene import add_debris, add_red_cells, build_canvas, develop, place_cell

__all__ = ["draw_cell", "draw_cells", "draw_field", "draw_sheet", "save_dataset", "save_examples"]

FRAME = (360, 363)
"""Width and height of a frame of the dataset, in pixels."""


def _rng(*key: int | str) -> np.random.Generator:
    return np.random.default_rng([part if isinstance(part, int) else int.from_bytes(part.encode()) for part in key])


def _choose_look(rng: np.random.Generator, cell_type: str, subtype: str | None) -> Look:
    """The look of a subtype, or of one of the type's subtypes drawn by lot."""
    names = list(by_name(cell_type).subtypes.values())
    if subtype is not None and subtype not in names:
        raise ValueError(f"{subtype!r} is no subtype of {cell_type!r}; choose one of {', '.join(sorted(names))}")
    if subtype in LOOKS:
        return LOOKS[subtype]
    drawn = [name for name in names if name in LOOKS]
    return LOOKS[drawn[int(rng.integers(len(drawn)))]]


def draw_cell(cell_type: str, *, size: int = 360, seed: int, subtype: str | None = None) -> Image.Image:
    """A drawn frame with one cell of `cell_type` in its middle, as the PBC dataset shows them.

    RGB, `size` pixels wide and 363/360 as high. The same arguments give the same image. `subtype` is one of
    `cells.by_name(cell_type).subtypes` (one drawn by lot without it); ValueError or KeyError for an unknown one.
    """
    rng = _rng(seed, cell_type)
    look = _choose_look(rng, cell_type, subtype)
    width, height = FRAME
    diameter = rng.uniform(*look.diameter)
    centre = (width / 2 + rng.normal(0, 3), height / 2 + rng.normal(0, 3))
    middle = [(*centre, diameter / 2)]
    canvas = build_canvas(rng, (height, width))
    add_red_cells(rng, canvas, middle, crowding=rng.uniform(2, 9))
    add_debris(rng, canvas, middle)
    place_cell(rng, canvas, look, centre, diameter)
    image = develop(rng, canvas, stain=rng.normal(1, 0.04))
    return image if size == width else image.resize((size, round(size * height / width)), Image.Resampling.LANCZOS)


def draw_cells(*, per_type: int, size: int = 360, seed: int = 0) -> Iterable[tuple[str, Image.Image]]:
    """`per_type` drawn cells of each type, as (cell type, image), type by type."""
    for cell_type in CELL_TYPES:
        for i in range(per_type):
            yield cell_type.name, draw_cell(cell_type.name, size=size, seed=seed * 100_000 + i)


def draw_field(cell_types: Sequence[str], *, width: int = 1280, height: int = 960, seed: int) -> Image.Image:
    """A drawn microscope field, RGB, with one cell of each name in `cell_types`, apart from each other."""
    rng = _rng(seed, "field")
    canvas = build_canvas(rng, (height, width))
    placed: list[tuple[Look, tuple[float, float, float]]] = []
    for name in cell_types:
        look = _choose_look(rng, name, None)
        radius = rng.uniform(*look.diameter) / 2
        for _ in range(200):
            x, y = rng.uniform(radius, width - radius), rng.uniform(radius, height - radius)
            if all(np.hypot(x - a, y - b) > radius + r for _, (a, b, r) in placed):
                placed.append((look, (x, y, radius)))
                break
        else:
            raise ValueError(f"{len(cell_types)} cells do not fit in {width} x {height} pixels; ask for fewer")
    circles = [circle for _, circle in placed]
    add_red_cells(rng, canvas, circles, crowding=rng.uniform(3, 7))
    add_debris(rng, canvas, circles)
    for look, (x, y, radius) in placed:
        place_cell(rng, canvas, look, (x, y), 2 * radius)
    return develop(rng, canvas)


def draw_sheet(*, columns: int = 6, size: int = 180, seed: int = 0) -> Image.Image:
    """A contact sheet of drawn cells, RGB: one row per cell type in the order of `CELL_TYPES`, no captions."""
    sheet = Image.new("RGB", (columns * size, len(CELL_TYPES) * size), "white")
    for i, (_, image) in enumerate(draw_cells(per_type=columns, size=size, seed=seed)):
        sheet.paste(image.crop((0, 0, size, size)), (i % columns * size, i // columns * size))
    return sheet


def save_examples(folder: Path, *, per_type: int = 3, seed: int = 0) -> list[Path]:
    """Write the bundle's example cells, `<cell_type>_<number>.png`, and return their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i, (name, image) in enumerate(draw_cells(per_type=per_type, size=240, seed=seed)):
        paths.append(folder / f"{name.replace(' ', '_')}_{i % per_type + 1}.png")
        image.quantize(256, dither=Image.Dither.NONE).save(paths[-1], optimize=True)
    return paths


def save_dataset(folder: Path, *, per_type: int, size: int, seed: int) -> list[Path]:
    """Write a folder tree of drawn cells laid out as the published dataset, and return the paths.

    `<folder>/<class folder>/<PREFIX>_000001.jpg`; subtypes take turns.
    """
    paths = []
    for cell_type in CELL_TYPES:
        prefixes = list(cell_type.subtypes.items())
        (Path(folder) / cell_type.folder).mkdir(parents=True, exist_ok=True)
        for i in range(per_type):
            prefix, subtype = prefixes[i % len(prefixes)]
            image = draw_cell(cell_type.name, size=size, seed=seed * 100_000 + i, subtype=subtype)
            paths.append(Path(folder) / cell_type.folder / f"{prefix}_{i + 1:06d}.jpg")
            image.save(paths[-1], quality=92)
    return paths
