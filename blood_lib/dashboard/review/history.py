"""What was before each step of a review, to take steps back and do them again; plain values without widgets.

A step holds what has changed and nothing else: of records with an id (cells) each one before and after, of
every other value the whole. So whatever a step does, it is taken back by the same few lines: putting a cell
elsewhere, adding or removing one, using another model. What a step may do is for `review.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["History", "Record", "Step", "compare"]

Values = Mapping[str, Any]  # name -> value, as a state has them at one moment


class Record(Protocol):
    """One of many, frozen: a change makes another one with the same id."""

    @property
    def id(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Change:
    """What has become of one record."""

    id: int
    before: Record | None  # None: it was not there
    after: Record | None  # None: it is there no longer
    behind: int | None = None  # where it was not, or is no longer: the id that it stands behind; None: first

    def turned(self) -> Change:
        return Change(self.id, self.after, self.before, self.behind)


@dataclass(frozen=True, eq=False)
class Step:
    """What has changed: records by the name that their tuple has, and other values, (before, after) each."""

    records: Mapping[str, Sequence[Change]]
    values: Mapping[str, tuple[Any, Any]]

    def __bool__(self) -> bool:
        return bool(self.records or self.values)

    def turned(self) -> Step:
        """The step that leads back."""
        return Step(
            {name: [change.turned() for change in changes] for name, changes in self.records.items()},
            {name: (after, before) for name, (before, after) in self.values.items()},
        )

    def apply(self, now: Values) -> dict[str, Any]:
        """The values that the step changes, as they are after it; records that it does not name stay."""
        changed = {name: _apply(changes, now[name]) for name, changes in self.records.items()}
        return changed | {name: after for name, (_, after) in self.values.items()}


class History:
    """The steps that were done, and those that were taken back and can be done again."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def push(self, step: Step) -> None:
        """A new step, unless nothing has changed; what was taken back before it is gone."""
        if step:
            self._done.append(step)
            self._undone.clear()

    def undo(self) -> Step | None:
        """Take the last step back: the step that leads there, None when there is none."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1].turned()

    def redo(self) -> Step | None:
        """The step that was last taken back, None when there is none."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]

    def clear(self) -> None:
        """Forget everything: the cells are gone."""
        self._done.clear()
        self._undone.clear()


def compare(before: Values, after: Values, records: Iterable[str]) -> Step:
    """The step from `before` to `after`; `records`: the names of those that are tuples of records."""
    changed = [name for name in after if before[name] is not after[name]]
    found = {name: _compare(before[name], after[name]) for name in records if name in changed}
    return Step(
        {name: changes for name, changes in found.items() if changes},
        {name: (before[name], after[name]) for name in changed if name not in found},
    )


def _compare(before: Sequence[Record], after: Sequence[Record]) -> list[Change]:
    """In the order of the tuple that a record is in, so that each finds the one that it stands behind."""
    old, new = ({record.id: record for record in some} for some in (before, after))
    gone = [
        Change(record.id, record, None, behind) for record, behind in _places(before) if record.id not in new
    ]
    rest = [
        Change(record.id, old.get(record.id), record, behind)
        for record, behind in _places(after)
        if old.get(record.id) is not record
    ]
    return gone + rest


def _places(records: Sequence[Record]) -> Iterable[tuple[Record, int | None]]:
    """Each record with the id of the one before it."""
    return zip(records, (None, *(record.id for record in records)), strict=False)


def _apply(changes: Sequence[Change], records: Sequence[Record]) -> tuple[Record, ...]:
    wanted = {change.id: change.after for change in changes}
    kept = [wanted.get(record.id, record) for record in records]
    found = [record for record in kept if record is not None]
    for change in changes:
        if change.before is None and change.after is not None:
            found.insert(_place_behind(change.behind, found), change.after)
    return tuple(found)


def _place_behind(identity: int | None, records: Sequence[Record]) -> int:
    if identity is None:
        return 0
    return next((i + 1 for i, record in enumerate(records) if record.id == identity), len(records))
