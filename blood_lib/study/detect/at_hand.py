"""The fields that a notebook works on: those of four laboratories, or drawn ones where there are none.

No shipped detector learns from drawn fields. `fields` reads photographs and their boxes.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image

from blood_lib.files.errors import BloodError
from blood_lib.images import load_image
from blood_lib.study.cells import CELL_TYPES, by_name
from blood_lib.study.detect.fields import (
    DRAWN,
    KINDS,
    WHITE,
    Field,
    find_data,
    load_field_image,
    load_fields,
)
from blood_lib.study.painter import Smear, draw_smear

__all__ = ["FieldsAtHand", "NamedCell", "draw_fields", "draw_scratch", "open_fields"]

_WHITE = tuple(cell_type.name for cell_type in CELL_TYPES if cell_type.name != "platelet")
_SIZE = (320, 240)
_RED_CELL = 42.0  # px


@dataclass(frozen=True, eq=False)
class NamedCell:
    """The only white cell of a field, and what it is."""

    field: Field
    box: np.ndarray
    """(4,): left, top, right, bottom."""
    cell_type: str
    published: Path | None = None
    """The same cell as its laboratory published it: a crop of another width."""

    def load(self) -> tuple[Image.Image, Image.Image | None]:
        """The field, and the published crop."""
        crop = load_image(self.published) if self.published else None
        return load_field_image(self.field), crop if isinstance(crop, Image.Image) else None


@dataclass(frozen=True, eq=False)
class FieldsAtHand:
    """Fields to work on."""

    fields: list[Field]
    named: list[NamedCell]
    note: str
    """"" for photographs, else what to say on every figure."""

    def of(self, split: str) -> list[Field]:
        """The fields of train or valid whose white cells are all boxed."""
        return [one for one in self.fields if one.split == split and WHITE in one.boxed]


def open_fields(data_dir: Path | str = "", *, n_drawn: int = 12, seed: int = 0) -> FieldsAtHand:
    """The laboratories' fields in `data_dir` or beside it, where the single cells lie; else drawn fields.

    data_dir: "": $BLOOD_DATA, `data` or `../data`.
    """
    for name in [str(data_dir)] if data_dir else [os.environ.get("BLOOD_DATA", ""), "data", "../data"]:
        for folder in (Path(name), Path(name).parent):
            try:
                return _open(find_data(folder))
            except BloodError:
                continue
    scratch = _make_scratch()
    fields = draw_fields(scratch, n_drawn, seed=seed)
    named = [
        _draw_named(scratch / f"named-{i}.png", name, seed + i)
        for i, name in zip(range(n_drawn), cycle(_WHITE), strict=False)
    ]
    return FieldsAtHand(fields, named, "drawn fields, no photographs of a smear")


def _open(folder: Path) -> FieldsAtHand:
    fields = load_fields(folder)
    labels = {
        file.stem.rpartition("_")[0]: file for file in sorted((folder / "BCCD_cropped").glob("*/*.jpg"))
    }
    named = [_name(field, labels[field.file.stem]) for field in fields if _has_one(field, labels)]
    return FieldsAtHand(fields, named, "")


def _has_one(field: Field, labels: Collection[str]) -> bool:
    """Whether the name of the field's white cell is known: the laboratory boxed one only."""
    return (
        field.laboratory == "bccd"
        and field.file.stem in labels
        and len((field.own or field).of_kind(WHITE)) == 1
    )


def _name(field: Field, crop: Path) -> NamedCell:
    (box,) = (field.own or field).of_kind(WHITE)
    return NamedCell(field, box, by_name(crop.parent.name.lower()).name, crop)


def draw_scratch(n: int, *, seed: int = 0) -> list[Field]:
    """Drawn fields that last as long as this process."""
    return draw_fields(_make_scratch(), n, seed=seed)


def _make_scratch() -> Path:
    scratch = Path(tempfile.mkdtemp(prefix="blood-fields-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return scratch


def draw_fields(
    folder: Path, n: int, *, cell_types: Sequence[str] = _WHITE, most_cells: int = 2, seed: int = 0
) -> list[Field]:
    """`n` fields of some white cells, written into `folder`; each third one is for validation."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    fields = []
    for i in range(n):
        names = [str(name) for name in rng.choice(cell_types, int(rng.integers(1, most_cells + 1)))]
        split = "valid" if i % 3 == 2 else "train"
        fields.append(_draw(folder / f"{i:03}.png", names, int(rng.integers(2**31)), split))
    return fields


def _draw_named(file: Path, cell_type: str, seed: int) -> NamedCell:
    field = _draw(file, [cell_type], seed, "valid")
    return NamedCell(field, field.of_kind(WHITE)[0], cell_type)


def _draw(file: Path, names: list[str], seed: int, split: str) -> Field:
    width, height = _SIZE
    smear = draw_smear(names, width=width, height=height, red_cell=_RED_CELL, seed=seed)
    smear.image.save(file)
    boxes, kinds = _box(smear)
    return Field(file, DRAWN, split, boxes, kinds, (0, 1, 2), _RED_CELL)


def _box(smear: Smear) -> tuple[np.ndarray, np.ndarray]:
    """What is seen of each cell, and its kind."""
    groups = (smear.cells, smear.red_cells, smear.platelets)
    boxes = np.array([(x - r, y - r, x + r, y + r) for circles in groups for x, y, r in circles], np.float32)
    boxes = np.clip(boxes, 0, [*smear.image.size] * 2)
    seen = (boxes[:, 2:] - boxes[:, :2] > 1).all(1)
    return boxes[seen], np.repeat(np.arange(len(KINDS)), [len(circles) for circles in groups])[seen]
