"""Fields of four laboratories: their boxes, what is boxed in full, and a split that tears nothing apart."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.files.errors import BloodError
from blood_lib.study.detect.fields import KINDS, PLATELET, RED, WHITE, load_fields
from blood_lib.study.painter import Smear, draw_smear

NOTES = "<annotation>{}</annotation>"
NOTE = (
    "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin>"
    "<xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)
N = 6  # fields of each laboratory


def boxes_of(circles: list[tuple[float, float, float]]) -> list[tuple[int, int, int, int]]:
    """Left, top, width, height."""
    return [(round(x - r), round(y - r), round(2 * r), round(2 * r)) for x, y, r in circles]


def save(smear: Smear, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    smear.image.save(file, quality=92)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder laid out as the published one, with drawn fields; half of BCCD's have better boxes."""
    root = tmp_path_factory.mktemp("fields")
    better = ["file,x,y,width,height,kind"]
    chula, pigs = ["file,slide,x,y,width,height,cell_type"], ["file,x,y,width,height,kind"]
    (root / "BCCD" / "Annotations").mkdir(parents=True)
    for i in range(N):
        smear = draw_smear(["lymphocyte"], width=200, height=160, red_cell=25, seed=i)
        groups = dict(zip(KINDS, (smear.cells, smear.red_cells, smear.platelets), strict=True))
        name = f"BCCD/JPEGImages/BloodImage_{i:05d}.jpg"
        save(smear, root / name)
        ((x, y, w, h),) = boxes_of(smear.cells)
        note = NOTE.format("WBC", x, y, x + w, y + h) + NOTE.format("RBC", 5, 5, 5, 5)
        (root / "BCCD" / "Annotations" / f"BloodImage_{i:05d}.xml").write_text(NOTES.format(note))
        if i % 2:
            better += [
                f"{name},{','.join(map(str, box))},{kind}"
                for kind, cells in groups.items()
                for box in boxes_of(cells)
            ]
        save(smear, root / "chula_wbc" / "fields" / f"S{i % 2}_{i}.jpg")
        chula.append(f"S{i % 2}_{i}.jpg,S{i % 2},{x},{y},{w},{h},lymphocyte")
        save(smear, root / "pig_fields" / "fields" / f"{i:03d}.jpg")
        pigs.append(f"{i:03d}.jpg,{x},{y},{w},{h},white cell")
    (root / "txl_boxes.csv").write_text("\n".join(better) + "\n")
    (root / "chula_wbc" / "boxes.csv").write_text("\n".join(chula) + "\n")
    (root / "pig_fields" / "boxes.csv").write_text("\n".join(pigs) + "\n")
    return root


def test_better_boxes_are_used_and_the_own_ones_kept(data):
    fields = load_fields(data, laboratories=("bccd",))
    assert len(fields) == N
    for i, field in enumerate(fields):
        assert (field.own is not None) == (i % 2 == 1)
        assert field.boxed == ((WHITE, RED, PLATELET) if i % 2 else (WHITE,))
        assert len(field.of_kind(WHITE)) == 1
    assert len(fields[1].own.boxes) == 1, "a box without an area is none"


def test_where_white_cells_alone_are_boxed_the_rest_is_not_said_to_be_absent(data):
    for field in load_fields(data, laboratories=("chula", "pigs")):
        assert field.boxed == (WHITE,) and (field.kinds == WHITE).all()
        assert field.diameter > 0


def test_boxes_are_corners_in_the_field_s_own_pixels(data):
    field = load_fields(data, laboratories=("pigs",))[0]
    x, y, radius = draw_smear(["lymphocyte"], width=200, height=160, red_cell=25, seed=0).cells[0]
    assert field.boxes[0] == pytest.approx([x - radius, y - radius, x + radius, y + radius], abs=1)


def test_a_slide_is_never_torn_apart_and_the_same_pixels_have_the_same_split(data):
    fields = load_fields(data)
    slides = {}
    for field in fields:
        if field.laboratory == "chula":
            slides.setdefault(field.file.name[:2], set()).add(field.split)
    assert all(len(splits) == 1 for splits in slides.values())
    splits = {lab: [f.split for f in fields if f.laboratory == lab] for lab in ("bccd", "pigs")}
    assert splits["bccd"] == splits["pigs"], "they show the same drawn fields"


def test_a_folder_without_fields_is_told(tmp_path):
    with pytest.raises(BloodError, match="has no BCCD, chula_wbc"):
        load_fields(tmp_path)


def test_kinds_stand_for_their_names():
    assert [KINDS[kind] for kind in (WHITE, RED, PLATELET)] == ["white cell", "red cell", "platelet"]
    assert np.array_equal(np.unique([WHITE, RED, PLATELET]), np.arange(3))
