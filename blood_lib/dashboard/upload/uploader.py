"""How files arrive: a widget that sends them in acknowledged pieces; leaves what they hold to the core.

The browser sends all files of one upload as one stream of bytes in pieces of 1 MiB, at most a few of them
unacknowledged. A piece that comes twice is ignored and a lost one sent again, so a dropped connection costs
nothing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence

from traitlets import Bool, Dict, Int, List, Unicode

from blood_lib.bundle import BUNDLE_INDEX
from blood_lib.dashboard.review.review_file import INDEX
from blood_lib.dashboard.state import Command, DashboardState
from blood_lib.dashboard.widgets.widget import Part, script
from blood_lib.files.archives import MAX_FILE_BYTES, TOO_LARGE, find_root, list_zip, printable
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection, iter_zip

__all__ = ["Uploader", "Upload"]

ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")
MAX_NAME = 400
KINDS = {BUNDLE_INDEX: "bundle", INDEX: "open_review"}  # what a ZIP file holds -> what is done with it


class Upload:
    """The files of one upload, in order, while they are still arriving: iterate it on another thread."""

    def __init__(self, entries: list[tuple[str, int]], unreadable: Sequence[str] = ()):
        """entries: (name, bytes) of each file; unreadable: names of those where the browser failed."""
        self.entries = entries
        self.total = len(entries) + len(unreadable)
        self.received = 0  # bytes
        self._passed = self._taken = (
            0  # bytes: the first is written by the feeding thread, the other by the taker
        )
        self.next_piece = 0
        self._unreadable = list(unreadable)
        self._file, self._buffer = 0, bytearray()
        self._queue: queue.Queue = queue.Queue()
        self._cancelled = threading.Event()
        self._pass_on_finished()

    @property
    def n_bytes(self) -> int:
        return sum(size for _, size in self.entries)

    @property
    def pending(self) -> int:
        """Bytes of whole files that have arrived and were not taken yet."""
        return self._passed - self._taken

    @property
    def complete(self) -> bool:
        return self._file == len(self.entries)

    def feed(self, piece: int, data: memoryview | bytes) -> int:
        """Take piece number `piece` if it is the one that is due; returns the number of the next."""
        if piece != self.next_piece or self.complete or self._cancelled.is_set():
            return self.next_piece
        data = memoryview(data).cast("B")[: self.n_bytes - self.received]
        self.next_piece += 1
        self.received += len(data)
        while len(data):
            missing = self.entries[self._file][1] - self._seen()
            self._keep(data[:missing])
            data = data[missing:]
            self._pass_on_finished()
        return self.next_piece

    def cancel(self) -> None:
        self._cancelled.set()
        self._queue.put(None)

    def __iter__(self) -> Iterator[tuple[str, bytes | Rejection]]:
        for name in self._unreadable:
            yield printable(name), Rejection(Reason("unsent"))
        while (item := self._queue.get()) is not None and not self._cancelled.is_set():
            name, content = item
            self._taken += len(content) if isinstance(content, bytes) else 0
            if kind_of(content) != "upload":
                yield printable(name), Rejection(Reason("not_alone"))
            elif isinstance(content, bytes) and content.startswith(ZIP_START):
                self.total += max(0, announced_entries(content) - 1)
                yield from iter_zip(name, content)
            else:
                yield printable(name), content

    @property
    def is_single(self) -> bool:
        return self.total == len(self.entries) == 1

    def take_single(self) -> Command:
        """What its only file asks for, now that it is complete: a model or a saved review, or classifying."""
        name, content = item = self._queue.get()
        kind = kind_of(content)
        if kind != "upload":
            return Command(kind, content=content, name=name)
        self._queue = queue.Queue()
        self._queue.put(item)
        self._queue.put(None)
        return Command(kind, self)

    # --- assembling ---

    _dropped = 0  # bytes of the current file that were thrown away because it is too large

    def _seen(self) -> int:
        return len(self._buffer) + self._dropped

    def _keep(self, data: memoryview) -> None:
        size = self.entries[self._file][1]
        if size > MAX_FILE_BYTES and not _may_be_zip(self.entries[self._file][0]):
            self._dropped += len(data)
        else:
            self._buffer += data

    def _pass_on_finished(self) -> None:
        while not self.complete and self._seen() == self.entries[self._file][1]:
            name, _ = self.entries[self._file]
            content = Rejection(TOO_LARGE) if self._dropped else bytes(self._buffer)
            self._passed += len(self._buffer)
            self._queue.put((name, content))
            self._file, self._buffer, self._dropped = self._file + 1, bytearray(), 0
        if self.complete:
            self._queue.put(None)


class Uploader(Part):
    """Drop target, file picker and progress bars; writes an "upload" command as soon as one begins.

    A file that comes alone may be a saved review or a model: what it is, is seen when it is complete.
    """

    _esm = script("upload/uploader")
    accepts = ("begin", "hello", "piece", "cancel", "clear", "examples", "broken", "bundle", "save_bundle")

    max_files = 10_000  # of these three Python keeps its own copy: a browser cannot change them
    max_bytes = 512 * 2**20
    max_pending = 96 * 2**20  # bytes that may wait for the classifier before the browser is told to wait

    limits = Dict(help="for the browser's own early check").tag(sync=True)
    progress = Dict(help="done, total; empty: nothing runs").tag(sync=True)
    summary = Dict(help="counts by status after a classification").tag(sync=True)
    examples = Int(0, help="number of example images").tag(sync=True)
    links = List(help="[tab, its name] of where the results are").tag(sync=True)
    phase = Unicode("", help="preparing, ready, or failed").tag(sync=True)
    foreign = Bool(False, help="the model in use is one that the visitor has brought").tag(sync=True)
    unsaved = Int(0, help="number of reviewed cells that no file has").tag(sync=True)

    def __init__(self, state: DashboardState):
        limits = {"files": self.max_files, "bytes": self.max_bytes, "piece": 2**20, "window": 4}
        super().__init__(state, "upload", limits=limits)
        self._upload: Upload | None = None
        self._key: str | None = None
        state.observe(lambda change: setattr(self, "foreign", change["new"]), "foreign")

    def words(self) -> dict[str, str]:
        status = self.state.messages.section("status")
        return super().words() | {key: text for key, text in status.items() if key.startswith("working")}

    def relabel(self) -> None:
        bundle, messages = self.state.bundle, self.state.messages
        self.examples = len(bundle.examples) if bundle else 0
        self.links = [[tab, messages(f"tab.{tab}")] for tab in ("classification", "chart", "map")]

    def _on_hello(self, _content: dict, _buffers: list) -> None:
        """A page has drawn the uploader; nothing to do yet."""

    def _on_begin(self, content: dict, _buffers: list) -> None:
        key, files, unreadable = content.get("key"), content.get("files"), content.get("unreadable")
        if isinstance(key, str) and key == self._key:  # sent again after a lost connection
            return self._acknowledge()
        entries = _check_entries(files)
        lost = [str(name)[:MAX_NAME] for name in (unreadable or [])[: self.max_files]]
        if not isinstance(key, str) or entries is None or len(entries) > self.max_files:
            return self._refuse(key, "broken")
        upload = Upload(entries, lost)
        if upload.n_bytes > self.max_bytes:
            return self._refuse(key, "toolarge")
        self._drop_upload()
        self._upload, self._key = upload, key
        if upload.is_single:
            self._look_at_single()
        else:
            self.state.command = Command("upload", upload)
        return self._acknowledge()

    def _on_piece(self, content: dict, buffers: list) -> None:
        number = content.get("number")
        if self._upload is None or content.get("key") != self._key:
            return self._refuse(content.get("key"), "broken")
        if isinstance(number, int) and len(buffers) == 1:
            was_complete = self._upload.complete
            self._upload.feed(number, buffers[0])
            if self._upload.is_single and not was_complete:
                self._look_at_single()
        return self._acknowledge()

    def _look_at_single(self) -> None:
        if self._upload.complete:
            self.state.command = self._upload.take_single()

    def _acknowledge(self) -> None:
        """Say which piece is due; `wait` tells the browser to ask again later, when memory is short."""
        upload = self._upload
        self.send(
            {
                "kind": "due",
                "key": self._key,
                "number": upload.next_piece,
                "received": upload.received,
                "wait": upload.pending > self.max_pending,
                "complete": upload.complete,
            }
        )

    def _refuse(self, key: object, reason: str) -> None:
        self.send({"kind": "refused", "key": key if isinstance(key, str) else "", "reason": reason})

    def _on_broken(self, _content: dict, _buffers: list) -> None:
        """The browser gave up in the middle: what has arrived is classified, the rest is not waited for."""
        if self._upload is not None and not self._upload.complete:
            self._drop_upload()

    def _on_cancel(self, _content: dict, _buffers: list) -> None:
        self._drop_upload()
        self.state.command = Command("cancel")

    def _on_clear(self, _content: dict, _buffers: list) -> None:
        self._drop_upload()
        self.state.command = Command("clear")

    def _on_examples(self, _content: dict, _buffers: list) -> None:
        self._drop_upload()
        self.state.command = Command("examples")

    def _on_bundle(self, _content: dict, _buffers: list) -> None:
        """Back to the model that the page started with."""
        self._drop_upload()
        self.state.command = Command("bundle")

    def _on_save_bundle(self, _content: dict, _buffers: list) -> None:
        self.state.command = Command("save_bundle")

    def _drop_upload(self) -> None:
        if self._upload is not None:
            self._upload.cancel()
        self._upload = self._key = None


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


def kind_of(content: bytes | Rejection) -> str:
    """The kind of command that a file asks for; its content decides, not its name."""
    if isinstance(content, Rejection) or not content.startswith(ZIP_START):
        return "upload"
    names = list_zip(content)
    return next((kind for index, kind in KINDS.items() if find_root(names, index) is not None), "upload")


def _may_be_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def announced_entries(content: bytes) -> int:
    """How many entries a ZIP file says it has; good enough for a progress bar, and for nothing else."""
    at = content.rfind(b"PK\x05\x06", -66_000)
    return int.from_bytes(content[at + 10 : at + 12], "little") if at >= 0 else 1
