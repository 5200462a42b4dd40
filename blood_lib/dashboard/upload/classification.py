"""Files become cells: classifies an upload in the background and writes what comes out into the state.

How files arrive is for `uploader.py`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import Any

from blood_lib.bundle import Bundle
from blood_lib.dashboard.field.opened import KEEP_BYTES, Opened, build_cell, count_kept
from blood_lib.dashboard.state import Field, RejectedFile, known
from blood_lib.dashboard.state.commands import ClassifyExamples, Upload
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.jobs import Job
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from blood_lib.images import Rejection
from blood_lib.inference import Result

__all__ = ["Classification", "File"]

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif")
File = tuple[str, bytes | Rejection]


class Classification:
    """Carries out `Upload` and `ClassifyExamples`; an upload that does not add takes the place of all."""

    max_images = 10_000  # on the page; not a trait: a browser cannot change it
    flush_seconds = 0.15  # how often the screen is told of new results

    def __init__(self, controller: Controller):
        self.controller, self.state = controller, controller.state
        controller.register(Upload, lambda command: self._start(command.files, command.add))
        controller.register(ClassifyExamples, lambda command: self._start(self._examples(), command.add))

    def _examples(self) -> list[File]:
        """The bundle's drawn example images."""
        bundle = self._bundle()
        return [
            (path.name, bundle.read(path.relative_to(bundle.path).as_posix())) for path in bundle.examples
        ]

    def _bundle(self) -> Bundle:
        if self.state.bundle is None:
            raise DashboardError(self.state.error or Sentence("status.error"))
        return self.state.bundle

    def _start(self, files: Iterable[File], add: bool) -> None:
        """Beside the cells that there are, once no work runs; or in their place, whatever runs."""
        self._bundle()
        state = self.state
        with state.hold_trait_notifications():
            if not add:
                self.controller.empty()
            state.error = state.notice = None
            self.controller.jobs.start(
                "classify",
                lambda job: self._work(job, files),
                total=_total(files),
                replace=not add,
                on_cancel=lambda: _close(files),
            )

    # --- the work, on a thread of its own ---

    def _work(self, job: Job, files: Iterable[File]) -> None:
        self.controller.loaded.wait()
        if self.state.ready:
            self._classify(job, files)

    def _classify(self, job: Job, files: Iterable[File]) -> None:
        contents: deque[bytes | Rejection] = deque()
        batch, done, told = Batch(count_kept(self.state.fields)), 0, 0.0
        opened = Opened(b"")
        for result in known(self.state.classifier).classify(self._feed(job, files, contents), **self._how()):
            if result.cell in (None, 1):  # another file
                opened, done = Opened(contents.popleft()), done + 1
            batch.take(result, opened, next(self.controller.ids))
            if time.monotonic() - told > self.flush_seconds:
                self._publish(job, batch, done, _total(files))
                batch, told = Batch(batch.kept, passed=batch.passed), time.monotonic()
            if job.cancelled.is_set() or self._is_full(batch):
                _close(files)
                break
        self._publish(job, batch, done, _total(files))
        if batch.passed and job.wanted and self.state.notice is None:
            self._tell(Sentence("status.passed_over", {"n": batch.passed}))

    def _how(self) -> dict[str, Any]:
        """What a person said of the images."""
        said = {"kind": self.state.kind, "pixel_size": self.state.pixel_size}
        return {name: value for name, value in said.items() if value is not None}

    def _is_full(self, batch: Batch) -> bool:
        """A few fields may hold more cells than a page can show."""
        full = len(self.state.cells) + len(batch.found) >= self.max_images
        if full:
            self._tell(Sentence("status.limit_cells", {"n": self.max_images}))
        return full

    def _feed(self, job: Job, files: Iterable[File], contents: deque[bytes | Rejection]) -> Iterator[File]:
        """The files until somebody cancels or there are too many, remembering each content for the screen."""
        there = len(self.state.cells) + len(self.state.rejected)  # where more are added
        for count, (name, content) in enumerate(files, there):
            if job.cancelled.is_set():
                return
            if count >= self.max_images:
                self._tell(Sentence("status.limit_files", {"n": self.max_images}))
                return _close(files)
            contents.append(content)
            yield name, content

    def _tell(self, sentence: Sentence) -> None:
        with self.state.lock:
            self.state.notice = sentence

    def _publish(self, job: Job, batch: Batch, done: int, total: int) -> None:
        """Show a batch of results, if this work is still the one that counts."""
        window = known(self.state.bundle).preprocessing.window
        places = self.controller.find_places([each.result for each in batch.found])
        new = tuple(
            build_cell(each.id, each.result, each.picture, place, field=each.field, window=window)
            for each, place in zip(batch.found, places, strict=True)
        )
        state = self.state
        with state.lock:
            if not job.current:
                return
            with state.hold_trait_notifications():
                state.cells += new
                state.rejected += tuple(batch.rejected)
                state.fields += tuple(batch.fields)
                job.tell(done, max(done, total))


@dataclass
class Found:
    """A cell that has not been shown yet."""

    id: int
    result: Result
    picture: bytes
    field: int | None


@dataclass
class Batch:
    """What has come of files since the page was told last."""

    kept: int  # bytes of the files of all fields so far
    found: list[Found] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    rejected: list[RejectedFile] = field(default_factory=list)
    passed: int = 0  # files that were never meant as images

    def take(self, result: Result, opened: Opened, identity: int) -> None:
        """identity: for the cell, and before it for its field."""
        if result.field is not None and opened.field is None:
            new = opened.read(identity, result, room=KEEP_BYTES - self.kept)
            self.fields.append(new)
            self.kept += len(new.original)
        shown = opened.field.id if opened.field else None
        if is_other_file(result):
            self.passed += 1
        elif result.status == "rejected":
            self.rejected.append(RejectedFile(result.name, result.reason, shown))
        else:
            self.found.append(Found(identity, result, opened.picture(result), shown))


def is_other_file(result: Result) -> bool:
    """Whether it lay in a ZIP file or folder among the images and is none, by content and by name."""
    is_none = result.reason is not None and result.reason.code == "no_image"
    return is_none and "/" in result.name and not result.name.lower().endswith(IMAGE_ENDINGS)


def _close(files: Iterable[File]) -> None:
    """Take no more of them."""
    cancel = getattr(files, "cancel", None)
    if cancel:
        cancel()


def _total(files: Iterable[File]) -> int:
    """How many files are known of by now."""
    total = getattr(files, "total", None)
    return int(total) if total is not None else len(files) if isinstance(files, Sized) else 0
