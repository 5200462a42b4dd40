"""The files of one upload while they are still arriving, cut out of one stream of bytes.

How the stream reaches Python is for `uploader.py`; the core reads what the files hold.
"""

from __future__ import annotations

import codecs
import queue
import threading
from collections.abc import Iterator, Sequence

from blood_lib.bundle import BUNDLE_INDEX
from blood_lib.dashboard.review.review_file import INDEX
from blood_lib.dashboard.state.commands import OpenBundle, OpenReview, Upload
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from blood_lib.files.archives import MAX_FILE_BYTES, TOO_LARGE, find_root, list_zip, printable
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection, iter_zip

__all__ = ["N_KEPT", "FileStream"]

N_KEPT = 2  # files of a review that the browser has kept
HEAD = 10_000  # bytes of a file that tell a table or a report
ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")


class FileStream:
    """The files of one upload, in order, while they are still arriving: iterate it on another thread."""

    def __init__(self, entries: list[tuple[str, int]], unreadable: Sequence[str] = ()):
        """entries: (name, bytes) of each file; unreadable: names of those where the browser failed."""
        self.entries = entries
        self.total = len(entries) + len(unreadable)
        self.received = 0  # bytes
        self._passed = 0  # bytes; written by the thread that feeds
        self._taken = 0  # bytes; written by the thread that takes
        self.next_piece = 0
        self._unreadable = list(unreadable)
        self._file, self._buffer = 0, bytearray()
        self._queue: queue.Queue[tuple[str, bytes | Rejection] | None] = queue.Queue()
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
            if command_for(name, content) is not None:
                yield printable(name), Rejection(Reason("not_alone"))
            elif is_made_here(content):
                yield printable(name), Rejection(Reason("made_here"))
            elif isinstance(content, bytes) and content.startswith(ZIP_START):
                self.total += max(0, announced_entries(content) - 1)
                yield from iter_zip(name, content)
            else:
                yield printable(name), content

    @property
    def is_single(self) -> bool:
        return self.total == len(self.entries) == 1

    def take_single(self, *, add: bool) -> Upload | OpenBundle | OpenReview:
        """What its only file asks for, now that it is complete; its content decides, not its name.

        DashboardError where nothing can be done with it, or it cannot be added to what there is.
        """
        item = self._queue.get()
        command = item and command_for(*item)
        if command is not None and add:
            raise DashboardError(Sentence("upload.not_added"))
        if command is not None:
            return command
        if item and is_made_here(item[1]):
            raise DashboardError(Sentence("reason.made_here"))
        self._queue = queue.Queue()
        self._queue.put(item)
        self._queue.put(None)
        return Upload(self, add)

    def take_kept(self) -> OpenReview | None:
        """The review that a browser has kept, now that it is complete: the newer index, then the ZIP file."""
        found = [item[1] for item in (self._queue.get(), self._queue.get()) if item]
        files = [content for content in found if isinstance(content, bytes)]
        return OpenReview(files[1], files[0]) if len(files) == len(found) == N_KEPT else None

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


def command_for(name: str, content: bytes | Rejection) -> OpenBundle | OpenReview | None:
    """What opens a file that is a model or a saved review; None for any other."""
    if isinstance(content, Rejection) or not content.startswith(ZIP_START):
        return None
    names = list_zip(content)
    if find_root(names, INDEX) is not None:  # looked for first: a review may hold a model that has learnt
        return OpenReview(content)
    return OpenBundle(content, name) if find_root(names, BUNDLE_INDEX) is not None else None


def is_made_here(content: bytes | Rejection) -> bool:
    """Whether it is a table or a report, which the page gives and cannot open."""
    if isinstance(content, Rejection):
        return False
    head = content[:HEAD].lower()
    table = head.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0]
    is_table = table.startswith(b"file,") and b",status,reason,label,confidence" in table
    return is_table or head.startswith(b"<!doctype html")


def _may_be_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def announced_entries(content: bytes) -> int:
    """How many entries a ZIP file says it has; good enough for a progress bar, and for nothing else."""
    at = content.rfind(b"PK\x05\x06", -66_000)
    return int.from_bytes(content[at + 10 : at + 12], "little") if at >= 0 else 1
