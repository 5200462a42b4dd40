"""The commands that a visitor can give: one record for each kind, with what it needs and nothing else.

A view writes one to `state.command`. The module that registers for its type carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blood_lib.dashboard.state.fields import Box

if TYPE_CHECKING:
    from blood_lib.images import Rejection

__all__ = [
    "Accept",
    "Adapt",
    "Cancel",
    "Clear",
    "ClassifyExamples",
    "Command",
    "Confirm",
    "Dismiss",
    "DrawBox",
    "Forget",
    "Keep",
    "Move",
    "MoveBox",
    "OpenBundle",
    "OpenReview",
    "Redo",
    "RemoveCell",
    "ResetBundle",
    "SaveBundle",
    "SaveReport",
    "SaveReview",
    "SaveTable",
    "Undo",
    "Upload",
]


@dataclass(frozen=True, eq=False)
class Command:
    """Any of them. No two are equal, so that a command given twice is noticed twice."""


# --- what to classify ---


@dataclass(frozen=True, eq=False)
class Upload(Command):
    """Classify these files, (name, content) each, perhaps while they are still arriving.

    add: beside the cells that there are, not in their place.
    """

    files: Iterable[tuple[str, bytes | Rejection]] = field(repr=False)
    add: bool = False


@dataclass(frozen=True, eq=False)
class ClassifyExamples(Command):
    """Classify the bundle's example images; `add` as above."""

    add: bool = False


@dataclass(frozen=True, eq=False)
class Cancel(Command):
    """Stop the running work."""


@dataclass(frozen=True, eq=False)
class Clear(Command):
    """Forget all cells."""


# --- where cells belong; `ids` are those of the cells that are meant ---


@dataclass(frozen=True, eq=False)
class Move(Command):
    """Put cells into a group; None: back to where the model put them."""

    ids: tuple[int, ...]
    group: str | None


@dataclass(frozen=True, eq=False)
class Confirm(Command):
    """The cells are right where they are."""

    ids: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Undo(Command):
    """Take the last step of the review back."""


@dataclass(frozen=True, eq=False)
class Redo(Command):
    """Do again what was last taken back."""


# --- the boxes of a field ---


@dataclass(frozen=True, eq=False)
class DrawBox(Command):
    """There is a cell in this box (x, y, width, height) of the field with this id."""

    field: int
    box: Box


@dataclass(frozen=True, eq=False)
class MoveBox(Command):
    """The cell with this id lies in this box of its field."""

    id: int
    box: Box


@dataclass(frozen=True, eq=False)
class RemoveCell(Command):
    """There is no cell where this one was found in its field."""

    id: int


# --- learning from corrections ---


@dataclass(frozen=True, eq=False)
class Adapt(Command):
    """Let the model learn from the corrections."""


@dataclass(frozen=True, eq=False)
class Accept(Command):
    """The proposals for these cells are right; without ids, all proposals are.

    bulk: nobody has looked at each of them. So it always is, but for a single one.
    """

    ids: tuple[int, ...] = ()
    bulk: bool = False


@dataclass(frozen=True, eq=False)
class Dismiss(Command):
    """The proposals for these cells are wrong; without ids, all proposals are."""

    ids: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Forget(Command):
    """Go back to the model that has not learnt."""


# --- another model, and files to keep ---


@dataclass(frozen=True, eq=False)
class OpenBundle(Command):
    """Use the bundle in this ZIP file."""

    content: bytes = field(repr=False)
    name: str


@dataclass(frozen=True, eq=False)
class ResetBundle(Command):
    """Go back to the bundle that the page started with."""


@dataclass(frozen=True, eq=False)
class OpenReview(Command):
    """Go on with the saved review in this ZIP file.

    index: its newer review.json, where the browser has kept the two apart.
    """

    content: bytes = field(repr=False)
    index: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class SaveBundle(Command):
    """Hand over the bundle in use."""


@dataclass(frozen=True, eq=False)
class SaveReview(Command):
    """Hand over the review, with its images or without."""

    images: bool


@dataclass(frozen=True, eq=False)
class Keep(Command):
    """Hand over the review for this browser to keep; `whole`: it has nothing of it yet."""

    whole: bool = False


@dataclass(frozen=True, eq=False)
class SaveReport(Command):
    """Hand over the report."""


@dataclass(frozen=True, eq=False)
class SaveTable(Command):
    """Hand over the table of results."""
