"""Fields of four laboratories: their boxes, what is boxed in full, and a split that tears nothing apart."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.files.errors import BloodError
from blood_lib.study.detect.fields import KINDS, PLATELET, RED, WHITE, load_fields
from tests.tools.drawn_fields import draw_field, save_fields

N = 6  # fields of each laboratory


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder laid out as the published one, with drawn fields; half of BCCD's have better boxes."""
    root = tmp_path_factory.mktemp("fields")
    save_fields(root, ["lymphocyte"] * N)
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
    x, y, radius = draw_field("lymphocyte", seed=0).cells[0]
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
