"""The current cell: its image, what the model says, what lies near, and what people say.

Which cell that is, is in the state; what the keys do, is for its script.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from traitlets import Bytes, Dict, Int, List

from blood_lib.bundle import Bundle
from blood_lib.dashboard.state import Cell, DashboardState, known
from blood_lib.dashboard.state.commands import Accept, Confirm, Dismiss, Move
from blood_lib.dashboard.viewer.neighbourhood import SIDE, describe_neighbours, describe_reference
from blood_lib.dashboard.viewer.ordering import Walk
from blood_lib.dashboard.widgets.markers import CELL_SIGNS, describe_groups, name_groups
from blood_lib.dashboard.widgets.pictures import display_image, heat_overlay, image_size
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget
from blood_lib.inference import Classifier, Result, heat_map

__all__ = ["Viewer"]

HEAT_SIDE = 112  # px; the page smooths it
STRENGTH = 45  # per cent, where the heat map's slider starts


class Viewer(Widget):
    """The current cell, and what can be done with it. One model, shown in two places."""

    _esm = script("viewer/viewer.js")
    accepts = ("step", "close", "confirm", "move", "accept", "dismiss")

    groups: List[dict[str, Any]] = List(
        help="label, colour and shape of all groups, as name_groups has them"
    ).tag(sync=True)
    reference: List[list[int]] = List(
        help="places of the reference cells on the small map, a list per class"
    ).tag(sync=True)
    plane_side = Int(SIDE, help="of the small map, in the units of its places").tag(sync=True)
    signs = Dict(CELL_SIGNS).tag(sync=True)
    cell = Dict().tag(sync=True)
    image = Bytes().tag(sync=True)
    heat = Bytes().tag(sync=True)
    near = Dict().tag(sync=True)
    left = Int(None, allow_none=True, help="number of doubtful cells to decide; None: no cells").tag(
        sync=True
    )
    strength = Int(STRENGTH, help="the page's own: how strong the heat map is").tag(sync=True)

    def __init__(self, state: DashboardState):
        self._names: list[str] = []  # of the groups
        self._walk, self._walking = Walk(), False
        self._shown: Cell | None = None
        super().__init__(state, "viewer")
        state.observe(state.guard(self._on_current), "current")
        state.observe(state.guard(self._on_cells), "cells")
        state.observe(state.guard(self._on_classifier), "classifier")

    def relabel(self) -> None:
        bundle, messages = self.state.bundle, self.state.messages
        if bundle is not None:
            self._names = name_groups(bundle)
            self.groups = describe_groups(bundle, messages)
        self._describe_shown()

    def _on_classifier(self, _change: Any) -> None:
        atlas, bundle = known(self.state.classifier).atlas, known(self.state.bundle)
        self.reference = describe_reference(atlas, len(bundle.classes))

    # --- what is shown ---

    def _on_current(self, _change: Any) -> None:
        if not self._walking:
            self._begin()
        cell = self.state.cell(self.state.current)
        self._shown = cell
        if cell is None:
            with self.hold_sync():
                self.cell, self.image, self.heat, self.near = {}, b"", b"", {}
            return
        image = display_image(cell.content)
        with self.hold_sync():  # the page shows it while the rest is made
            self.image, self.heat, self.near = image, b"", {}
            self.cell = self._describe(cell, image_size(image))
        self._explain(cell)

    def _explain(self, cell: Cell) -> None:
        """What the model's answer rests on."""
        with self.hold_sync():
            self.heat = self._draw_heat(cell)
            self.near = describe_neighbours(
                known(self.state.classifier).atlas, known(cell.result.features), cell.place
            )

    def _on_cells(self, _change: Any) -> None:
        cells = self.state.cells
        self.left = sum(cell.doubtful for cell in cells) if cells else None
        if len(self._walk) != len(self.state.cells):
            self._begin()
        before = self._shown
        self._describe_shown()
        if before is not None and self._shown is not None and self._shown.result is not before.result:
            self._explain(self._shown)  # the model has learnt

    def _describe_shown(self) -> None:
        """The cell that is shown may stand in another group now, or be called otherwise."""
        if self._shown is not None:
            self._shown = self.state.cell(self._shown.id)
        if self._shown is not None:
            self.cell = self._describe(self._shown, self.cell["size"])

    def _draw_heat(self, cell: Cell) -> bytes:
        cams = find_cams(known(self.state.classifier), cell)
        best = self._names.index(cell.said)
        return b"" if cams is None else heat_overlay(heat_map(cams[best], (HEAT_SIDE, HEAT_SIDE)))

    def _describe(self, cell: Cell, size: tuple[int, int]) -> dict[str, Any]:
        """Groups are told by their number."""
        probs, bundle = known(cell.result.probs), known(self.state.bundle)
        return {
            "id": cell.id,
            "name": cell.name,
            "group": self._names.index(cell.label),
            "said": self._names.index(cell.said),
            "decided": cell.decided,
            "moved": cell.moved,
            "proposal": self._names.index(known(cell.proposal)) if cell.proposed else None,
            "status": cell.status,
            "status_word": self.state.messages(f"state.{cell.status}"),
            "reason": self.state.messages.reason(cell.result.reason),
            "confidence": cell.confidence,
            "probabilities": [[int(i), float(probs[i])] for i in np.argsort(-probs, kind="stable")],
            "subtype": self._find_subtype(cell.result, bundle),
            "at": self._walk.place(cell.id) + 1,
            "total": len(self._walk),
            "size": size,
            "frame": frame_of(size, bundle.preprocessing.crop),
            "field": cell.field is not None,
            "drawn": cell.drawn,
            "um_wide": cell.um_wide,
            "diameter_um": cell.result.diameter_um,
        }

    def _find_subtype(self, result: Result, bundle: Bundle) -> tuple[str, float] | None:
        """Its name in the page's language and its probability, where the bundle tells subtypes."""
        if result.subtype_probs is None:
            return None
        best = int(result.subtype_probs.argmax())
        label = self.state.messages.pick(bundle.subtypes[best].label)
        return label, float(result.subtype_probs[best])

    # --- going through the cells ---

    def _begin(self) -> None:
        """Somebody chose a cell, or there are others: from here on in the order of the gallery."""
        self._walk = Walk(self.state.cells, self._names)

    def _on_step(self, content: Content, _buffers: Buffers) -> None:
        """Go to the next (1) or previous (-1) cell, or the next one that is doubtful."""
        by = content.get("by")
        if by not in (1, -1):
            return
        if self.state.current is None:
            self._begin()
        doubtful = content.get("doubtful") is True
        found = self._walk.step(self.state.current, by, self._is_doubtful if doubtful else lambda _: True)
        if found is not None:
            self._go(found)

    def _is_doubtful(self, identity: int) -> bool:
        cell = self.state.cell(identity)
        return cell is not None and cell.doubtful

    def _go(self, identity: int) -> None:
        self._walking = True
        try:
            self.state.current = identity
        finally:
            self._walking = False

    def _on_close(self, _content: Content, _buffers: Buffers) -> None:
        self.state.current = None

    # --- what people say ---

    def _on_confirm(self, content: Content, _buffers: Buffers) -> None:
        """They are right where they are."""
        self.state.command = Confirm(self._find_meant(content))

    def _on_move(self, content: Content, _buffers: Buffers) -> None:
        """Into the group with this number, or (None) back to where the model put it."""
        group = content.get("group")
        if group is None or (type(group) is int and 0 <= group < len(self._names)):
            name = None if group is None else self._names[group]
            self.state.command = Move(self._find_meant(content), name)

    def _on_accept(self, content: Content, _buffers: Buffers) -> None:
        """They belong where the model proposes since it has learnt."""
        self._answer(Accept, content)

    def _on_dismiss(self, content: Content, _buffers: Buffers) -> None:
        self._answer(Dismiss, content)

    def _answer(self, kind: type[Accept | Dismiss], content: Content) -> None:
        ids = self._find_meant(content)
        if ids:  # none would be all proposals
            self.state.command = kind(ids)

    def _find_meant(self, content: Content) -> tuple[int, ...]:
        """The cell that is shown; with `selected` the selected ones instead, if there are any."""
        state = self.state
        if state.selected and content.get("selected") is True:
            return state.selected
        return () if state.current is None else (state.current,)


def find_cams(classifier: Classifier, cell: Cell) -> np.ndarray | None:
    """The cell's class activation maps (C, h, w); asks for them again where only its features were seen.

    None where there is no image that they could be laid over.
    """
    if not cell.content:
        return None
    if cell.result.cams is not None:
        return np.asarray(cell.result.cams)
    return classifier.predict([cell.content]).cams[0]


def frame_of(size: tuple[int, int], crop: float) -> dict[str, float]:
    """Where the network looked, in shares of width and height: the centred square of side crop * shorter."""
    width, height = size
    side = crop * min(size)
    return {
        "left": (width - side) / 2 / width,
        "top": (height - side) / 2 / height,
        "width": side / width,
        "height": side / height,
    }
