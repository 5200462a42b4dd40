"""Another model while the page is open: a bundle in a ZIP file is loaded, or the one in use taken away.

It lives in memory for as long as the page. What a bundle is, is for `blood_lib.bundle`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from blood_lib.bundle import Bundle, load_bundle_zip
from blood_lib.dashboard.state import Download, known
from blood_lib.dashboard.state.commands import OpenBundle, ResetBundle, SaveBundle
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.jobs import Job
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.files.archives import printable, write_zip

if TYPE_CHECKING:
    from blood_lib.inference import Classifier

__all__ = ["Bundles"]

T = TypeVar("T")


class Bundles:
    """Carries out `OpenBundle`, `ResetBundle` and `SaveBundle`, as jobs.

    A new model knows nothing of the cells that there are: they go.
    """

    def __init__(self, controller: Controller):
        self.controller, self.state = controller, controller.state
        self._first: Classifier | None = None  # the classifier that the page started with
        controller.register(OpenBundle, self._on_change)
        controller.register(ResetBundle, self._on_change)
        controller.register(SaveBundle, self._on_save)

    def _on_change(self, command: OpenBundle | ResetBundle) -> None:
        self.controller.jobs.start("bundle", lambda job: self._change(job, command), replace=True)

    def _change(self, job: Job, command: OpenBundle | ResetBundle) -> None:
        self.controller.loaded.wait()
        if self._first is None:
            self._first = self.state.base or self.state.classifier
        loaded = _load(job, command) if isinstance(command, OpenBundle) else self._first
        with self.state.lock:
            if job.wanted and loaded is not None:
                self._show(loaded)

    def _show(self, classifier: Classifier) -> None:
        state = self.state
        self.controller.use(classifier)
        state.foreign = classifier is not self._first
        state.notice = Sentence("bundle.loaded", {"title": classifier.bundle.title})

    def _on_save(self, _command: SaveBundle) -> None:
        bundle = known(self.state.bundle)
        total = 1 + len(bundle.files)
        self.controller.jobs.start("bundle", lambda job: self._save(job, bundle, total), total=total)

    def _save(self, job: Job, bundle: Bundle, total: int) -> None:
        content = write_zip(job.watch(iter(bundle.contents().items()), total))
        with self.state.lock:
            if job.wanted:
                name = _file_name(self.state.messages.pick(bundle.title))
                self.state.download = Download(name, "application/zip", content)


def _load(job: Job, command: OpenBundle) -> Classifier:
    from blood_lib.inference import Classifier

    def watch(files: Iterator[T], n: int) -> Iterator[T]:
        return job.watch(files, n + 1)  # the last step gets the network ready

    path = Path(printable(command.name) or "bundle.zip")
    return Classifier(load_bundle_zip(command.content, path, watch=watch))


def _file_name(title: str) -> str:
    """A name that every system takes."""
    plain = re.sub(r"[^\w-]+", "-", title).strip("-")
    return f"{plain[:80] or 'bundle'}.zip"
