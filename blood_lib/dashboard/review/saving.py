"""Saves a review to a file and opens it again, perhaps on another machine; nothing of it stays on the server.

What the file looks like is for `review_file.py`, how it reaches the visitor for `downloads.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from blood_lib.bundle import BUNDLE_INDEX, load_bundle_files
from blood_lib.dashboard.review.checks import ReviewError
from blood_lib.dashboard.review.review_file import (
    INDEX,
    ReviewedModel,
    SavedReview,
    iter_review,
    read_model,
    read_review,
    write_index,
)
from blood_lib.dashboard.state import DashboardState, Download, Kept, known
from blood_lib.dashboard.state.commands import Keep, OpenReview, SaveReview
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.jobs import Job
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from blood_lib.files.archives import ArchiveError, find_root, iter_whole, list_zip, write_zip

if TYPE_CHECKING:
    from blood_lib.inference import Classifier

__all__ = ["Saving", "is_too_large"]

MAX_BYTES = 480 * 2**20  # of all images together: what the uploader takes back, and a little for the rest
MAX_UNPACKED = 1024 * 2**20


class Saving:
    """Carries out `SaveReview` and `OpenReview`, as jobs, and `Keep` beside whatever runs."""

    def __init__(self, controller: Controller):
        self.controller, self.state = controller, controller.state
        self._whole: tuple[object, ...] = ()  # what the ZIP file that the browser keeps was made of
        controller.register(Keep, self._on_keep)
        controller.register(SaveReview, self._on_save)
        controller.register(OpenReview, self._on_open)

    # --- to a file ---

    def _on_save(self, command: SaveReview) -> None:
        state, images = self.state, command.images
        if not state.cells and not state.fields:
            raise DashboardError(Sentence("saving.nothing"))
        if images and is_too_large(state):
            raise DashboardError(Sentence("saving.large"))
        when = datetime.now().astimezone()
        review = self._snapshot(when)
        total = 3 + len(review.model.files) + (len(review.cells) + len(review.fields)) * images
        files = iter_review(review, images=images)
        self.controller.jobs.start("review", lambda job: self._save(job, files, total, review), total=total)

    def _snapshot(self, when: datetime) -> SavedReview:
        """The state as it is now: what changes while it is written is not in the file."""
        state = self.state
        return SavedReview(
            model=self._describe_model(),
            date=when.isoformat(timespec="seconds"),
            reviewer=state.reviewer,
            ranges=dict(state.ranges),
            cells=state.cells,
            rejected=state.rejected,
            fields=state.fields,
        )

    def _describe_model(self) -> ReviewedModel:
        """The bundle in use; if it has learnt, what to add to the bundle that it learnt from."""
        bundle = known(self.state.bundle)
        if self.state.base is None:
            return ReviewedModel(bundle.title, bundle.sha256, bundle.sha256)
        base = self.state.base.bundle
        changed = [name for name, sha256 in bundle.files.items() if base.files.get(name) != sha256]
        files = {BUNDLE_INDEX: bundle.index} | {name: bundle.read(name) for name in changed}
        return ReviewedModel(bundle.title, bundle.sha256, base.sha256, files)

    def _save(self, job: Job, files: Iterator[tuple[str, bytes]], total: int, review: SavedReview) -> None:
        content = write_zip(job.watch(files, total))
        when = datetime.fromisoformat(review.date)
        name = f"{self.state.messages('saving.file')} {when:%Y-%m-%d %H.%M.%S}.zip"
        with self.state.lock:
            if job.wanted:
                self.state.download = Download(name, "application/zip", content, review.cells)

    # --- to the browser ---

    def _on_keep(self, command: Keep) -> None:
        if not self.state.cells and not self.state.fields:
            return
        review = self._snapshot(datetime.now().astimezone())
        threading.Thread(target=self._keep, args=(review, command.whole), daemon=True).start()

    def _keep(self, review: SavedReview, again: bool) -> None:
        try:
            kept = self._pack(review, again)
        except Exception as error:  # the thread's last resort: told, never raised into nowhere
            self.state.report(error)
            return
        with self.state.lock:
            self.state.kept = kept

    def _pack(self, review: SavedReview, again: bool) -> Kept:
        """The ZIP file only where something in it is new: a decision changes no more than the index."""
        cells = ((cell.result, cell.content) for cell in review.cells)
        made_of = (review.model.sha256, *cells, *review.fields)
        new = again or made_of != self._whole
        self._whole = made_of
        return Kept(
            index=write_index(review, images=True),
            whole=write_zip(iter_review(review, images=True)) if new else None,
            date=review.date,
            n=len(review.cells),
            decided=sum(cell.reviewed for cell in review.cells),
        )

    # --- from a file, or from the browser ---

    def _on_open(self, command: OpenReview) -> None:
        self.controller.jobs.start("review", lambda job: self._open(job, command), replace=True)

    def _open(self, job: Job, command: OpenReview) -> None:
        self.controller.loaded.wait()
        try:
            files = _unpack(job, command.content)
            files |= {INDEX: command.index} if command.index else {}
            classifier, base = self._find_classifier(read_model(files))
            n_features = classifier.atlas.features.shape[1]
            review = read_review(files, classifier.bundle, n_features)
        except ArchiveError:
            raise DashboardError(Sentence("saving.damaged")) from None
        except ReviewError as error:
            raise DashboardError(Sentence(f"saving.{error}")) from None
        with self.state.lock:
            if job.wanted:
                self._show(review, classifier, base)
                if command.index is not None:
                    self.state.saved = ()  # no file has it

    def _find_classifier(self, model: ReviewedModel) -> tuple[Classifier, Classifier | None]:
        """The one whose answers were reviewed, and what it was before it learnt, or None.

        Where it is not at hand, a DashboardError names the model that is needed.
        """
        state = self.state
        for classifier, base in ((state.classifier, state.base), (state.base, None)):
            if classifier is not None and model.sha256 in classifier.bundle.identities:
                return classifier, base
        for base in (state.classifier, state.base):
            if base is not None and model.files and model.base in base.bundle.identities:
                return _teach(base, model), base
        values = {"title": model.title, "identity": model.sha256[:16]}
        raise DashboardError(Sentence("saving.other_model", values))

    def _show(self, review: SavedReview, classifier: Classifier, base: Classifier | None) -> None:
        state = self.state
        self.controller.use(classifier, base)
        new = {field.id: next(self.controller.ids) for field in review.fields}
        with state.hold_trait_notifications():
            state.fields = tuple(replace(field, id=new[field.id]) for field in review.fields)
            state.cells = tuple(
                replace(cell, id=next(self.controller.ids), field=_renumber(cell.field, new))
                for cell in review.cells
            )
            state.rejected = tuple(
                replace(file, field=_renumber(file.field, new)) for file in review.rejected
            )
            state.saved = state.cells
            state.reviewer, state.ranges = review.reviewer, review.ranges
            state.notice = Sentence("saving.opened", {"n": len(state.cells), "date": review.date[:10]})


def is_too_large(state: DashboardState) -> bool:
    """Whether a file with all images could not be opened again."""
    contents = [each.content for each in state.cells] + [each.content for each in state.fields]
    return sum(map(len, contents)) > MAX_BYTES


def _renumber(field: int | None, new: Mapping[int, int]) -> int | None:
    return None if field is None else new[field]


def _unpack(job: Job, content: bytes) -> dict[str, bytes]:
    """The files of the ZIP archive, perhaps out of the one folder that it holds."""
    names = list_zip(content)
    files = dict(job.watch(iter_whole(content, most_bytes=MAX_UNPACKED), len(names)))
    root = find_root(names, INDEX) or ""
    return {name.removeprefix(root): files[name] for name in files if name.startswith(root)}


def _teach(base: Classifier, model: ReviewedModel) -> Classifier:
    """The classifier as `base` was after it had learnt."""
    from blood_lib.inference import Classifier

    bundle = load_bundle_files(base.bundle.contents() | model.files, base.bundle.path)
    if bundle.sha256 != model.sha256:
        raise ReviewError("damaged")
    return Classifier(bundle)
