"""Every fact that the screen can show, in one place. Other modules change and draw them.

Records are frozen and replaced, never edited, so that every assignment notifies whoever observes.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, HasTraits, Instance, Int, TraitType, Tuple, Unicode

from blood_lib.bundle import EXCLUDED, UNIDENTIFIED, Bundle, BundleError
from blood_lib.dashboard.state.commands import Command
from blood_lib.dashboard.state.fields import Box, Field
from blood_lib.dashboard.state.messages import DashboardError, Messages, Sentence
from blood_lib.files.errors import BloodError
from blood_lib.files.reasons import Reason

if TYPE_CHECKING:
    from blood_lib.inference import Classifier, Result

__all__ = [
    "DECIDED",
    "EXCLUDED",
    "FIELDS",
    "TABS",
    "THEMES",
    "UNIDENTIFIED",
    "Cell",
    "DashboardState",
    "Download",
    "Kept",
    "Lesson",
    "Progress",
    "RejectedFile",
    "known",
]

DECIDED = ("person", "bulk", "no")  # a person has decided, it was accepted in bulk, it is the model's own
FIELDS = "fields"  # the tab that is there only while there are fields
TABS = ("upload", "help", FIELDS, "chart", "classification", "map")
THEMES = ("auto", "light", "dark")

T = TypeVar("T")
Range = tuple[float, float]
Optional = TraitType[T | None, T | None]  # a trait that may be None


def known(value: T | None) -> T:
    """`value`, which cannot be missing here; TypeError if it is."""
    if value is None:
        raise TypeError("something is missing that should be there")
    return value


@dataclass(frozen=True, eq=False)
class Cell:
    """One classified image. `content` is the file's bytes, or a smaller copy of a large image."""

    id: int
    name: str
    result: Result  # what the model says, whatever people do
    content: bytes = field(repr=False)
    place: tuple[float, float] | None = None  # on the map, about [-1, 1]
    group: str | None = None  # where it was put: a class, UNIDENTIFIED or EXCLUDED; None: nowhere yet
    bulk: bool = False  # it was put there with many others at once, and no person has looked at it
    proposal: str | None = None  # the class that a model which has learnt from corrections gives it instead
    field: int | None = None  # the id of the field that it was found in; None: an image of its own
    box: Box | None = None  # where it lies in that field
    drawn: bool = False  # a person has drawn or moved its box
    um_wide: float | None = None  # the width of its image in micrometres, where the scale is known

    @property
    def label(self) -> str:
        """The group in which it stands: where it was put counts for more than what the model says."""
        return self.group or self.said

    @property
    def said(self) -> str:
        """The class that the model names."""
        return known(self.result.label)

    @property
    def decided(self) -> str:
        """Who says where it stands, one of DECIDED."""
        return "no" if self.group is None else "bulk" if self.bulk else "person"

    @property
    def reviewed(self) -> bool:
        """A person has decided where it stands; what was accepted in bulk is not reviewed."""
        return self.decided == "person"

    @property
    def moved(self) -> bool:
        """A person has put it elsewhere than the model did."""
        return self.reviewed and self.group != self.said

    @property
    def proposed(self) -> bool:
        """It has a proposal that nobody has answered yet."""
        return self.proposal is not None and not self.reviewed

    @property
    def counts(self) -> bool:
        """It is one of a class, and so part of every total."""
        return self.label not in (UNIDENTIFIED, EXCLUDED)

    @property
    def doubtful(self) -> bool:
        """The model is not sure, and nobody has looked yet."""
        return self.status != "ok" and not self.reviewed

    @property
    def status(self) -> str:
        return self.result.status

    @property
    def confidence(self) -> float:
        return float(known(self.result.confidence))


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a classifier that has learnt says of the cells; it is in use once a proposal is accepted."""

    classifier: Classifier
    answers: Mapping[int, Result]  # id of a cell -> what it says, but for proposals that were dismissed


@dataclass(frozen=True, eq=False)
class RejectedFile:
    """A file that gave no image, and why."""

    name: str
    reason: Reason | None  # None in a review that does not say
    field: int | None = None  # the id of the field in which no cell was found

    @property
    def id(self) -> int:
        """Tells it from all others that there are; several files may have one name."""
        return id(self)


@dataclass(frozen=True, eq=False)
class Progress:
    """How far the running work is; `total` may grow while ZIP files are being opened, and 0 is unknown."""

    done: int
    total: int
    kind: str = "classify"


@dataclass(frozen=True, eq=False)
class Download:
    """A file for the visitor to keep."""

    name: str
    type: str  # "text/csv"
    content: bytes = field(repr=False)
    saves: tuple[Cell, ...] = field(default=(), repr=False)  # the cells of the review that it holds


@dataclass(frozen=True, eq=False)
class Kept:
    """A review for this browser to keep, as it was at one moment."""

    index: bytes = field(repr=False)  # review.json: small, and new with every decision
    whole: bytes | None = field(
        repr=False
    )  # the ZIP file; None: the browser has it as it is, but for the index
    date: str
    n: int  # number of cells
    decided: int  # how many of them a person has decided


class DashboardState(HasTraits):
    """What the views show and observe, and where they write what the user wants."""

    bundle: Optional[Bundle] = AnyTrait(
        None, allow_none=True, help="the Bundle in use; None: it could not be loaded"
    )
    language = Unicode("en", help="one of messages.LANGUAGES")
    messages = Instance(Messages, help="every sentence; another one when language or bundle have changed")
    theme = Unicode(THEMES[0], help="one of THEMES; auto: as the visitor's system is")
    dark = Bool(False, help="the page is dark: by its theme, or by the visitor's system where that is auto")
    reviewer = Unicode("", help="the name of the person who reviews, as they typed it")
    ranges: TraitType[dict[str, Range], dict[str, Range]] = Dict(
        help="class name -> (low, high) in per cent: the bundle's, until a person edits them"
    )
    target = Int(0, help="how many cells of the differential shall be counted; 0: no matter")
    connected = Bool(False, help="a page has shown the app")
    ready = Bool(False, help="the classifier is loaded")
    failed = Bool(False, help="the classifier cannot be loaded, and nothing can be classified")
    prepared = Bool(False, help="all that is slow the first time has been done once")
    classifier: Optional[Classifier] = AnyTrait(
        None, allow_none=True, help="the Classifier, once it is ready"
    )
    base: Optional[Classifier] = AnyTrait(
        None, allow_none=True, help="the Classifier before it learnt; None: it has not"
    )
    foreign = Bool(False, help="the bundle in use is one that the visitor has brought")
    adapted = Bool(False, help="the classifier in use has learnt from corrections")
    lesson = Instance(Lesson, None, allow_none=True, help="what was learnt last from corrections")
    proposals = Int(0, help="number of cells with a proposal")
    cells: TraitType[tuple[Cell, ...], tuple[Cell, ...]] = Tuple(help="Cell, ..., in the order of the upload")
    rejected: TraitType[tuple[RejectedFile, ...], tuple[RejectedFile, ...]] = Tuple(help="RejectedFile, ...")
    fields: TraitType[tuple[Field, ...], tuple[Field, ...]] = Tuple(
        help="Field, ..., those without a cell among them"
    )
    saved: TraitType[tuple[Cell, ...], tuple[Cell, ...]] = Tuple(
        help="the cells as a file has them: when a review was last handed over or opened"
    )
    progress = Instance(Progress, None, allow_none=True, help="of the running work; None: none runs")
    current = Int(None, allow_none=True, help="the id of the cell that the viewer shows, in every tab")
    current_field = Int(None, allow_none=True, help="the id of the field that is open")
    selected: TraitType[tuple[int, ...], tuple[int, ...]] = Tuple(
        help="ids of the cells that are selected for moving, in every tab"
    )
    can_undo = Bool(False, help="there is a step of the review to take back")
    can_redo = Bool(False, help="there is a step that was taken back")
    tab = Unicode(TABS[0], help="the tab that is open, one of TABS")
    notice = Instance(Sentence, None, allow_none=True, help="what has happened, if it is no error")
    error: Optional[Sentence | str] = AnyTrait(
        None, allow_none=True, help="what went wrong and what to do: a Sentence or a text"
    )
    download = Instance(Download, None, allow_none=True, help="a file on its way to the visitor")
    kept = Instance(Kept, None, allow_none=True, help="the review on its way to where the browser keeps it")
    command = Instance(
        Command, None, allow_none=True, help="the visitor's latest command; the controller carries it out"
    )
    kind: Optional[str] = AnyTrait(
        None, allow_none=True, help="what images show: fields or cells; None: each is looked at"
    )
    pixel_size: Optional[float] = AnyTrait(
        None, allow_none=True, help="of photographs, in micrometres; None: not known"
    )
    runs = Int(0, help="counts classifications; a change means that earlier cells are gone")

    _index: dict[int, Cell]  # by id, of the cells in _indexed
    _indexed: tuple[Cell, ...]

    def __init__(self, bundle: Bundle | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.lock = threading.RLock()  # held by every handler, whatever thread it runs on
        self._forget_index()
        self.observe(self._forget_index, "cells")
        self._renew_messages()
        self.observe(self._renew_messages, ["language", "bundle"])
        self.observe(self._renew_ranges, "bundle")
        self.bundle = bundle

    def _renew_messages(self, _change: Any = None) -> None:
        self.messages = Messages.for_bundle(self.bundle, self.language)

    def _renew_ranges(self, change: Any) -> None:
        before = change["old"]
        if before and self.bundle and before.classes == self.bundle.classes:
            return  # the same model, which has learnt or forgotten: what was edited stays
        self.ranges = self.bundle.ranges if self.bundle else {}

    @property
    def unsaved(self) -> int:
        """How many cells stand or lie where somebody put them, if no file has them as they are."""
        if self.cells == self.saved:
            return 0
        return sum(cell.group is not None or cell.drawn for cell in self.cells)

    def cell(self, identity: object) -> Cell | None:
        """The cell with this id; None where there is none, whatever `identity` is."""
        if not isinstance(identity, int) or isinstance(identity, bool):
            return None
        return self._by_id().get(identity)

    def field(self, identity: object) -> Field | None:
        """The field with this id; None where there is none, whatever `identity` is."""
        known_id = identity if isinstance(identity, int) and not isinstance(identity, bool) else None
        return next((field for field in self.fields if field.id == known_id), None)

    def _by_id(self) -> dict[int, Cell]:
        if self._indexed is not self.cells:
            self._indexed, self._index = self.cells, {cell.id: cell for cell in self.cells}
        return self._index

    def _forget_index(self, _change: Any = None) -> None:
        """Or the images of cells that are gone would stay in memory until somebody asks for a cell again."""
        self._indexed, self._index = (), {}

    def guard(self, handler: Callable[..., T]) -> Callable[..., T | None]:
        """`handler` under the lock, with its errors caught, logged on the server and told in plain words."""

        @wraps(handler)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with self.lock:
                try:
                    return handler(*args, **kwargs)
                except Exception as error:
                    self.report(error)
                    return None

        return guarded

    def report(self, error: Exception) -> None:
        """Show `error` in plain words; the log gets its type and place, nothing of what the user uploaded."""
        _log(error)
        with self.lock:
            self.error = _explain(error)


def _explain(error: Exception) -> Sentence | str:
    """What an error says on the page. The details of a broken bundle stay in English."""
    if isinstance(error, BundleError):
        return Sentence("status.bundle", {"reason": str(error)})
    if isinstance(error, DashboardError):
        return error.sentence
    return str(error) if isinstance(error, BloodError) else Sentence("status.error")


def _log(error: Exception) -> None:
    """Type, file and line of each frame, to the server's own stderr: messages could quote file names."""
    lines, frame = [], error.__traceback__
    while frame is not None:
        lines.append(f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}")
        frame = frame.tb_next
    text = f"{type(error).__name__} at {' > '.join(lines[-4:])}"
    logging.getLogger("blood.dashboard").debug(text)
    if sys.__stderr__ is not None:
        print(f"blood.dashboard: {text}", file=sys.__stderr__, flush=True)
