"""Draws single cells, sheets of them, and whole fields of a smear, as May-Grünwald-Giemsa shows them.

`appearance` says what each cell type looks like, `scene` lays cells on a slide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from PIL import Image

from blood_lib.study.cells import CELL_TYPES, by_name
from blood_lib.study.painter.appearance import APPEARANCES, Appearance
from blood_lib.study.painter.scene import (
    Circle,
    add_platelets,
    add_red_cells,
    build_canvas,
    develop,
    place_cell,
)

__all__ = ["Smear", "draw_cell", "draw_cells", "draw_field", "draw_sheet", "draw_smear", "nth_seed"]

FRAME = (360, 363)
"""Width and height of a frame of the dataset, in pixels."""

RED_CELL_WIDTH = 70.0
"""Of a red cell in such a frame, in pixels."""


def draw_cell(cell_type: str, *, size: int = 360, seed: int, subtype: str | None = None) -> Image.Image:
    """A drawn frame with one cell of `cell_type` in its middle, as the PBC dataset shows them.

    RGB, `size` pixels wide and 363/360 times as high; the same arguments give the same image. `subtype` is a
    value of `cells.by_name(cell_type).subtypes`, drawn by lot where it is None. KeyError for an unknown cell
    type, ValueError for an unknown subtype.
    """
    rng = _rng(seed, cell_type)
    appearance = _choose_appearance(rng, cell_type, subtype)
    width, height = FRAME
    x, y = np.array(FRAME) / 2 + rng.normal(0, 3, 2)
    circle = (x, y, rng.uniform(*appearance.diameter) / 2)
    image = _draw_scene(rng, FRAME, [(appearance, circle)], crowding=rng.uniform(2, 9)).image
    if size == width:
        return image
    return image.resize((size, round(size * height / width)), Image.Resampling.LANCZOS)


def draw_cells(*, per_type: int, size: int = 360, seed: int = 0) -> Iterator[tuple[str, Image.Image]]:
    """`per_type` drawn cells of each type as (cell type, image), type by type, its subtypes taking turns."""
    for cell_type in CELL_TYPES:
        for i, subtype in zip(range(per_type), cycle(cell_type.subtypes.values()), strict=False):
            yield (
                cell_type.name,
                draw_cell(cell_type.name, size=size, seed=nth_seed(seed, i), subtype=subtype),
            )


def draw_field(
    cell_types: Sequence[str], *, width: int = 1280, height: int = 960, seed: int
) -> tuple[Image.Image, list[Circle]]:
    """A drawn microscope field with one cell of each name in `cell_types`, apart from each other.

    RGB, and where each cell lies: (x, y, radius) in pixels, in the order of `cell_types`. ValueError when
    they do not fit.
    """
    smear = draw_smear(cell_types, width=width, height=height, seed=seed)
    return smear.image, smear.cells


@dataclass(frozen=True, eq=False)
class Smear:
    """A drawn field and where everything in it lies."""

    image: Image.Image
    cells: list[Circle]
    """In the order in which they were asked for."""
    red_cells: list[Circle]
    """Some lie in part beyond the image."""
    platelets: list[Circle]


def draw_smear(
    cell_types: Sequence[str],
    *,
    width: int = 640,
    height: int = 480,
    red_cell: float = RED_CELL_WIDTH,
    crowding: float | None = None,
    seed: int,
) -> Smear:
    """A drawn field of `width` x `height` pixels, in which a red cell is about `red_cell` pixels wide.

    Among its red cells and platelets lies one cell of each name in `cell_types`. crowding: how many red cells
    are tried for the area of two, drawn by lot where it is None. ValueError when the cells do not fit.
    """
    rng = _rng(seed, "field")
    scale = red_cell / RED_CELL_WIDTH
    size = (round(width / scale), round(height / scale))
    placed: list[tuple[Appearance, Circle]] = []
    for name in cell_types:
        appearance = _choose_appearance(rng, name, None)
        circle = _find_place(rng, size, rng.uniform(*appearance.diameter) / 2, [c for _, c in placed])
        if circle is None:
            raise ValueError(
                f"{len(cell_types)} cells do not fit in {width} x {height} pixels: ask for fewer"
            )
        placed.append((appearance, circle))
    smear = _draw_scene(rng, size, placed, crowding=rng.uniform(3, 7) if crowding is None else crowding)
    return smear if scale == 1 else _resize(smear, (width, height), scale)


def _resize(smear: Smear, size: tuple[int, int], scale: float) -> Smear:
    groups = (smear.cells, smear.red_cells, smear.platelets)
    scaled = ([(x * scale, y * scale, radius * scale) for x, y, radius in circles] for circles in groups)
    return Smear(smear.image.resize(size, Image.Resampling.LANCZOS), *scaled)


def draw_sheet(*, columns: int = 6, size: int = 180, seed: int = 0) -> Image.Image:
    """A contact sheet of drawn cells, RGB: a row for each cell type in the order of `CELL_TYPES`."""
    sheet = Image.new("RGB", (columns * size, len(CELL_TYPES) * size), "white")
    for i, (_, image) in enumerate(draw_cells(per_type=columns, size=size, seed=seed)):
        sheet.paste(image.crop((0, 0, size, size)), (i % columns * size, i // columns * size))
    return sheet


def nth_seed(seed: int, i: int) -> int:
    """The seed of the i-th cell of a series: series of different seeds share no cell."""
    return seed * 100_000 + i


def _rng(seed: int, name: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the name alone, the same on every machine."""
    return np.random.default_rng([seed, int.from_bytes(name.encode(), "big")])


def _choose_appearance(rng: np.random.Generator, cell_type: str, subtype: str | None) -> Appearance:
    """The appearance of a subtype; by lot where `subtype` is None or stands for the whole type."""
    names = list(by_name(cell_type).subtypes.values())
    if subtype is not None and subtype not in names:
        raise ValueError(
            f"{cell_type!r} has no subtype {subtype!r}; choose one of {', '.join(sorted(names))}"
        )
    drawn = [name for name in names if name in APPEARANCES]
    return (
        APPEARANCES[subtype] if subtype in APPEARANCES else APPEARANCES[drawn[int(rng.integers(len(drawn)))]]
    )


def _find_place(
    rng: np.random.Generator, size: tuple[int, int], radius: float, taken: list[Circle]
) -> Circle | None:
    """A circle inside the frame that touches none of the others; None when 200 tries find none."""
    for _ in range(200):
        x, y = (rng.uniform(radius, max(side - radius, radius)) for side in size)
        if all(np.hypot(x - a, y - b) > radius + r for a, b, r in taken):
            return x, y, radius
    return None


def _draw_scene(
    rng: np.random.Generator,
    size: tuple[int, int],
    cells: list[tuple[Appearance, Circle]],
    *,
    crowding: float,
) -> Smear:
    """A slide of `size` (width, height) with `cells` among red cells and small platelets."""
    circles = [circle for _, circle in cells]
    canvas = build_canvas(rng, size[::-1])
    red_cells = add_red_cells(rng, canvas, circles, crowding=crowding)
    platelets = add_platelets(rng, canvas, circles)
    for appearance, circle in cells:
        place_cell(rng, canvas, appearance, circle)
    return Smear(develop(rng, canvas, stain=rng.normal(1, 0.04)), circles, red_cells, platelets)
