"""Obeys the user's commands: classifies in the background and writes what comes out into the state.

How files arrive is for `uploader.py`, what the state looks like on the screen is for `views.py`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from blood_lib import BloodError
from blood_lib.dashboard.pictures import shrink
from blood_lib.dashboard.state import Cell, Command, DashboardState, Progress, RejectedFile
from blood_lib.images import Rejection

__all__ = ["Controller"]

File = tuple[str, "bytes | Rejection"]


class Run:
    """One classification: its files, and whether somebody wants it to stop."""

    def __init__(self, files: Iterable[File], before: threading.Thread | None):
        self.files = files
        self.before = before  # the run that this one replaces; it is waited for
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop as soon as may be."""
        self.cancelled.set()
        self.close()

    def close(self) -> None:
        """Take no more files."""
        close = getattr(self.files, "cancel", None)
        if close:
            close()


class Controller:
    """Watches `state.command`; `load` gives the classifier and is called once, in the background."""

    max_images = 10_000  # per upload; not a trait: a browser cannot change it
    flush_seconds = 0.15  # how often the screen is told of new results

    def __init__(self, state: DashboardState, load: Callable[[], Any]):
        self.state = state
        self._load = load
        self._loaded = threading.Event()
        self._thread: threading.Thread | None = None
        self._run: Run | None = None
        self._next_id = 0
        state.observe(state.guard(self._on_command), "command")

    # --- the classifier ---

    def warm_up(self, prepare: Callable[[], Any] = lambda: None) -> threading.Thread:
        """Load the classifier in the background, so that the page is there before it, and then `prepare`."""
        thread = threading.Thread(target=self._warm_up, args=(prepare,), daemon=True, name="warm-up")
        thread.start()
        return thread

    def _warm_up(self, prepare: Callable[[], Any]) -> None:
        try:
            classifier = self._load()
            with self.state.lock:
                self.state.classifier = classifier
                self.state.ready = True
        except Exception as error:  # the thread's last resort: told, never raised into nowhere
            self.state.report(error)
            self.state.failed = True
        finally:
            self._loaded.set()
        if self.state.ready:
            self._get_ready(prepare)

    def _get_ready(self, prepare: Callable[[], Any]) -> None:
        """Do once what takes long the first time only: imports, and placing a point on the map."""
        try:
            atlas = self.state.classifier.atlas
            atlas.place(np.asarray(atlas.features[:1], dtype=np.float32))
            prepare()
            with self.state.lock:
                self.state.prepared = True
        except Exception as error:  # as above
            self.state.report(error)

    # --- commands ---

    def _on_command(self, change: Any) -> None:
        command: Command | None = change["new"]
        if command is None:
            return
        act = {
            "upload": lambda: self._start(command.files),
            "examples": lambda: self._start(self._examples()),
            "cancel": self._cancel,
            "clear": self._clear,
        }
        act[command.kind]()

    def _examples(self) -> list[File]:
        """The bundle's drawn example images."""
        bundle = self.state.bundle
        return [
            (path.name, bundle.read(path.relative_to(bundle.path).as_posix())) for path in bundle.examples
        ]

    def _start(self, files: Iterable[File]) -> None:
        if self.state.bundle is None:
            raise BloodError(self.state.error or self.state.messages("status.error"))
        if self._run:
            self._run.cancel()
        self._run = Run(files, self._thread)
        self._empty(Progress(0, _total(files)))
        self._thread = threading.Thread(target=self._work, args=(self._run,), daemon=True, name="classify")
        self._thread.start()

    def _cancel(self) -> None:
        if self._run:
            self._run.cancel()
        if self.state.progress is not None:
            self.state.notice = self.state.messages("status.cancelled")

    def _clear(self) -> None:
        if self._run:
            self._run.cancel()
            self._run = None
        self._empty(None)

    def _empty(self, progress: Progress | None) -> None:
        state = self.state
        with state.hold_trait_notifications():
            state.error = state.notice = ""
            state.selected = None
            state.cells, state.rejected = (), ()
            state.progress = progress
            state.runs += 1

    def wait(self, timeout: float | None = None) -> None:
        """Until the running classification is over; for tests and scripts."""
        if self._thread:
            self._thread.join(timeout)

    # --- the work, on a thread of its own ---

    def _work(self, run: Run) -> None:
        try:
            if run.before:
                run.before.join()
            self._loaded.wait()
            if self.state.ready:
                self._classify(run)
        except Exception as error:  # the thread's last resort: told, never raised into nowhere
            if not run.cancelled.is_set():
                self.state.report(error)
        finally:
            with self.state.lock:
                if self._run is run:
                    self.state.progress = None

    def _classify(self, run: Run) -> None:
        contents: deque[bytes | Rejection] = deque()
        batch: list[tuple[Any, bytes | Rejection]] = []
        done, told = 0, 0.0
        for result in self.state.classifier.classify(self._feed(run, contents)):
            batch.append((result, contents.popleft()))
            done += 1
            if time.monotonic() - told > self.flush_seconds:
                self._publish(run, batch, done)
                batch, told = [], time.monotonic()
            if run.cancelled.is_set():
                break
        self._publish(run, batch, done)

    def _feed(self, run: Run, contents: deque) -> Iterator[File]:
        """The run's files until it is cancelled or too many, remembering each content for the screen."""
        for count, (name, content) in enumerate(run.files):
            if run.cancelled.is_set():
                return
            if count >= self.max_images:
                self._tell("status.limit_files", n=self.max_images)
                return run.close()
            contents.append(content)
            yield name, content

    def _tell(self, key: str, **values: Any) -> None:
        with self.state.lock:
            self.state.notice = self.state.messages(key, **values)

    def _publish(self, run: Run, batch: list, done: int) -> None:
        """Show a batch of results, if this run is still the one that counts."""
        good = [(result, content) for result, content in batch if result.status != "rejected"]
        bad = tuple(RejectedFile(r.name, r.reason) for r, _ in batch if r.status == "rejected")
        places = self._place([result for result, _ in good])
        new = tuple(
            Cell(self._new_id(), result.name, result, shrink(content), place)
            for (result, content), place in zip(good, places, strict=True)
        )
        state = self.state
        with state.lock:
            if self._run is not run:
                return
            with state.hold_trait_notifications():
                state.cells += new
                state.rejected += bad
                state.progress = Progress(done, max(done, _total(run.files)))

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _place(self, results: list) -> list[tuple[float, float] | None]:
        """Where each result lies on the map; None for all when the map cannot take them."""
        atlas = self.state.classifier.atlas
        if not results or atlas is None:
            return [None] * len(results)
        try:
            places = atlas.place(np.stack([result.features for result in results]))
        except Exception as error:
            self.state.report(error)
            return [None] * len(results)
        return [(float(x), float(y)) for x, y in places]


def _total(files: Iterable) -> int:
    """How many files are known of by now."""
    total = getattr(files, "total", None)
    return int(total) if total is not None else len(files) if hasattr(files, "__len__") else 0
