"""Files become cells: classifies an upload in the background and writes what comes out into the state.

How files arrive is for `uploader.py`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sized

import numpy as np

from blood_lib.bundle import Bundle
from blood_lib.dashboard.state import Cell, RejectedFile, known
from blood_lib.dashboard.state.commands import ClassifyExamples, Upload
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.jobs import Job
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from blood_lib.dashboard.widgets.pictures import shrink
from blood_lib.images import Rejection
from blood_lib.inference import Result

__all__ = ["Classification", "File"]

File = tuple[str, bytes | Rejection]
Answered = tuple[Result, bytes | Rejection]  # what the classifier says of a file, and the file


class Classification:
    """Carries out `Upload` and `ClassifyExamples`; a new upload takes the place of whatever runs."""

    max_images = 10_000  # per upload; not a trait: a browser cannot change it
    flush_seconds = 0.15  # how often the screen is told of new results

    def __init__(self, controller: Controller):
        self.controller, self.state = controller, controller.state
        controller.register(Upload, lambda command: self._start(command.files))
        controller.register(ClassifyExamples, lambda _command: self._start(self._examples()))

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

    def _start(self, files: Iterable[File]) -> None:
        self._bundle()
        with self.state.hold_trait_notifications():
            self.controller.empty()
            self.controller.jobs.start(
                "classify",
                lambda job: self._work(job, files),
                total=_total(files),
                replace=True,
                on_cancel=lambda: _close(files),
            )

    # --- the work, on a thread of its own ---

    def _work(self, job: Job, files: Iterable[File]) -> None:
        self.controller.loaded.wait()
        if self.state.ready:
            self._classify(job, files)

    def _classify(self, job: Job, files: Iterable[File]) -> None:
        contents: deque[bytes | Rejection] = deque()
        batch: list[Answered] = []
        done, told = 0, 0.0
        for result in known(self.state.classifier).classify(self._feed(job, files, contents)):
            batch.append((result, contents.popleft()))
            done += 1
            if time.monotonic() - told > self.flush_seconds:
                self._publish(job, batch, done, _total(files))
                batch, told = [], time.monotonic()
            if job.cancelled.is_set():
                break
        self._publish(job, batch, done, _total(files))

    def _feed(self, job: Job, files: Iterable[File], contents: deque[bytes | Rejection]) -> Iterator[File]:
        """The files until somebody cancels or there are too many, remembering each content for the screen."""
        for count, (name, content) in enumerate(files):
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

    def _publish(self, job: Job, batch: list[Answered], done: int, total: int) -> None:
        """Show a batch of results, if this work is still the one that counts."""
        good = [(result, content) for result, content in batch if result.status != "rejected"]
        bad = tuple(RejectedFile(r.name, r.reason) for r, _ in batch if r.status == "rejected")
        places = self._place([result for result, _ in good])
        new = tuple(
            Cell(next(self.controller.ids), result.name, result, shrink(content), place)
            for (result, content), place in zip(good, places, strict=True)
        )
        state = self.state
        with state.lock:
            if not job.current:
                return
            with state.hold_trait_notifications():
                state.cells += new
                state.rejected += bad
                job.tell(done, max(done, total))

    def _place(self, results: list[Result]) -> list[tuple[float, float] | None]:
        """Where each result lies on the map; None for all when the map cannot take them."""
        atlas = known(self.state.classifier).atlas
        if not results or atlas is None:
            return [None] * len(results)
        try:
            places = atlas.transform(np.stack([known(result.features) for result in results]))
        except Exception as error:
            self.state.report(error)
            return [None] * len(results)
        return [(float(x), float(y)) for x, y in places]


def _close(files: Iterable[File]) -> None:
    """Take no more of them."""
    cancel = getattr(files, "cancel", None)
    if cancel:
        cancel()


def _total(files: Iterable[File]) -> int:
    """How many files are known of by now."""
    total = getattr(files, "total", None)
    return int(total) if total is not None else len(files) if isinstance(files, Sized) else 0
