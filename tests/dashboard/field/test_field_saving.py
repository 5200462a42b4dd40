"""Fields in a saved review: all that was found, where cells lie, and what people drew, comes back."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from blood_lib.dashboard.app import App
from blood_lib.dashboard.state import EXCLUDED
from blood_lib.dashboard.state.commands import (
    Adapt,
    Command,
    Confirm,
    DrawBox,
    Move,
    OpenReview,
    RemoveCell,
    SaveReport,
    SaveReview,
    SaveTable,
)
from blood_lib.files.archives import read_zip, write_zip
from tests.tools.dashboard_tools import WAIT, classify, drawn_files
from tests.tools.fixtures_fields import CELLS, Finder, draw_field

FREE = (100.0, 85.0, 50.0, 50.0)


def do(app: App, command: Command) -> None:
    app.state.command = command
    app.controller.wait(WAIT)


@pytest.fixture
def app(finder: Finder) -> App:
    """Two fields, one without cells; one cell moved to another group, one drawn."""
    app = App(finder)
    classify(app, [("field a.png", draw_field()), drawn_files()[1], ("field empty.png", draw_field(()))])
    do(app, Move((app.state.cells[0].id,), "green"))
    do(app, DrawBox(app.state.fields[0].id, FREE))
    return app


def save(app: App, *, images: bool = True) -> bytes:
    do(app, SaveReview(images))
    assert not app.state.error
    return app.state.download.content


@pytest.mark.parametrize("images", [True, False])
def test_fields_come_back_with_all_that_was_found_and_drawn(app: App, finder: Finder, images: bool) -> None:
    elsewhere = App(finder)
    do(elsewhere, OpenReview(save(app, images=images)))
    assert not elsewhere.state.error
    fields = {field.id: i for i, field in enumerate(elsewhere.state.fields)}
    for field, other in zip(app.state.fields, elsewhere.state.fields, strict=True):
        assert (field.name, field.size, field.reading.scale) == (other.name, other.size, other.reading.scale)
        assert field.reading.counts == other.reading.counts
        assert field.reading.found.ruler == other.reading.found.ruler
        for name in ("boxes", "which", "scores", "is_cut"):
            np.testing.assert_array_equal(
                getattr(field.reading.found, name), getattr(other.reading.found, name)
            )
        assert other.content == (field.content if images else b"")
        assert bool(other.photograph) == images
    for cell, other in zip(app.state.cells, elsewhere.state.cells, strict=True):
        for name in ("name", "box", "drawn", "um_wide", "label"):
            assert getattr(cell, name) == getattr(other, name), name
        for name in ("name", "cell", "box", "window", "diameter_um"):
            assert getattr(cell.result, name) == getattr(other.result, name), name
        assert (cell.field is None) == (other.field is None)
    assert [fields.get(cell.field) for cell in elsewhere.state.cells] == [0, 0, None, 0]
    assert [fields[file.field] for file in elsewhere.state.rejected] == [1]


def test_boxes_are_drawn_on_in_a_review_that_was_opened(app: App, finder: Finder) -> None:
    elsewhere = App(finder)
    do(elsewhere, OpenReview(save(app)))
    do(elsewhere, DrawBox(elsewhere.state.fields[0].id, FREE))
    assert elsewhere.state.cells[-1].name == "field a.png · 4"


def test_an_older_review_has_no_fields_and_opens(finder: Finder) -> None:
    app = App(finder)
    classify(app, drawn_files())
    files = read_zip(save(app), most_bytes=10**8)
    assert "fields.npz" not in files
    data = json.loads(files["review.json"])
    del data["fields"]
    do(app, OpenReview(write_zip((files | {"review.json": json.dumps(data).encode()}).items())))
    assert not app.state.error and len(app.state.cells) == 3


FIELD = {"field": 0}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("fields", {"n": 4}),
        ("fields", {"n": -1}),
        ("fields", {"size": [0, 5]}),
        ("fields", {"size": [10**9, 5]}),
        ("fields", {"scale": {"diameter": -1, "source": "ruler", "doubtful": False}}),
        ("fields", {"scale": {"diameter": 5, "source": "guess", "doubtful": False}}),
        ("cells", {"field": 2}),
        ("cells", {"field": True}),
        ("cells", {"box": [1, 2, 3]}),
        ("cells", {"box": [1, 2, -3, 4]}),
        ("cells", {"drawn": "yes"}),
        ("cells", {"number": 1.5}),
        ("rejected", {"field": 9}),
    ],
    ids=str,
)
def test_strange_fields_are_a_damaged_review(app: App, where: str, change: dict) -> None:
    files, cells = read_zip(save(app), most_bytes=10**8), app.state.cells
    data = json.loads(files["review.json"])
    data[where][0] |= change
    do(app, OpenReview(write_zip((files | {"review.json": json.dumps(data).encode()}).items())))
    assert app.state.error.key == "saving.damaged" and app.state.cells is cells


def test_the_table_says_where_each_cell_lies(app: App) -> None:
    do(app, SaveTable())
    rows = list(csv.DictReader(io.StringIO(app.state.download.content.decode("utf-8-sig"))))
    assert [(row["file"], row["cell"]) for row in rows] == [
        ("field a.png", "1"),
        ("field a.png", "2"),
        ("green.png", ""),
        ("field a.png", "3"),
        ("field empty.png", ""),
    ]
    assert [float(rows[0][name]) for name in ("x", "y", "width", "height")] == list(CELLS[0])
    assert float(rows[0]["diameter_um"]) == pytest.approx(60 * 7.2 / 30, abs=0.1)
    assert rows[2]["x"] == "" and rows[-1]["status"] == "rejected"


def test_the_report_names_fields_and_shows_found_cells(app: App) -> None:
    do(app, SaveReport())
    report = app.state.download.content.decode()
    assert report.count("<figure") == 4
    assert "field a.png · 3" in report
    assert "field empty.png" in report


def test_the_model_learns_from_found_cells(app: App) -> None:
    do(app, Confirm(tuple(cell.id for cell in app.state.cells)))
    do(app, Adapt())
    assert not app.state.error
    assert app.state.adapted
    assert [cell.result.cell for cell in app.state.cells] == [1, 2, None, 3]


# --- what is counted in fields ---


def find_rows(app: App, kind: str) -> list[dict]:
    app.state.tab = "chart"
    (group,) = [group for group in app.chart.differential.table["groups"] if group["kind"] == kind]
    return group["rows"]


def test_the_chart_counts_what_only_fields_tell_as_people_have_left_it(app: App) -> None:
    large, _, small = find_rows(app, "by_field")
    assert (large["label"], large["n"], large["share"]) == ("large ones", "3", "1.5")  # in two fields
    assert (small["n"], small["share"]) == ("2", "1.0")
    do(app, RemoveCell(app.state.cells[-1].id))
    do(app, Move((app.state.cells[1].id,), EXCLUDED))
    assert find_rows(app, "by_field")[0]["n"] == "1"
    (small,) = find_rows(app, "by_thousand")
    assert (small["n"], small["share"]) == ("2", "1,000.0")  # as many as round ones
    notes = app.chart.differential.table["notes"]
    assert app.state.messages("chart.no_volume") in notes and "200 large ones" in notes


def test_without_fields_nothing_is_said_of_them(finder: Finder) -> None:
    app = App(finder)
    classify(app, drawn_files())
    app.state.tab = "chart"
    assert {"by_field", "by_thousand"}.isdisjoint(
        group["kind"] for group in app.chart.differential.table["groups"]
    )
    assert app.state.messages("chart.no_volume") not in app.chart.differential.table["notes"]
