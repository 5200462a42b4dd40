"""Random sequences of commands: the page's own way through them ends where a simple reference ends.

The reference keeps whole copies of what there is. The model is a stand-in that learns at once by a rule which
the reference knows too; reviews are really saved and opened.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from blood_lib.bundle import EXCLUDED, UNIDENTIFIED, Bundle
from blood_lib.dashboard.review import saving
from blood_lib.dashboard.review.learning import Learning, find_corrections
from blood_lib.dashboard.review.review import Review
from blood_lib.dashboard.review.saving import Saving
from blood_lib.dashboard.state import Cell, DashboardState, jobs
from blood_lib.dashboard.state.commands import (
    Accept,
    Adapt,
    Command,
    Confirm,
    Dismiss,
    Forget,
    Move,
    OpenReview,
    Redo,
    SaveReview,
    Undo,
)
from blood_lib.dashboard.state.controller import Controller
from blood_lib.inference import Result
from tests.tools.fixtures_bundle import COLOURS

NAMES = list(COLOURS)
N_CELLS, N_COMMANDS, N_SEQUENCES = 9, 30, 500
RULE = "rule.json"


class Pupil:
    """Calls what it called `x` before it learnt by the name that a person gave to an `x` last."""

    atlas = SimpleNamespace(features=np.zeros((1, len(NAMES)), np.float32))

    def __init__(self, bundle: Bundle, rule: Mapping[str, str]):
        self.bundle, self.rule = bundle, rule

    def adapt_features(self, features: np.ndarray, labels: Sequence[str], date: str) -> Pupil:
        rule = {NAMES[int(view[0].argmax())]: label for view, label in zip(features, labels, strict=True)}
        return Pupil(self.bundle.change(files={RULE: json.dumps(rule).encode()}), rule)

    def reconsider(self, results: Sequence[Result]) -> list[Result]:
        return [self.answer(result.name, int(result.features.argmax())) for result in results]

    def answer(self, name: str, which: int) -> Result:
        label, features = NAMES[which], np.eye(len(NAMES), dtype=np.float32)[which]
        said = self.rule.get(label, label)
        probs = np.eye(len(NAMES), dtype=np.float32)[NAMES.index(said)]
        return Result(name, "ok", None, said, 1.0, probs=probs, features=features, ood_score=0.0)


def teach(base: Pupil, model: saving.ReviewedModel) -> Pupil:
    return Pupil(base.bundle.change(files={RULE: model.files[RULE]}), json.loads(model.files[RULE]))


class AtOnce(jobs.Jobs):
    """Does its work before it goes on."""

    def start(self, kind: str, work: Callable[[jobs.Job], None], **_options: object) -> jobs.Job:
        self.current = job = jobs.Job(self, kind, lambda: None)
        self._run(job, work, None)
        return job


class Page:
    """What carries commands out behind the page."""

    def __init__(self, bundle: Bundle):
        self.state = DashboardState(bundle)
        self.controller = Controller(self.state, lambda: None)
        self.controller.jobs = AtOnce(self.state)
        self.controller.loaded.set()
        self.parts = (Learning(self.controller, Review(self.controller)), Saving(self.controller))
        self.base = Pupil(bundle, {})

    def begin(self) -> None:
        self.controller.use(self.base)
        answers = [self.base.answer(f"{i}.png", i % len(NAMES)) for i in range(N_CELLS)]
        self.state.cells = tuple(Cell(next(self.controller.ids), each.name, each, b"") for each in answers)

    def do(self, command: Command) -> None:
        self.state.command = command

    def ids(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.state.cells[place].id for place in places)

    def look(self) -> object:
        state = self.state
        cells = [(cell.said, cell.group, cell.bulk, cell.proposal) for cell in state.cells]
        taught = [cell.name for cell in find_corrections(state)]
        return cells, dict(state.classifier.rule), taught, state.can_undo, state.can_redo, state.proposals


# --- the reference: all that there is in one value, and a list of such values ---


@dataclass(frozen=True)
class One:
    """A cell."""

    kind: int  # what it is to the model that has not learnt
    said: str
    group: str | None = None
    bulk: bool = False
    proposal: str | None = None

    @property
    def reviewed(self) -> bool:
        return self.group is not None and not self.bulk

    @property
    def proposed(self) -> bool:
        return self.proposal is not None and not self.reviewed


@dataclass(frozen=True)
class All:
    """All that undo takes back."""

    cells: tuple[One, ...]
    rule: Mapping[str, str]  # of the model in use
    lesson: Mapping[str, str] | None = None  # the rule that was learnt last
    answered: frozenset[int] = frozenset()  # the places of the cells that the lesson speaks of

    def edit(self, places: Sequence[int], **changes: object) -> All:
        return replace(
            self,
            cells=tuple(replace(one, **changes) if i in places else one for i, one in enumerate(self.cells)),
        )

    @property
    def open(self) -> set[int]:
        return {i for i, one in enumerate(self.cells) if one.proposed}


def name(rule: Mapping[str, str], one: One) -> str:
    return rule.get(NAMES[one.kind], NAMES[one.kind])


def go_on(now: All, rule: Mapping[str, str], places: frozenset[int]) -> All:
    return replace(
        now,
        rule=rule,
        cells=tuple(
            replace(one, said=name(rule, one))
            if i in places and not one.reviewed and one.proposal is None
            else one
            for i, one in enumerate(now.cells)
        ),
    )


class Reference:
    """The same commands, as simply as can be said."""

    def __init__(self) -> None:
        kinds = [i % len(NAMES) for i in range(N_CELLS)]
        self.steps = [All(tuple(One(kind, NAMES[kind]) for kind in kinds), {})]
        self.at = 0
        self.files: list[All] = []

    @property
    def now(self) -> All:
        return self.steps[self.at]

    def step(self, new: All) -> None:
        if new != self.now:
            self.steps[self.at + 1 :] = [new]
            self.at += 1

    def move(self, places: Sequence[int], group: str | None) -> None:
        new = self.now.edit(places, group=group, bulk=False)
        for i in places if group is None else ():
            if self.now.cells[i].group is not None:
                new = new.edit([i], said=name(new.rule, new.cells[i]))
        self.step(new)

    def confirm(self, places: Sequence[int]) -> None:
        new = self.now
        for i in places:
            new = new.edit([i], group=new.cells[i].group or new.cells[i].said, bulk=False)
        self.step(new)

    def adapt(self) -> None:
        now = self.now
        rule = {NAMES[one.kind]: one.group for one in now.cells if one.reviewed and one.group in NAMES}
        if not rule:
            return
        answered = frozenset(i for i, one in enumerate(now.cells) if not one.reviewed)
        new = replace(now, lesson=rule, answered=answered)
        for i, one in enumerate(now.cells):
            other = i in answered and name(rule, one) != (one.group or one.said)
            new = new.edit([i], proposal=name(rule, one) if other else None)
        if not new.open:
            new = go_on(new, rule, answered)
        self.steps[self.at + 1 :] = [new]  # a step even where it has learnt the same again
        self.at += 1

    def accept(self, places: Sequence[int], *, bulk: bool) -> None:
        chosen = self.now.open & set(places)
        if chosen:
            rule = self.now.lesson
            new = go_on(self.now, rule, self.now.answered)
            for i in chosen:
                said = name(rule, new.cells[i])
                new = new.edit([i], said=said, group=said, bulk=bulk, proposal=None)
            self.step(new)

    def dismiss(self, places: Sequence[int]) -> None:
        chosen = self.now.open & set(places)
        if chosen:
            self.step(replace(self.now.edit(chosen, proposal=None), answered=self.now.answered - chosen))

    def forget(self) -> None:
        everywhere = frozenset(range(N_CELLS))
        if self.now.rule:
            new = replace(self.now.edit(everywhere, proposal=None), lesson=None, answered=frozenset())
            self.step(go_on(new, {}, everywhere))

    def undo(self) -> None:
        self.at = max(0, self.at - 1)

    def redo(self) -> None:
        self.at = min(len(self.steps) - 1, self.at + 1)

    def save(self) -> None:
        self.files.append(self.now)

    def open(self, which: int) -> None:
        kept = self.files[which].edit(range(N_CELLS), proposal=None)
        self.steps, self.at = [replace(kept, lesson=None, answered=frozenset())], 0

    def look(self) -> object:
        now = self.now
        cells = [(one.said, one.group, one.bulk, one.proposal) for one in now.cells]
        taught = [f"{i}.png" for i, one in enumerate(now.cells) if one.reviewed and one.group in NAMES]
        return cells, dict(now.rule), taught, self.at > 0, self.at < len(self.steps) - 1, len(now.open)


# --- one random command for both ---

KINDS = ("move", "move", "confirm", "adapt", "adapt", "adapt", "accept", "accept all", "dismiss")
KINDS += ("dismiss all", "forget", "undo", "undo", "undo", "redo", "redo", "save", "open")


def play(rng: random.Random, page: Page, reference: Reference, files: list[bytes]) -> str:
    kind = rng.choice(KINDS)
    among = reference.now.open if kind in ("accept", "dismiss") else ()
    places = rng.sample(
        sorted(among or range(N_CELLS)), 1 if rng.random() < 0.8 else len(among or range(N_CELLS))
    )
    everywhere, ids = range(N_CELLS), page.ids(places)
    if kind == "move":
        group = rng.choice([*NAMES, UNIDENTIFIED, EXCLUDED, None])
        page.do(Move(ids, group)), reference.move(places, group)
    elif kind == "confirm":
        page.do(Confirm(ids)), reference.confirm(places)
    elif kind == "accept":
        bulk = rng.random() < 0.5
        page.do(Accept(ids, bulk=bulk)), reference.accept(places, bulk=bulk or len(places) > 1)
    elif kind == "accept all":
        page.do(Accept()), reference.accept(everywhere, bulk=True)
    elif kind == "dismiss":
        page.do(Dismiss(ids)), reference.dismiss(places)
    elif kind == "dismiss all":
        page.do(Dismiss()), reference.dismiss(everywhere)
    elif kind == "save":
        page.do(SaveReview(images=True)), reference.save()
        files.append(page.state.download.content)
    elif kind == "open" and files:
        which = rng.randrange(len(files))
        page.do(OpenReview(files[which])), reference.open(which)
    else:
        simple = {"adapt": Adapt, "forget": Forget, "undo": Undo, "redo": Redo}.get(kind)
        if simple:
            page.do(simple()), getattr(reference, kind)()
    return kind


def differs(page: Page, seed: int) -> list[str]:
    """The commands up to the one after which page and reference differ; [] where they never do."""
    page.begin()
    rng, reference, files, done = random.Random(seed), Reference(), [], []
    for _ in range(N_COMMANDS):
        done.append(play(rng, page, reference, files))
        if page.look() != reference.look():
            return done
    return []


def test_random_sequences_end_where_a_simple_reference_ends(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    monkeypatch.setattr(saving, "_teach", teach)
    monkeypatch.setattr(jobs, "release_memory", lambda: None)  # it takes longer than all the rest
    page = Page(tiny_bundle)
    found = {seed: commands for seed in range(N_SEQUENCES) if (commands := differs(page, seed))}
    assert not found
