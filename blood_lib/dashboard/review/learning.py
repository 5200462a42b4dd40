"""The classifier learns from what people corrected, and proposes what it would now say of the rest.

Accepting a proposal is a step of the review and can be undone: then the cell stands where it stood before,
on a person's word. The model that has learnt is in use from the first accepted proposal on. What people had
reviewed keeps the answer that they reviewed; the rest gets the new model's status and probabilities, but for
those whose proposal is open or was dismissed: they stay as they are.

How it learns is for `Classifier.adapt_features`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from blood_lib.dashboard.review.review import Review
from blood_lib.dashboard.state import Cell, DashboardState, known
from blood_lib.dashboard.state.commands import Accept, Adapt, Dismiss, Forget
from blood_lib.dashboard.state.controller import Controller
from blood_lib.dashboard.state.jobs import Job
from blood_lib.dashboard.state.messages import DashboardError, Sentence
from blood_lib.images import Rejection, load_image
from blood_lib.inference import Classifier, Result

__all__ = ["Learning", "count_pairs", "find_corrections", "find_proposals"]


def find_corrections(state: DashboardState) -> list[Cell]:
    """The cells that can teach: a person has said of which class they are."""
    names = set(state.bundle.names) if state.bundle else set()
    return [cell for cell in state.cells if cell.group in names]


def find_proposals(state: DashboardState) -> list[Cell]:
    """The cells with a proposal that nobody has answered yet."""
    return [cell for cell in state.cells if cell.proposed]


def count_pairs(cells: Iterable[Cell]) -> list[tuple[str, str, int]]:
    """(from class, to class, how many) of the proposals of `cells`, the most frequent first."""
    pairs = Counter((cell.label, known(cell.proposal)) for cell in cells)
    return [(before, after, n) for (before, after), n in pairs.most_common()]


class Learning:
    """Carries out `Adapt`, as a job, then `Accept` and `Dismiss`, and `Forget`."""

    def __init__(self, controller: Controller, review: Review):
        self.controller, self.state, self._review = controller, controller.state, review
        self._learnt: Classifier | None = None  # a classifier whose proposals wait; it is not in use yet
        self._answers: Mapping[int, Result] = {}  # id of a cell -> what the latest of them says of it
        controller.register(Adapt, self._on_adapt)
        controller.register(Accept, self._on_accept)
        controller.register(Dismiss, self._on_dismiss)
        controller.register(Forget, self._on_forget)
        self.state.observe(self.state.guard(self._on_runs), "runs")
        self.state.observe(self.state.guard(self._count), "cells")

    # --- learning ---

    def _on_adapt(self, _command: Adapt) -> None:
        corrections = find_corrections(self.state)
        if not corrections:
            raise DashboardError(Sentence("learning.none"))
        self.controller.jobs.start("adapt", lambda job: self._learn(job, corrections), total=len(corrections))

    def _learn(self, job: Job, corrections: list[Cell]) -> None:
        """Always from the model that has not learnt: corrections that were taken back are forgotten."""
        base = self.state.base or known(self.state.classifier)
        views = [_find_views(base, cell) for cell in job.watch(corrections, len(corrections))]
        today = datetime.now().astimezone().date().isoformat()
        learnt = base.adapt_features(_stack(views), [known(cell.group) for cell in corrections], date=today)
        with self.state.lock:
            if job.wanted:
                self._propose(learnt)

    def _propose(self, learnt: Classifier) -> None:
        state = self.state
        self._learnt, self._answers = learnt, _ask(learnt, state.cells)
        state.cells = tuple(self._with_proposal(cell) for cell in state.cells)
        if not find_proposals(state):
            self._use(learnt)
            state.notice = Sentence("learning.same")

    def _with_proposal(self, cell: Cell) -> Cell:
        answer = self._answers.get(cell.id)
        proposal = answer.label if answer is not None and answer.label != cell.label else None
        return cell if cell.proposal == proposal else replace(cell, proposal=proposal)

    # --- answering ---

    def _on_accept(self, command: Accept) -> None:
        state, chosen = self.state, self._choose(command.ids)
        with state.hold_trait_notifications():
            if chosen and self._learnt is not None:
                self._use(self._learnt)
            state.cells = tuple(self._prepare(cell) if cell.id in chosen else cell for cell in state.cells)
            self._review.put(chosen)

    def _prepare(self, cell: Cell) -> Cell:
        """As the learnt model sees it, but still where it was: the step that is undone leads back there."""
        return replace(cell, result=self._answers[cell.id], group=cell.label, proposal=None)

    def _on_dismiss(self, command: Dismiss) -> None:
        self._dismiss(self._choose(command.ids))

    def _dismiss(self, chosen: Mapping[int, str]) -> None:
        self.state.cells = tuple(
            replace(cell, proposal=None) if cell.id in chosen else cell for cell in self.state.cells
        )
        self._answers = {identity: self._answers[identity] for identity in self._answers.keys() - chosen}
        if not find_proposals(self.state):
            self._learnt = None

    def _choose(self, ids: tuple[int, ...]) -> dict[int, str]:
        """id -> proposal of the open proposals among `ids`; of all when there are none."""
        wanted = set(ids)
        return {
            cell.id: known(cell.proposal)
            for cell in find_proposals(self.state)
            if not wanted or cell.id in wanted
        }

    # --- one classifier for another, the cells stay ---

    def _use(self, learnt: Classifier) -> None:
        self._go_on(learnt, self.state.base or self.state.classifier, self._answers)
        self._learnt = None

    def _on_forget(self, _command: Forget) -> None:
        base = self.state.base
        if base is None:
            return
        with self.state.hold_trait_notifications():
            self._dismiss(self._choose(()))
            self._go_on(base, None, _ask(base, self.state.cells))

    def _go_on(self, classifier: Classifier, base: Classifier | None, answers: Mapping[int, Result]) -> None:
        """Cells that nobody reviewed get the classifier's answer, unless it is still a proposal."""
        self.state.cells = tuple(
            replace(cell, result=answers[cell.id])
            if cell.id in answers and not cell.reviewed and cell.proposal is None
            else cell
            for cell in self.state.cells
        )
        self.controller.swap(classifier, base)

    def _on_runs(self, _change: Any) -> None:
        self._learnt, self._answers = None, {}

    def _count(self, _change: Any) -> None:
        self.state.proposals = len(find_proposals(self.state))


def _ask(classifier: Classifier, cells: Iterable[Cell]) -> dict[int, Result]:
    """id -> what the classifier says of each cell that nobody has reviewed."""
    open_cells = [cell for cell in cells if not cell.reviewed]
    answers = classifier.reconsider([cell.result for cell in open_cells])
    return {cell.id: answer for cell, answer in zip(open_cells, answers, strict=True)}


def _find_views(classifier: Classifier, cell: Cell) -> np.ndarray:
    """(V, D): features of the cell and of its turned and mirrored views; (1, D) where there is no image."""
    image = load_image(cell.content) if cell.content else None
    if image is None or isinstance(image, Rejection):
        return known(cell.result.features)[None]
    return classifier.describe([image])[0]


def _stack(views: Sequence[np.ndarray]) -> np.ndarray:
    """(N, V, D): a cell with one view only has it V times."""
    n_views = max(map(len, views))
    return np.stack([np.broadcast_to(each, (n_views, each.shape[1])) for each in views])
