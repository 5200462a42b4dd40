"""Work that takes long: one piece at a time, in the background, with a progress that can be cancelled.

The modules that start it decide what the work is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from blood_lib.dashboard.state.memory import release_memory
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from blood_lib.dashboard.state.state import DashboardState, Progress

__all__ = ["Cancelled", "Job", "Jobs"]

T = TypeVar("T")
TELL_SECONDS = 0.15  # between two times that `Job.watch` tells how far it is


class Cancelled(Exception):
    """Somebody wanted the work to stop, and so it does."""


class Job:
    """One piece of work: how far it is, and whether somebody wants it to stop."""

    def __init__(self, jobs: Jobs, kind: str, on_cancel: Callable[[], None]):
        self.kind = kind
        self.cancelled = threading.Event()
        self._told = 0.0  # when it was last told how far it is
        self._jobs = jobs
        self._on_cancel = on_cancel

    @property
    def current(self) -> bool:
        """Its outcome is still wanted, if only what was done before it was cancelled."""
        return self._jobs.current is self

    @property
    def wanted(self) -> bool:
        """All of its outcome is still wanted."""
        return self.current and not self.cancelled.is_set()

    def cancel(self) -> None:
        """Stop as soon as may be."""
        self.cancelled.set()
        self._on_cancel()

    def watch(self, items: Iterable[T], total: int) -> Iterator[T]:
        """The items one by one, telling how many are done; ends the work when somebody wants it to stop."""
        for done, item in enumerate(items):
            if self.cancelled.is_set():
                raise Cancelled
            if time.monotonic() - self._told > TELL_SECONDS:
                self._told = time.monotonic()
                self.tell(done, total)
            yield item

    def tell(self, done: int, total: int) -> None:
        """Show how far it is, unless something else counts by now."""
        state = self._jobs.state
        with state.lock:
            if self.current:
                state.progress = Progress(done, total, self.kind)


class Jobs:
    """Starts pieces of work, each on a thread of its own, and never two at once."""

    def __init__(self, state: DashboardState):
        self.state = state
        self.current: Job | None = None
        self._last: threading.Thread | None = None

    def start(
        self,
        kind: str,
        work: Callable[[Job], None],
        *,
        total: int = 0,
        replace: bool = False,
        on_cancel: Callable[[], None] = lambda: None,
    ) -> Job:
        """Run `work(job)` in the background; it heeds `job.cancelled` and changes the state under its lock.

        With `replace` whatever runs is cancelled and waited for; without, DashboardError says that it runs.
        """
        if self.current is not None:
            if not replace:
                raise DashboardError(Sentence("status.busy"))
            self.current.cancel()
        job, before = Job(self, kind, on_cancel), self._last
        self.current = job
        job.tell(0, total)
        self._last = threading.Thread(target=self._run, args=(job, work, before), daemon=True, name=kind)
        self._last.start()
        return job

    def _run(self, job: Job, work: Callable[[Job], None], before: threading.Thread | None) -> None:
        try:
            if before:
                before.join()
            if not job.cancelled.is_set():
                work(job)
        except Exception as error:  # the thread's last resort: told, never raised into nowhere
            if not job.cancelled.is_set():
                self.state.report(error)
        finally:
            with self.state.lock:
                if self.current is job:
                    self.current = None
                    self.state.progress = None
            release_memory()

    def cancel(self) -> str | None:
        """Stop what runs; its kind, or None."""
        if self.current is None:
            return None
        self.current.cancel()
        return self.current.kind

    def drop(self) -> None:
        """Stop what runs and care for it no more."""
        self.cancel()
        self.current = self.state.progress = None

    def wait(self, timeout: float | None = None) -> None:
        """Until nothing runs any more; for tests and scripts."""
        if self._last:
            self._last.join(timeout)
