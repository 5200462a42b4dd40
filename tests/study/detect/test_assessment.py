"""Tables of what a finder finds: worked out by hand for a field with two cells."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.detection.found import Found
from blood_lib.study.detect.assessment import (
    Shown,
    compare_rulers,
    compute_curve,
    compute_precisions,
    list_errors,
    look,
    summarise,
)
from blood_lib.study.detect.at_hand import draw_fields, open_fields
from blood_lib.study.detect.exporting import SERVED_KINDS
from blood_lib.study.detect.fields import KINDS, RED, WHITE, Field

CELLS = [[20, 20, 40, 40], [60, 60, 80, 80]]


def shown(boxes: list, scores: list[float], *, truth: list = CELLS, kind: int = WHITE) -> Shown:
    """A field of 100 px with cells of `kind` at `truth`, and what was found."""
    kinds = np.full(len(truth), kind)
    field = Field(Path("f.png"), "bccd", "valid", np.array(truth, float), kinds, (0, 1, 2), 20.0)
    found, n = np.array(boxes, float).reshape(-1, 4), len(boxes)
    cut = np.zeros(n, bool)
    return Shown(field, Found((100, 100), SERVED_KINDS, found, np.full(n, kind), np.array(scores), cut, None))


def test_only_what_is_found_when_served_is_summed_up():
    one = shown([CELLS[0], CELLS[1], [5, 60, 25, 80]], [0.9, 0.1, 0.9])
    (row,) = summarise({"mine": [one, one]}).to_dict("records")
    assert (row["fields"], row["white cells"], row["found"], row["false alarms"]) == (2, 4, 2, 2)
    assert row["recall"] == 0.5 and row["recall_low"] < 0.5 < row["recall_high"] and row["per field"] == 1


def test_a_curve_goes_from_the_surest_down_and_leaves_out_what_is_cut():
    edge = [0, 40, 10, 60]
    curve = compute_curve([shown([CELLS[0], edge, [5, 60, 25, 80], CELLS[1]], [0.9, 0.8, 0.5, 0.2])], WHITE)
    assert curve["score"].tolist() == [0.9, 0.5, 0.2]
    assert curve["recall"].tolist() == [0.5, 0.5, 1.0]
    assert curve["precision"].tolist() == pytest.approx([1, 0.5, 2 / 3])
    assert curve["per field"].tolist() == [0, 1, 1]


def test_what_finds_every_cell_first_has_an_average_precision_of_one():
    precisions = compute_precisions([shown([*CELLS, [5, 60, 25, 80]], [0.9, 0.8, 0.1])])
    assert precisions["white cell"] == 1 and np.isnan(precisions["platelet"])


def test_rulers_are_compared_where_enough_red_cells_are_boxed():
    grid = [[x, y, x + 20, y + 20] for x in (5, 35, 65) for y in (10, 60)]
    wide = [[x, y, x + 22, y + 22] for x, y, *_ in grid]
    table = compare_rulers([shown(wide, [0.9] * 6, truth=grid, kind=RED), shown([], [], kind=RED)])
    assert table["ratio"].tolist() == [pytest.approx(1.1)] and table["sound"].all()


def test_errors_name_the_field_and_what_is_wrong_in_it():
    good, bad = shown(CELLS, [0.9, 0.9]), shown([CELLS[0], [5, 60, 25, 80]], [0.9, 0.9])
    assert list_errors([good, bad]).to_dict("records") == [
        {"at": 1, "fields of": "bccd", "file": "f.png", "missed": 1, "false alarms": 1}
    ]


def test_drawn_fields_have_the_boxes_of_what_a_perfect_finder_finds(tmp_path):
    fields = draw_fields(tmp_path, 3)
    assert [field.split for field in fields] == ["train", "train", "valid"]
    every = iter(fields)

    def know(image):
        field = next(every)
        scores, cut = np.ones(len(field.boxes)), np.zeros(len(field.boxes), bool)
        return Found(image.size, SERVED_KINDS, field.boxes, field.kinds, scores, cut, None)

    assert summarise({"": look(know, fields)})["recall"].tolist() == [1.0]
    assert all((field.boxes[:, 2:] <= (320, 240)).all() for field in fields)


def test_where_there_are_no_photographs_fields_are_drawn_and_said_to_be(tmp_path):
    data = open_fields(tmp_path, n_drawn=3)
    assert "drawn" in data.note and len(data.fields) == 3 and len(data.of("valid")) == 1
    assert [len(cell.field.of_kind(WHITE)) for cell in data.named] == [1, 1, 1]
    assert len({cell.cell_type for cell in data.named}) == 3 and data.named[0].load()[1] is None
    assert set(np.unique(data.fields[0].kinds)) <= set(range(len(KINDS)))
