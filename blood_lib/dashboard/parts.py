"""The parts of the page with a script of their own, besides the uploader: tabs, status line, viewer.

Each turns records into plain values for its script and messages from it into changes of the state. Which part
stands where is for `views.py`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from traitlets import Bytes, Dict, List, Unicode

from blood_lib.dashboard.glyphs import describe_types
from blood_lib.dashboard.messages import LANGUAGES, Messages, choose_language
from blood_lib.dashboard.part import Part, script, style
from blood_lib.dashboard.pictures import display_image, heat_overlay, image_size
from blood_lib.dashboard.state import (
    TABS,
    THEMES,
    Cell,
    Command,
    DashboardState,
)
from blood_lib.inference import heat_map

__all__ = ["Nav", "StatusBar", "Viewer"]

HEAT_SIDE = 224  # px
N_NEIGHBOURS = 10
MOST_WISHES = 20  # languages that a browser may ask for


class Nav(Part):
    """Title, language, theme and tabs; carries the style sheet of the whole app."""

    _esm = script("nav")
    _css = style()
    accepts = ("hello", "tab", "language", "theme")

    title = Unicode().tag(sync=True)
    languages = List(help="[language, its own name for itself], ...").tag(sync=True)
    tabs = List().tag(sync=True)
    tab = Unicode(TABS[0], help="the page's own; what counts is the state's").tag(sync=True)

    def __init__(self, state: DashboardState):
        names = [[language, Messages(language)("word.language")] for language in LANGUAGES]
        super().__init__(state, "tab", tabs=list(TABS), languages=names)

    def relabel(self) -> None:
        bundle, messages = self.state.bundle, self.state.messages
        self.title = messages.pick(bundle.title) if bundle else messages("word.title")

    def _on_hello(self, content: dict, _buffers: list) -> None:
        """A page asks once; later answers could only overtake what the visitor does meanwhile."""
        wanted = content.get("languages")
        if isinstance(wanted, list):
            self.state.language = choose_language(str(tag) for tag in wanted[:MOST_WISHES])
        self.state.connected = True
        self.send({"kind": "tab", "tab": self.state.tab})

    def _on_language(self, content: dict, _buffers: list) -> None:
        if content.get("language") in LANGUAGES:
            self.state.language = content["language"]

    def _on_theme(self, content: dict, _buffers: list) -> None:
        if content.get("theme") in THEMES:
            self.state.theme, self.state.dark = content["theme"], content.get("dark") is True

    def _on_tab(self, content: dict, _buffers: list) -> None:
        if content.get("tab") in TABS:
            self.state.tab = content["tab"]


class StatusBar(Part):
    """Progress, notices and errors of the app; the heartbeat by which the page notices a dead server."""

    _esm = script("status")
    accepts = ("ping", "cancel", "dismiss")

    progress = Dict().tag(sync=True)
    notice = Unicode().tag(sync=True)
    error = Unicode().tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "status")
        state.observe(state.guard(self._show), ["progress", "notice", "error"])
        self._show()

    def words(self) -> dict[str, str]:
        return super().words() | {"of": self.state.messages.section("upload")["of"]}

    def _show(self, _change: Any = None) -> None:
        self.progress = progress_values(self.state)
        self.notice, self.error = self.state.notice, self.state.error

    def _on_ping(self, _content: dict, _buffers: list) -> None:
        self.send({"kind": "pong"})

    def _on_cancel(self, _content: dict, _buffers: list) -> None:
        self.state.command = Command("cancel")

    def _on_dismiss(self, content: dict, _buffers: list) -> None:
        if content.get("what") == "notice":
            self.state.notice = ""
        elif content.get("what") == "error":
            self.state.error = ""


def progress_values(state: DashboardState) -> dict[str, int | str]:
    """{done, total, kind} of the running work, {} when none runs."""
    return {} if state.progress is None else asdict(state.progress)




class Viewer(Part):
    """The selected cell: its image, where the model looked, what it says. One model, shown in two places."""

    _esm = script("viewer")
    accepts = ("move", "close")

    cell = Dict().tag(sync=True)
    image = Bytes().tag(sync=True)
    heat = Bytes().tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "viewer")
        state.observe(state.guard(self._show), "selected")

    def relabel(self) -> None:
        bundle = self.state.bundle
        self._types = describe_types(bundle, self.state.messages) if bundle else []
        self._show()

    def _show(self, _change: Any = None) -> None:
        cell = self.state.cell(self.state.selected)
        if cell is None:
            with self.hold_sync():
                self.cell, self.image, self.heat = {}, b"", b""
            return
        image = display_image(cell.content)
        with self.hold_sync():
            self.image, self.heat = image, self._draw_heat(cell)
            self.cell = self._describe(cell, image_size(image))

    def _draw_heat(self, cell: Cell) -> bytes:
        cams = find_cams(self.state.classifier, cell)
        best = self.state.bundle.names.index(cell.result.label)
        return b"" if cams is None else heat_overlay(heat_map(cams[best], (HEAT_SIDE, HEAT_SIDE)))

    def _describe(self, cell: Cell, size: tuple[int, int]) -> dict[str, Any]:
        order = np.argsort(-cell.result.probs)
        return {
            "id": cell.id,
            "name": cell.name,
            "type": self._types[self.state.bundle.names.index(cell.result.label)],
            "status": cell.status,
            "status_word": self.state.messages(f"state.{cell.status}"),
            "reason": self.state.messages.reason(cell.result.reason),
            "confidence": cell.confidence,
            "probabilities": [{"type": self._types[i], "p": float(cell.result.probs[i])} for i in order],
            "neighbours": self._find_neighbours(cell),
            "size": size,
            "frame": frame_of(size, self.state.bundle.preprocessing.crop),
        }

    def _find_neighbours(self, cell: Cell) -> list[dict[str, Any]]:
        """How many of the nearest reference cells are of which type, most frequent first."""
        atlas = self.state.classifier.atlas
        near = atlas.neighbours(np.asarray(cell.result.features)[None], N_NEIGHBOURS)[0]
        counts = np.bincount(atlas.target[near], minlength=len(self._types))
        order = sorted(np.flatnonzero(counts), key=lambda i: -counts[i])
        return [{"type": self._types[i], "n": int(counts[i])} for i in order]

    def _on_move(self, content: dict, _buffers: list) -> None:
        """Go to the next (step 1) or previous (-1) cell of the upload."""
        ids = [cell.id for cell in self.state.cells]
        if content.get("step") in (1, -1) and self.state.selected in ids:
            self.state.selected = ids[(ids.index(self.state.selected) + content["step"]) % len(ids)]

    def _on_close(self, _content: dict, _buffers: list) -> None:
        self.state.selected = None


def find_cams(classifier: Any, cell: Cell) -> np.ndarray | None:
    """The cell's class activation maps (C, h, w); asks for them again where only its features were seen.

    None where there is no image that they could be laid over.
    """
    if not cell.content:
        return None
    if cell.result.cams is not None:
        return np.asarray(cell.result.cams)
    return next(iter(classifier.classify([(cell.name, cell.content)]))).cams


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
