"""The tab Fields: each whole field with the boxes of its cells, and the current cell.

What is sent is described by `describe.py`; what a person does to boxes is carried out by `drawing.py`.
"""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Bytes, Dict, Int, List

from blood_lib.dashboard.field.describe import (
    Cells,
    describe_classes,
    describe_field,
    describe_strip,
    sort_by_field,
)
from blood_lib.dashboard.state import FIELDS, Box, DashboardState, Field, known
from blood_lib.dashboard.state.commands import Command, DrawBox, MoveBox, Redo, RemoveCell, Undo
from blood_lib.dashboard.widgets.markers import CELL_SIGNS, describe_groups, name_groups
from blood_lib.dashboard.widgets.pictures import preview
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.view import View, split
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget

__all__ = ["Fields", "FieldsView"]

PREVIEW = 160  # px, the longer side in the strip
MOST_PREVIEWS = 32  # in one request


class Fields(Widget):
    """The strip of fields, and the one that is open: its picture and its boxes."""

    _esm = script("field/fields.js")
    accepts = ("previews", "show", "open", "draw", "move", "remove", "undo", "redo")

    groups: List[dict[str, Any]] = List(help="of cells, as name_groups has them").tag(sync=True)
    classes: List[dict[str, Any]] = List(help="of the detector, as describe_classes has them").tag(sync=True)
    signs = Dict(CELL_SIGNS).tag(sync=True)
    strip: List[list[Any]] = List(help="as describe_strip has it").tag(sync=True)
    field = Dict(help="the open field, as describe_field has it; {}: none").tag(sync=True)
    picture = Bytes(help="of the open field").tag(sync=True)
    current = Int(None, allow_none=True).tag(sync=True)
    can_undo = Bool(False).tag(sync=True)
    can_redo = Bool(False).tag(sync=True)

    def __init__(self, state: DashboardState):
        self._shown: Field | None = None  # whose picture the page has
        super().__init__(state, "field")
        state.observe(state.guard(self._show), ["fields", "cells", "current_field", "tab"])
        state.observe(state.guard(self._on_current), "current")
        state.observe(self._copy, ["can_undo", "can_redo"])

    def _copy(self, change: Any) -> None:
        setattr(self, change["name"], change["new"])

    def relabel(self) -> None:
        bundle, messages = self.state.bundle, self.state.messages
        self.classes = describe_classes(bundle, messages)
        self.groups = describe_groups(bundle, messages) if bundle else []
        self._index = {name: i for i, name in enumerate(name_groups(bundle) if bundle else [])}
        self._show()

    def words(self) -> dict[str, str]:
        """A box is described as its card in the gallery."""
        t = self.state.messages
        states = {f"is_{name}": word for name, word in t.section("state").items()}
        return (
            super().words()
            | states
            | {
                "certain": t.section("gallery")["certain"],
                "moved": t("gallery.moved_by_hand"),
                "confirmed": t("gallery.confirmed_by_hand"),
                "bulk": t("gallery.accepted_in_bulk"),
                "undo": t("gallery.undo"),
                "redo": t("gallery.redo"),
                "zoom_in": t("viewer.zoom_in"),
                "zoom_out": t("viewer.zoom_out"),
            }
        )

    # --- what is shown ---

    def _on_current(self, _change: Any) -> None:
        """The field of the current cell is open, in whatever tab that cell was chosen."""
        self.current = self.state.current
        cell = self.state.cell(self.state.current)
        if cell is not None and cell.field is not None:
            self.state.current_field = cell.field

    def _show(self, _change: Any = None) -> None:
        """While its tab is open: pictures of fields are large."""
        state = self.state
        if state.tab != FIELDS:
            return
        if state.fields and state.field(state.current_field) is None:
            state.current_field = state.fields[0].id
            return  # called again for that
        cells, field = sort_by_field(state.cells), state.field(state.current_field)
        with self.hold_sync():
            self.strip = describe_strip(state.fields, cells)
            self._show_field(field, cells)

    def _show_field(self, field: Field | None, cells: Cells) -> None:
        if field is not self._shown:
            self._shown, self.picture = field, field.content if field else b""
        if field is None:
            self.field = {}
            return
        bundle, found = known(self.state.bundle), cells.get(field.id, ())
        self.field = describe_field(field, found, self._index, bundle, self.state.messages)

    # --- what the page says ---

    def _on_previews(self, content: Content, _buffers: Buffers) -> None:
        ids = content.get("ids")
        fields = [self.state.field(each) for each in ids[:MOST_PREVIEWS]] if isinstance(ids, list) else []
        found = [field for field in fields if field is not None]
        pictures = [preview(field.content, PREVIEW) for field in found]
        self.send({"kind": "previews", "ids": [field.id for field in found]}, pictures)

    def _on_show(self, content: Content, _buffers: Buffers) -> None:
        """Another field."""
        field = self.state.field(content.get("id"))
        if field is not None:
            self.state.current_field = field.id

    def _on_open(self, content: Content, _buffers: Buffers) -> None:
        cell = self.state.cell(content.get("id"))
        if cell is not None:
            self.state.current = cell.id

    def _on_draw(self, content: Content, _buffers: Buffers) -> None:
        field, box = self.state.field(content.get("field")), _read_box(content.get("box"))
        if field is not None and box is not None:
            self._do(DrawBox(field.id, box))

    def _on_move(self, content: Content, _buffers: Buffers) -> None:
        cell, box = self.state.cell(content.get("id")), _read_box(content.get("box"))
        if cell is not None and box is not None:
            self._do(MoveBox(cell.id, box))

    def _on_remove(self, content: Content, _buffers: Buffers) -> None:
        cell = self.state.cell(content.get("id"))
        if cell is not None:
            self._do(RemoveCell(cell.id))

    def _do(self, command: Command) -> None:
        """The page waits for an answer, whatever came of it."""
        self.state.command = command
        self.send({"kind": "settled"})

    def _on_undo(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Undo()

    def _on_redo(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Redo()


class FieldsView(View):
    """The fields and the current cell."""

    tab = FIELDS

    def __init__(self, state: DashboardState, viewer: Widget):
        self.fields = Fields(state)
        super().__init__(state, [split(self.fields, viewer)])


def _read_box(value: object) -> Box | None:
    """Four numbers that a box can have, or None."""
    if not isinstance(value, list) or len(value) != 4:
        return None
    if not all(isinstance(each, int | float) and abs(each) < 1e6 for each in value):
        return None  # what is no number is not smaller, either
    x, y, width, height = map(float, value)
    return (x, y, width, height) if width > 0 and height > 0 else None
