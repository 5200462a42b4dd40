"""The classifier learns from what a person decided, and proposes what it would now say of the rest.

Cells that were accepted in bulk teach nothing: no person has looked at them. They may get another proposal.
Learning and each answer to a proposal are steps of the review. Undo leads back to what was, the model
included. The model that has learnt is in use from the first accepted proposal on. What a person decided keeps
the answer that they saw. The rest gets the new model's status and probabilities, but for those whose proposal
is open or was dismissed: they stay as they are.

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
from blood_lib.dashboard.state import Cell, DashboardState, Lesson, known
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
    return [cell for cell in state.cells if cell.reviewed and cell.group in names]


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
        controller.register(Adapt, self._on_adapt)
        controller.register(Accept, self._on_accept)
        controller.register(Dismiss, self._on_dismiss)
        controller.register(Forget, self._on_forget)
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
        answers = _ask(learnt, state.cells)
        with self._review.step():
            state.lesson = Lesson(learnt, answers)
            state.cells = tuple(_with_proposal(cell, answers) for cell in state.cells)
            if not find_proposals(state):
                self._use_lesson()
                state.notice = Sentence("learning.same")

    # --- answering ---

    def _on_accept(self, command: Accept) -> None:
        state, chosen = self.state, self._choose(command.ids)
        if not chosen:
            return
        bulk = command.bulk or len(command.ids) != 1
        answers = known(state.lesson).answers
        with self._review.step():
            self._use_lesson()
            state.cells = tuple(
                _accept(cell, answers[cell.id], bulk=bulk) if cell.id in chosen else cell
                for cell in state.cells
            )

    def _on_dismiss(self, command: Dismiss) -> None:
        """What the lesson says of them counts no longer."""
        state, chosen = self.state, self._choose(command.ids)
        if not chosen:
            return
        lesson = known(state.lesson)
        rest = {identity: answer for identity, answer in lesson.answers.items() if identity not in chosen}
        with self._review.step():
            state.cells = tuple(
                _without_proposal(cell) if cell.id in chosen else cell for cell in state.cells
            )
            state.lesson = Lesson(lesson.classifier, rest)

    def _choose(self, ids: tuple[int, ...]) -> set[int]:
        """The open proposals among `ids`; all when there are none."""
        wanted = set(ids)
        return {cell.id for cell in find_proposals(self.state) if not wanted or cell.id in wanted}

    # --- one classifier for another, the cells stay ---

    def _use_lesson(self) -> None:
        """Go on with the classifier that has learnt, unless it is in use already."""
        lesson, base = known(self.state.lesson), self.state.base or self.state.classifier
        if lesson.classifier is not self.state.classifier:
            self._go_on(lesson.classifier, base, lesson.answers)

    def _on_forget(self, _command: Forget) -> None:
        base = self.state.base
        if base is None:
            return
        with self._review.step():
            self.state.lesson = None
            self.state.cells = tuple(map(_without_proposal, self.state.cells))
            self._go_on(base, None, _ask(base, self.state.cells))

    def _go_on(self, classifier: Classifier, base: Classifier | None, answers: Mapping[int, Result]) -> None:
        """Cells that no person decided get the classifier's answer, unless it is still a proposal."""
        self.state.cells = tuple(
            replace(cell, result=answers[cell.id])
            if cell.id in answers and not cell.reviewed and cell.proposal is None
            else cell
            for cell in self.state.cells
        )
        self.controller.swap(classifier, base)

    def _count(self, _change: Any) -> None:
        self.state.proposals = len(find_proposals(self.state))


def _with_proposal(cell: Cell, answers: Mapping[int, Result]) -> Cell:
    answer = answers.get(cell.id)
    proposal = answer.label if answer is not None and answer.label != cell.label else None
    return cell if cell.proposal == proposal else replace(cell, proposal=proposal)


def _without_proposal(cell: Cell) -> Cell:
    return cell if cell.proposal is None else replace(cell, proposal=None)


def _accept(cell: Cell, answer: Result, *, bulk: bool) -> Cell:
    return replace(cell, result=answer, group=answer.label, bulk=bulk, proposal=None)


def _ask(classifier: Classifier, cells: Iterable[Cell]) -> dict[int, Result]:
    """id -> what the classifier says of each cell that no person has decided."""
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
