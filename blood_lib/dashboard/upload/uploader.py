"""How files arrive: a widget that sends them in acknowledged pieces; the core reads what they hold.

The browser sends all files of one upload as one stream of bytes in pieces of 1 MiB, at most a few of them
unacknowledged. A piece that comes twice is ignored and a lost one sent again, so a dropped connection costs
nothing.
"""

from __future__ import annotations

import re
from typing import Any

from traitlets import Bool, Dict, Int, List, Unicode

from blood_lib.dashboard.state import FIELDS, DashboardState, known
from blood_lib.dashboard.state.commands import (
    Cancel,
    ClassifyExamples,
    Clear,
    ResetBundle,
    SaveBundle,
    Upload,
)
from blood_lib.dashboard.upload.stream import N_KEPT, FileStream
from blood_lib.dashboard.widgets.markers import CELL_SIGNS
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget
from blood_lib.files.archives import CLUTTER
from blood_lib.files.reasons import STATUSES
from blood_lib.inference.fields import KINDS, PIXEL_SIZES

__all__ = ["Uploader", "read_pixel_size"]

MAX_NAME = 400
_NUMBER = re.compile(r"\d{1,3}([.,]\d{1,6})?|[.,]\d{1,6}")


class Uploader(Widget):
    """Drop target, file picker and progress bars; writes `Upload` as soon as one begins.

    A file that comes alone may be a saved review or a model: what it is, is seen when it is complete.
    """

    _esm = script("upload/uploader.js")
    accepts = (
        *("begin", "hello", "piece", "cancel", "clear", "examples", "broken", "bundle", "save_bundle"),
        *("show", "pixel_size"),
    )

    max_files = 10_000  # of these three Python keeps its own copy: a browser cannot change them
    max_bytes = 512 * 2**20
    max_pending = 96 * 2**20  # bytes that may wait for the classifier before the browser is told to wait

    limits = Dict(help="for the browser's own early check").tag(sync=True)
    clutter = List(sorted(CLUTTER), help="names in a folder that are passed over").tag(sync=True)
    doubts = List([*STATUSES[1:]], help="statuses that the summary names").tag(sync=True)
    signs = Dict(CELL_SIGNS).tag(sync=True)
    progress = Dict(help="done, total; empty: nothing runs").tag(sync=True)
    summary = Dict(help="counts by status after a classification").tag(sync=True)
    examples = Int(0, help="number of example images").tag(sync=True)
    links: List[list[str]] = List(help="[tab, its name] of where the results are").tag(sync=True)
    finds = Bool(False, help="the model finds cells in whole fields").tag(sync=True)
    kinds: List[str] = List(list(KINDS), help="what images may be said to show").tag(sync=True)
    pixel_sizes: List[float] = List(list(PIXEL_SIZES), help="the smallest and the largest, in µm").tag(
        sync=True
    )
    phase = Unicode("", help="preparing, ready, or failed").tag(sync=True)
    foreign = Bool(False, help="the model in use is one that the visitor has brought").tag(sync=True)
    there = Int(0, help="number of cells and rejected files on the page").tag(sync=True)
    unsaved = Int(0, help="number of cells that stand where somebody put them, if no file has that").tag(
        sync=True
    )

    def __init__(self, state: DashboardState):
        limits = {"files": self.max_files, "bytes": self.max_bytes, "piece": 2**20, "window": 4}
        super().__init__(state, "upload", limits=limits)
        self._stream: FileStream | None = None
        self._key: str | None = None
        self._add = False  # the upload joins what is there
        self._kept = False  # it is a review that the browser has kept
        state.observe(lambda change: setattr(self, "foreign", change["new"]), "foreign")
        state.observe(state.guard(self._show_links), "fields")

    def words(self) -> dict[str, str]:
        status = self.state.messages.section("status")
        return super().words() | {key: text for key, text in status.items() if key.startswith("working")}

    def relabel(self) -> None:
        bundle = self.state.bundle
        self.examples = len(bundle.examples) if bundle else 0
        self.finds = bundle is not None and bundle.detector is not None
        self._show_links()

    def _show_links(self, _change: Any = None) -> None:
        tabs = [FIELDS] * bool(self.state.fields) + ["classification", "chart", "map"]
        self.links = [[tab, self.state.messages(f"tab.{tab}")] for tab in tabs]

    def _on_hello(self, _content: Content, _buffers: Buffers) -> None:
        """A page has drawn the uploader; nothing to do yet."""

    def _on_begin(self, content: Content, _buffers: Buffers) -> None:
        key, files, unreadable = content.get("key"), content.get("files"), content.get("unreadable")
        if isinstance(key, str) and key == self._key:  # sent again after a lost connection
            return self._acknowledge()
        entries = _check_entries(files)
        lost = [str(name)[:MAX_NAME] for name in (unreadable or [])[: self.max_files]]
        if not isinstance(key, str) or entries is None or len(entries) > self.max_files:
            return self._refuse(key, "broken")
        stream = FileStream(entries, lost)
        if stream.n_bytes > self.max_bytes:
            return self._refuse(key, "toolarge")
        add = content.get("add") is True
        if add and self.state.progress is not None:  # the page offers it to nobody while something runs
            return self._refuse(key, "broken")
        self._drop_upload()
        self._stream, self._key, self._add = stream, key, add
        self._kept = content.get("kept") is True and stream.total == len(entries) == N_KEPT
        self._acknowledge()
        if stream.is_single or self._kept:
            self._take_whole(stream)
        else:
            self.state.command = Upload(stream, add)
        return None

    def _on_piece(self, content: Content, buffers: Buffers) -> None:
        number = content.get("number")
        if self._stream is None or content.get("key") != self._key:
            return self._refuse(content.get("key"), "broken")
        was_complete = self._stream.complete
        if isinstance(number, int) and len(buffers) == 1:
            self._stream.feed(number, buffers[0])
        self._acknowledge()
        if (self._stream.is_single or self._kept) and not was_complete:
            self._take_whole(self._stream)
        return None

    def _take_whole(self, stream: FileStream) -> None:
        """What can be used only when all of it is there."""
        if stream.complete:
            self.state.command = stream.take_kept() if self._kept else stream.take_single(add=self._add)

    def _acknowledge(self) -> None:
        """Say which piece is due; `wait` tells the browser to ask again later, when memory is short."""
        stream = known(self._stream)
        self.send(
            {
                "kind": "due",
                "key": self._key,
                "number": stream.next_piece,
                "received": stream.received,
                "wait": stream.pending > self.max_pending,
                "complete": stream.complete,
            }
        )

    def _refuse(self, key: object, reason: str) -> None:
        self.send({"kind": "refused", "key": key if isinstance(key, str) else "", "reason": reason})

    def _on_broken(self, _content: Content, _buffers: Buffers) -> None:
        """The browser gave up in the middle: what has arrived is classified, the rest is not waited for."""
        if self._stream is not None and not self._stream.complete:
            self._drop_upload()

    def _on_cancel(self, _content: Content, _buffers: Buffers) -> None:
        self._drop_upload()
        self.state.command = Cancel()

    def _on_clear(self, _content: Content, _buffers: Buffers) -> None:
        self._drop_upload()
        self.state.command = Clear()

    def _on_examples(self, content: Content, _buffers: Buffers) -> None:
        self._drop_upload()
        self.state.command = ClassifyExamples(content.get("add") is True)

    def _on_bundle(self, _content: Content, _buffers: Buffers) -> None:
        """Back to the model that the page started with."""
        self._drop_upload()
        self.state.command = ResetBundle()

    def _on_show(self, content: Content, _buffers: Buffers) -> None:
        """What the images of the next upload show; None: each is looked at."""
        if content.get("what") in (None, *KINDS):
            self.state.kind = content["what"]

    def _on_pixel_size(self, content: Content, _buffers: Buffers) -> None:
        """How large a pixel of the next upload is, as a person typed it; the page is told how that went."""
        try:
            self.state.pixel_size = read_pixel_size(content.get("text"))
        except ValueError:
            self.state.pixel_size = None
            self.send({"kind": "pixel_size", "fits": False})
        else:
            self.send({"kind": "pixel_size", "fits": True})

    def _on_save_bundle(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = SaveBundle()

    def _drop_upload(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
        self._stream = self._key = None


def read_pixel_size(text: object) -> float | None:
    """Micrometres out of what a person typed, None out of nothing. A comma is a decimal point too.

    ValueError where no microscope has such pixels.
    """
    if not isinstance(text, str):
        raise ValueError("no text")
    typed = text.strip()
    if not typed:
        return None
    if not _NUMBER.fullmatch(typed):
        raise ValueError("no number")
    size, (low, high) = float(typed.replace(",", ".")), PIXEL_SIZES
    if not low <= size <= high:
        raise ValueError("a size that cannot be")
    return size


def _check_entries(files: object) -> list[tuple[str, int]] | None:
    """[(name, size), ...] out of what the browser claims, or None when it makes no sense."""
    if not isinstance(files, list):
        return None
    entries = []
    for item in files:
        if not (isinstance(item, list) and len(item) == 2):
            return None
        name, size = item
        if not (isinstance(name, str) and isinstance(size, int) and not isinstance(size, bool) and size >= 0):
            return None
        entries.append((name[-MAX_NAME:] or "unnamed", size))
    return entries
