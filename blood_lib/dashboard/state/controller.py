"""Carries out the user's commands and loads the classifier; modules that register for a command do the work.

How the state is shown is left to the views.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from blood_lib.dashboard.state.commands import Cancel, Clear, Command
from blood_lib.dashboard.state.jobs import Jobs
from blood_lib.dashboard.state.memory import release_memory
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.dashboard.state.state import DashboardState, known

if TYPE_CHECKING:
    from blood_lib.inference import Classifier, Result

__all__ = ["Controller"]

C = TypeVar("C", bound=Command)


class Controller:
    """Watches `state.command`; `load` gives the classifier and is called once, in the background.

    A module that can do something more registers the type of command that it carries out. Its handler is
    called at once, under the state's lock; what takes longer than a moment it gives to `jobs`.
    """

    def __init__(self, state: DashboardState, load: Callable[[], Classifier]):
        self.state = state
        self.jobs = Jobs(state)
        self.loaded = threading.Event()  # the classifier is there, or will never be
        self.ids = itertools.count(1)  # of cells and fields; none is given twice
        self._load = load
        self._handlers: dict[type[Command], Callable[[Any], None]] = {}
        self.register(Cancel, self._on_cancel)
        self.register(Clear, self._on_clear)
        state.observe(state.guard(self._on_command), "command")

    def register(self, kind: type[C], handler: Callable[[C], None]) -> None:
        """Have `handler(command)` called for every command of this type."""
        self._handlers[kind] = handler

    def _on_command(self, change: Any) -> None:
        command: Command | None = change["new"]
        if command is not None:
            self._handlers[type(command)](command)

    def _on_cancel(self, _command: Cancel) -> None:
        kind = self.jobs.cancel() or self._stop_download()
        if kind is not None:
            self.state.notice = Sentence("status.cancelled" if kind == "classify" else "status.stopped")

    def _stop_download(self) -> str | None:
        """Hand over no more of the file that is on its way; "download", or None where there is none."""
        if self.state.download is None:
            return None
        self.state.download = None
        return "download"

    def _on_clear(self, _command: Clear) -> None:
        self.jobs.drop()
        self.empty()
        release_memory()

    def empty(self) -> None:
        """Forget all cells and what is known about them."""
        state = self.state
        with state.lock, state.hold_trait_notifications():
            state.error = state.notice = None
            state.current, state.selected = None, ()
            state.cells = state.rejected = state.saved = state.fields = ()
            state.current_field = None
            state.proposals, state.lesson = 0, None
            state.runs += 1

    def use(self, classifier: Classifier, base: Classifier | None = None) -> None:
        """Go on with another classifier and its bundle, without the cells of the one before.

        base: the classifier that it was before it learnt from corrections; None if it has not.
        """
        with self.state.lock, self.state.hold_trait_notifications():
            self.empty()
            self.swap(classifier, base)

    def swap(self, classifier: Classifier, base: Classifier | None) -> None:
        """The same, with the cells that there are."""
        state = self.state
        with state.lock, state.hold_trait_notifications():
            state.classifier, state.bundle = classifier, classifier.bundle
            state.base, state.adapted = base, base is not None
            state.ready, state.failed = True, False

    def find_places(self, results: Sequence[Result]) -> list[tuple[float, float] | None]:
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

    def wait(self, timeout: float | None = None) -> None:
        """Until no work runs; for tests and scripts."""
        self.jobs.wait(timeout)

    # --- the classifier ---

    def warm_up(self, prepare: Callable[[], object] = lambda: None) -> threading.Thread:
        """Load the classifier in the background, so that the page is there before it, and then `prepare`."""
        thread = threading.Thread(target=self._warm_up, args=(prepare,), daemon=True, name="warm-up")
        thread.start()
        return thread

    def _warm_up(self, prepare: Callable[[], object]) -> None:
        try:
            classifier = self._load()
            with self.state.lock:
                self.state.classifier = classifier
                self.state.ready = True
        except Exception as error:  # the thread's last resort: told, never raised into nowhere
            self.state.report(error)
            self.state.failed = True
        finally:
            self.loaded.set()
        if self.state.ready:
            self._get_ready(prepare)

    def _get_ready(self, prepare: Callable[[], object]) -> None:
        """Do once what takes long the first time only: imports, and placing a point on the map."""
        try:
            atlas = known(self.state.classifier).atlas
            atlas.transform(np.asarray(atlas.features[:1], dtype=np.float32))
            prepare()
            with self.state.lock:
                self.state.prepared = True
        except Exception as error:  # as above
            self.state.report(error)
