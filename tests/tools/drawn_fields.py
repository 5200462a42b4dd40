"""Drawn fields of three laboratories, laid out as the published folders are: images, boxes, notes, types."""

from collections.abc import Sequence
from pathlib import Path

from blood_lib.study.detect.fields import KINDS
from blood_lib.study.painter import Smear, draw_smear

__all__ = ["draw_field", "save_fields"]

_NOTES = "<annotation>{}</annotation>"
_NOTE = (
    "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin>"
    "<xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)


def draw_field(cell_type: str, *, seed: int) -> Smear:
    """A field of 200 by 160 px with one white cell; red cells are 25 px wide."""
    return draw_smear([cell_type], width=200, height=160, red_cell=25, seed=seed)


def save_fields(root: Path, types: Sequence[str]) -> None:
    """Below `root` a field with one cell of each of the `types`, the same for BCCD, Chula and the pigs.

    Every second one of BCCD's has better boxes. Chula's are of two slides in turn.
    """
    better = ["file,x,y,width,height,kind"]
    chula, pigs = ["file,slide,x,y,width,height,cell_type"], ["file,x,y,width,height,kind"]
    (root / "BCCD" / "Annotations").mkdir(parents=True)
    for i, cell_type in enumerate(types):
        smear = draw_field(cell_type, seed=i)
        groups = dict(zip(KINDS, (smear.cells, smear.red_cells, smear.platelets), strict=True))
        name = f"BCCD/JPEGImages/BloodImage_{i:05d}.jpg"
        _save(smear, root / name)
        ((x, y, w, h),) = _boxes_of(smear.cells)
        note = _NOTE.format("WBC", x, y, x + w, y + h) + _NOTE.format("RBC", 5, 5, 5, 5)
        (root / "BCCD" / "Annotations" / f"BloodImage_{i:05d}.xml").write_text(_NOTES.format(note))
        if i % 2:
            better += [
                f"{name},{','.join(map(str, box))},{kind}"
                for kind, cells in groups.items()
                for box in _boxes_of(cells)
            ]
        _save(smear, root / "BCCD_cropped" / cell_type.capitalize() / f"BloodImage_{i:05d}_1.jpg")
        _save(smear, root / "chula_wbc" / "fields" / f"S{i % 2}_{i}.jpg")
        chula.append(f"S{i % 2}_{i}.jpg,S{i % 2},{x},{y},{w},{h},{cell_type}")
        _save(smear, root / "pig_fields" / "fields" / f"{i:03d}.jpg")
        pigs.append(f"{i:03d}.jpg,{x},{y},{w},{h},white cell")
    (root / "txl_boxes.csv").write_text("\n".join(better) + "\n")
    (root / "chula_wbc" / "boxes.csv").write_text("\n".join(chula) + "\n")
    (root / "pig_fields" / "boxes.csv").write_text("\n".join(pigs) + "\n")


def _boxes_of(circles: list[tuple[float, float, float]]) -> list[tuple[int, int, int, int]]:
    """Left, top, width, height."""
    return [(round(x - r), round(y - r), round(2 * r), round(2 * r)) for x, y, r in circles]


def _save(smear: Smear, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    smear.image.save(file, quality=92)
