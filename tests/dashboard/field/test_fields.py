"""Whole fields on the page: they come with their cells, and people draw, move and remove boxes, with undo."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from blood_lib.dashboard.app import App
from blood_lib.dashboard.field.drawing import fit_box
from blood_lib.dashboard.field.opened import Opened
from blood_lib.dashboard.state.commands import Clear, Command, DrawBox, Move, MoveBox, Redo, RemoveCell, Undo
from blood_lib.inference import Result
from tests.tools.dashboard_tools import classify, drawn_files, listen, say
from tests.tools.fixtures_fields import CELLS, SIZE, Finder, draw_field, read

FREE = (100.0, 85.0, 50.0, 50.0)  # a box where nothing was found


@pytest.fixture
def app(finder: Finder) -> App:
    """Two fields, one of them without cells, and an image of one cell between them."""
    app = App(finder)
    classify(app, [("field a.png", draw_field()), drawn_files()[1], ("field empty.png", draw_field(()))])
    return app


def do(app: App, command: Command) -> None:
    app.state.command = command
    assert not app.state.error, app.state.error


def names(app: App) -> list[str]:
    return [cell.name for cell in app.state.cells]


# --- how fields come ---


def test_a_field_gives_a_cell_for_each_that_is_named_and_stays_with_its_boxes(app: App) -> None:
    state, (field, empty) = app.state, app.state.fields
    assert names(app) == ["field a.png · 1", "field a.png · 2", "green.png"]
    assert [cell.field for cell in state.cells] == [field.id, field.id, None]
    assert [cell.box for cell in state.cells[:2]] == list(CELLS)
    assert [cell.label for cell in state.cells] == ["red", "blue", "green"]
    assert field.size == empty.size == SIZE
    assert app.upload.uploader.summary["fields"] == 2


def test_a_field_without_cells_is_a_field_and_a_rejected_file(app: App) -> None:
    (file,) = app.state.rejected
    assert (file.name, file.reason.code, file.field) == ("field empty.png", "no_cell", app.state.fields[1].id)


def test_a_cells_picture_is_the_window_that_was_classified(app: App) -> None:
    with Image.open(io.BytesIO(app.state.cells[0].content)) as image:
        assert image.size == (90, 90)  # three red cells of 30 px
        red, _, blue = image.getpixel((45, 45))
    assert red > 150 > blue
    assert app.state.cells[0].um_wide == pytest.approx(3 * 7.2)
    assert app.state.cells[2].um_wide is None


def test_files_are_counted_not_cells(finder: Finder) -> None:
    app, told = App(finder), []
    app.state.observe(lambda change: told.append(change["new"]), "progress")
    app.classifying.flush_seconds = 0
    classify(app, [(f"field {i}.png", draw_field()) for i in range(3)])
    assert max(progress.done for progress in told if progress) == 3


def test_no_more_bytes_of_files_are_kept_than_there_is_room_for() -> None:
    content, result = draw_field(), Result("field.png", "rejected", None, field=read("field.png"))
    assert Opened(content).read(1, result, room=len(content)).original == content
    small = Opened(content).read(1, result, room=len(content) - 1)
    assert small.original == b""
    assert small.photograph == small.content  # as large as the file: cells can be cut from it, too


def test_what_a_person_says_of_the_images_reaches_the_classifier(finder: Finder) -> None:
    app = App(finder)
    say(app.upload.uploader, kind="show", what="fields")
    say(app.upload.uploader, kind="pixel_size", text=" 0,15 ")
    classify(app, [("field a.png", draw_field())])
    assert finder.asked[-1] == {"kind": "fields", "pixel_size": 0.15}


@pytest.mark.parametrize("text", ["99", "0", "-1", "abc", "1e3", "nan", None, 5, "0.1 0.2"], ids=repr)
def test_a_pixel_size_that_cannot_be_is_refused_and_not_used(app: App, text: object) -> None:
    heard = listen(app.upload.uploader)
    say(app.upload.uploader, kind="pixel_size", text="0.1")
    say(app.upload.uploader, kind="pixel_size", text=text)
    assert [message.content["fits"] for message in heard] == [True, False]
    assert app.state.pixel_size is None


# --- the tab ---


def test_the_tab_is_there_only_while_there_are_fields(app: App) -> None:
    assert app.nav.absent == []
    say(app.nav, kind="tab", tab="fields")
    assert app.state.tab == "fields"
    do(app, Clear())
    assert (app.state.tab, app.nav.absent) == ("upload", ["fields"])
    say(app.nav, kind="tab", tab="fields")
    assert app.state.tab == "upload"


def test_an_open_field_is_described_with_all_its_boxes(app: App) -> None:
    app.state.tab = "fields"
    field = app.fields.fields.field
    assert [cell[2] for cell in field["cells"]] == [list(box) for box in CELLS]
    assert [len(boxes["whole"]) // 4 for boxes in field["boxes"]] == [0, 1, 1]  # named ones are cells
    assert field["boxes"][0]["cut"] == [180, 90, 20, 40]
    assert app.fields.fields.picture.startswith(b"\xff\xd8")
    assert [row[2:] for row in app.fields.fields.strip] == [[2, 0, 1, True], [0, 0, 1, True]]
    assert "round ones" in field["facts"][0]


def test_without_a_scale_the_strip_and_the_field_say_so(finder: Finder) -> None:
    app = App(finder)
    classify(app, [("field unscaled.png", draw_field())])
    app.state.tab = "fields"
    assert app.fields.fields.strip[0][-1] is False
    assert app.state.messages("field.scale_unknown") in app.fields.fields.field["facts"]


def test_the_field_of_the_current_cell_is_open_wherever_it_was_chosen(app: App) -> None:
    app.state.tab = "fields"
    say(app.fields.fields, kind="show", id=app.state.fields[1].id)
    assert app.fields.fields.field["name"] == "field empty.png"
    app.state.current = app.state.cells[1].id
    assert app.fields.fields.field["name"] == "field a.png"
    assert app.viewer.cell["field"] and app.viewer.cell["diameter_um"] == pytest.approx(60 * 7.2 / 30)


# --- boxes of people ---


def test_a_drawn_box_is_classified_at_once_and_can_be_taken_back(app: App) -> None:
    app.state.tab, field = "fields", app.state.fields[0]
    say(app.fields.fields, kind="draw", field=field.id, box=list(FREE))
    drawn = app.state.cells[-1]
    assert (drawn.name, drawn.drawn, drawn.box, drawn.field) == ("field a.png · 3", True, FREE, field.id)
    assert drawn.label and drawn.place and drawn.content and app.state.current == drawn.id
    do(app, Undo())
    assert drawn not in app.state.cells and app.state.current is None
    do(app, Redo())
    assert app.state.cells[-1] is drawn


def test_a_moved_box_is_another_picture_and_keeps_what_people_said(app: App) -> None:
    cell = app.state.cells[0]
    do(app, Move((cell.id,), "green"))
    do(app, MoveBox(cell.id, CELLS[1]))
    moved = app.state.cells[0]
    assert (moved.id, moved.box, moved.said, moved.label, moved.drawn) == (
        *(cell.id, CELLS[1], "blue", "green", True),
    )
    assert moved.content != cell.content
    do(app, Undo())
    assert (app.state.cells[0].box, app.state.cells[0].said) == (CELLS[0], "red")


def test_a_removed_cell_leaves_every_view_and_comes_back_in_its_place(app: App) -> None:
    heard = listen(app.classification.gallery)
    say(app.classification.gallery, kind="hello")
    before = app.state.cells
    do(app, RemoveCell(before[0].id))
    assert names(app) == ["field a.png · 2", "green.png"]
    assert heard[-1].content["gone"] == [before[0].id]
    do(app, Undo())
    assert app.state.cells == before
    assert [item[0] for item in heard[-1].content["items"]] == [before[0].id]


def test_a_field_is_rejected_exactly_while_it_has_no_cell(app: App) -> None:
    empty = app.state.fields[1]
    do(app, DrawBox(empty.id, FREE))
    assert app.state.rejected == ()
    do(app, Undo())
    assert [file.field for file in app.state.rejected] == [empty.id]
    for cell in app.state.cells[:2]:
        do(app, RemoveCell(cell.id))
    assert {file.name for file in app.state.rejected} == {"field a.png", "field empty.png"}


def test_a_box_cannot_be_drawn_where_the_photograph_is_not_kept(app: App) -> None:
    field = replace(app.state.fields[0], content=b"", original=b"")
    app.state.fields = (field, app.state.fields[1])
    app.state.tab = "fields"
    assert app.fields.fields.field["can_draw"] is False
    app.state.command = DrawBox(field.id, FREE)
    assert app.state.error.key == "field.not_kept"
    assert len(app.state.cells) == 3


@pytest.mark.parametrize(
    "box",
    [None, [], [1, 2, 3], ["a", 1, 2, 3], [0, 0, float("nan"), 5], [0, 0, 0, 5], [0, 0, 1e9, 5]],
    ids=repr,
)
def test_a_strange_box_is_no_command(app: App, box: object) -> None:
    say(app.fields.fields, kind="draw", field=app.state.fields[0].id, box=box)
    say(app.fields.fields, kind="move", id=app.state.cells[0].id, box=box)
    assert len(app.state.cells) == 3 and not app.state.can_undo and not app.state.error


@pytest.mark.parametrize("identity", [10**9, -1, "1", None, [1], 1.5, True], ids=repr)
def test_an_id_that_is_not_there_changes_nothing(app: App, identity: object) -> None:
    for kind in ("show", "open", "remove", "draw", "move"):
        say(app.fields.fields, kind=kind, id=identity, field=identity, box=[1, 1, 9, 9])
    say(app.fields.fields, kind="previews", ids=[identity])
    assert len(app.state.cells) == 3 and not app.state.can_undo and not app.state.error


def test_a_box_is_cut_to_its_field() -> None:
    assert fit_box((-10, 5, 30, 30), SIZE) == (0, 5, 20, 30)
    assert fit_box((190, 140, 50, 50), SIZE) == (190, 140, 10, 10)
    assert fit_box((500, 500, 50, 50), SIZE) == (196, 146, 4, 4)
