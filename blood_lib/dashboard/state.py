"""Every fact that the screen can show, in one place; leaves changing and drawing them to others.

Records are frozen and replaced, never edited, so that every assignment notifies whoever observes.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Bool, HasTraits, Instance, Int, Tuple, Unicode

from blood_lib import BloodError

__all__ = ["TABS", "Cell", "Command", "DashboardState", "Progress", "RejectedFile"]

TABS = ("upload", "help", "chart", "classification", "map")


@dataclass(frozen=True, eq=False)
class Cell:
    """One classified image. `content` is the file's bytes, or a smaller copy of a large image."""

    id: int
    name: str
    result: Any  # inference.Result
    content: bytes = field(repr=False)
    place: tuple[float, float] | None = None  # on the map, about [-1, 1]

    @property
    def label(self) -> str:
        """The type that counts; a review may one day say another than the model did."""
        return self.result.label

    @property
    def status(self) -> str:
        return self.result.status

    @property
    def confidence(self) -> float:
        return float(self.result.confidence)


@dataclass(frozen=True, eq=False)
class RejectedFile:
    """A file that gave no image, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Progress:
    """How far the classification is; `total` may grow while ZIP files are being opened."""

    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Command:
    """What the user wants: "upload" (with the files), "examples", "cancel", "clear"."""

    kind: str
    files: Iterable | None = None


class DashboardState(HasTraits):
    """What the views show and observe, and where they write what the user wants."""

    bundle = AnyTrait(None, allow_none=True, help="the Bundle in use; None: it could not be loaded")
    connected = Bool(False, help="a page has shown the app")
    ready = Bool(False, help="the classifier is loaded")
    failed = Bool(False, help="the classifier cannot be loaded, and nothing can be classified")
    prepared = Bool(False, help="all that is slow the first time has been done once")
    classifier = AnyTrait(None, allow_none=True, help="the Classifier, once it is ready")
    cells = Tuple(help="Cell, ..., in the order of the upload")
    rejected = Tuple(help="RejectedFile, ...")
    progress = Instance(
        Progress, None, allow_none=True, help="of the running classification; None: none runs"
    )
    selected = Int(None, allow_none=True, help="the id of the cell that every tab marks")
    tab = Unicode(TABS[0], help="the tab that is open, one of TABS")
    notice = Unicode("", help="a plain sentence about what has happened, no error")
    error = Unicode("", help="a plain sentence about what went wrong and what to do")
    command = Instance(Command, None, allow_none=True, help="the user's latest wish; the controller obeys")
    runs = Int(0, help="counts classifications; a change means that earlier cells are gone")

    def __init__(self, messages: Callable[..., str], **kwargs: Any):
        super().__init__(**kwargs)
        self.messages = messages
        self.lock = threading.RLock()  # held by every handler, whatever thread it runs on

    def cell(self, identity: object) -> Cell | None:
        """The cell with this id; None where there is none, whatever `identity` is."""
        if not isinstance(identity, int) or isinstance(identity, bool):
            return None
        return self._by_id().get(identity)

    def _by_id(self) -> dict[int, Cell]:
        if getattr(self, "_index_of", None) is not self.cells:
            self._index_of, self._index = self.cells, {cell.id: cell for cell in self.cells}
        return self._index

    def guard(self, handler: Callable) -> Callable:
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
            self.error = str(error) if isinstance(error, BloodError) else self.messages("status.error")


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
