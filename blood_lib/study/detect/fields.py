"""The fields to learn from: four laboratories, their boxes, what is boxed in full, and the split.

Fields are split by a salted hash of their pixels, or of the slide's name where slides are known.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from PIL import Image

from blood_lib.detection.ruler import measure
from blood_lib.files.errors import BloodError
from blood_lib.images import Rejection, load_image
from blood_lib.study.data.index import hash_pixels
from blood_lib.study.data.split import SALT, split_of

__all__ = [
    "DRAWN",
    "KINDS",
    "LABORATORIES",
    "PLATELET",
    "RED",
    "WHITE",
    "Field",
    "find_data",
    "find_laboratory",
    "load_fields",
    "load_field_image",
]

KINDS = ("white cell", "red cell", "platelet")
WHITE, RED, PLATELET = range(3)

_BCCD_KINDS = {"WBC": WHITE, "RBC": RED, "Platelets": PLATELET}


@dataclass(frozen=True)
class Laboratory:
    """Where fields come from."""

    share: float
    """Of the views of a training."""
    diameter: float
    """Of a red cell, in pixels, for fields where too few are boxed."""
    misses: bool = False
    """Whether some of its white cells have no box."""


LABORATORIES = {
    "bccd": Laboratory(share=0.3, diameter=104),
    "pbc": Laboratory(share=0.2, diameter=80),
    "chula": Laboratory(share=0.25, diameter=46, misses=True),
    "pigs": Laboratory(share=0.25, diameter=11.5),
    "crops": Laboratory(share=0.15, diameter=80),
}

DRAWN = "drawn"
"""What drawn fields have for a laboratory; see `drawn`."""


def find_laboratory(name: str) -> Laboratory:
    """One of LABORATORIES, or that of drawn fields."""
    return Laboratory(share=1.0, diameter=42) if name == DRAWN else LABORATORIES[name]


@dataclass(frozen=True, eq=False)
class Field:
    """One photograph and what is boxed in it."""

    file: Path
    laboratory: str
    split: str
    """train or valid."""
    boxes: np.ndarray
    """(N, 4) float32: left, top, right, bottom in pixels."""
    kinds: np.ndarray
    """(N,) int, places in KINDS."""
    boxed: tuple[int, ...]
    """The kinds of which each cell has a box; of the others some may have one."""
    diameter: float
    """Of a red cell, in pixels."""
    doubtful: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    """(N,) bool, where there is doubt at all: boxes that are neither cell nor none."""
    own: "Field | None" = None
    """The same photograph with the boxes of its own laboratory, where better ones are used."""

    @property
    def doubts(self) -> np.ndarray:
        """(N,) bool: see `doubtful`."""
        return self.doubtful if len(self.doubtful) else np.zeros(len(self.boxes), bool)

    def of_kind(self, kind: int) -> np.ndarray:
        """The boxes of one kind."""
        return self.boxes[self.kinds == kind]


def find_data(folder: Path | str) -> Path:
    """`folder`, which holds the laboratories' folders; BloodError where it does not."""
    folder = Path(folder)
    missing = [
        name for name in ("BCCD", "chula_wbc", "pig_fields", "txl_boxes.csv") if not (folder / name).exists()
    ]
    if missing:
        raise BloodError(f"{folder} has no {', '.join(missing)}; name the folder that holds the fields.")
    return folder


def load_field_image(one: Field) -> Image.Image:
    """The photograph, RGB."""
    return _load(one.file)


def _load(file: Path) -> Image.Image:
    image = load_image(file)
    if isinstance(image, Rejection):
        raise BloodError(f"{file} cannot be read: {image.reason} Get the file again.")
    return image


def load_fields(folder: Path | str, *, laboratories: Iterable[str] = tuple(LABORATORIES)) -> list[Field]:
    """The fields of the `laboratories`, sorted by file; decodes each one to split by its pixels."""
    folder = find_data(folder)
    readers = {
        "bccd": _load_bccd,
        "pbc": _load_pbc,
        "chula": _load_chula,
        "pigs": _load_pigs,
        "crops": _load_crops,
    }
    return [one for name in laboratories for one in readers[name](folder)]


def _load_bccd(folder: Path) -> list[Field]:
    better = _load_better(folder)
    fields = []
    for notes in sorted((folder / "BCCD" / "Annotations").glob("*.xml")):
        name = f"BCCD/JPEGImages/{notes.stem}.jpg"
        own = _build(folder / name, "bccd", *_read_notes(notes), boxed=(WHITE,))
        fields.append(
            replace(_build(folder / name, "bccd", *better[name]), own=own) if name in better else own
        )
    return fields


def _load_pbc(folder: Path) -> list[Field]:
    better = _load_better(folder)
    names = sorted(name for name in better if name.startswith("PBC"))
    return [_build(folder / name, "pbc", *better[name]) for name in names if (folder / name).exists()]


def _load_chula(folder: Path) -> list[Field]:
    table = pd.read_csv(folder / "chula_wbc" / "boxes.csv")
    return [
        replace(
            _build(
                folder / "chula_wbc" / "fields" / str(name),
                "chula",
                _boxes(rows),
                np.zeros(len(rows), int),
                boxed=(WHITE,),
            ),
            split=_split_of(hashlib.sha256(str(rows["slide"].iloc[0]).encode()).hexdigest()),
        )
        for name, rows in table.groupby("file")
    ]


def _load_pigs(folder: Path) -> list[Field]:
    table = pd.read_csv(folder / "pig_fields" / "boxes.csv", dtype={"file": str})
    return [
        _build(
            folder / "pig_fields" / "fields" / name,
            "pigs",
            _boxes(rows),
            np.zeros(len(rows), int),
            boxed=(WHITE,),
        )
        for name, rows in table.groupby("file")
    ]


CROPS = {"erythroblast": WHITE, "ig": WHITE, "platelet": PLATELET}
"""Folders of PBC none of whose images has boxes, and the kind of the cell in the middle of each."""

CROPS_PER_FOLDER = 80


def _load_crops(folder: Path) -> list[Field]:
    """Images of one cell each without any box; only `pseudo_labels` gives them some."""
    found: list[Field] = []
    for name in CROPS:
        files = sorted((folder / "PBC_dataset_normal_DIB" / name).glob("*.jpg"))
        crops = (
            _build(file, "crops", np.zeros((0, 4), np.float32), np.zeros(0, int), boxed=()) for file in files
        )
        found += islice((crop for crop in crops if crop.split == "train"), CROPS_PER_FOLDER)
    return found


def _load_better(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Boxes and kinds of each file in txl_boxes.csv."""
    table = pd.read_csv(folder / "txl_boxes.csv")
    return {
        str(name): (_boxes(rows), rows["kind"].map(KINDS.index).to_numpy())
        for name, rows in table.groupby("file")
    }


def _boxes(rows: pd.DataFrame) -> np.ndarray:
    left, top, width, height = rows[["x", "y", "width", "height"]].to_numpy(np.float32).T
    return np.stack([left, top, left + width, top + height], 1)


def _read_notes(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and kinds of a file of Pascal VOC notes; boxes without an area are left out."""
    boxes, kinds = [], []
    for thing in ElementTree.parse(file).getroot().iter("object"):
        corners = [
            float(thing.findtext(f"bndbox/{name}", "nan")) for name in ("xmin", "ymin", "xmax", "ymax")
        ]
        if corners[2] > corners[0] and corners[3] > corners[1]:
            boxes.append(corners)
            kinds.append(_BCCD_KINDS[thing.findtext("name", "")])
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, int)


def _build(
    file: Path,
    laboratory: str,
    boxes: np.ndarray,
    kinds: np.ndarray,
    *,
    boxed: Sequence[int] = (WHITE, RED, PLATELET),
) -> Field:
    image = _load(file)
    ruler = measure(boxes[kinds == RED], image.size)
    diameter = ruler.diameter if ruler and ruler.is_sound else LABORATORIES[laboratory].diameter
    return Field(file, laboratory, _split_of(hash_pixels(image)), boxes, kinds, tuple(boxed), diameter)


def _split_of(pixels: str) -> str:
    """A fifth is for validation: what is valid or test among the cells. There is no third part."""
    return "train" if split_of(pixels, salt=SALT) == "train" else "valid"
