"""Keeps the review in the visitor's browser, if they want it, and offers it again after a reload.

The browser asks for it a moment after something has changed; `saving.py` makes it. How it comes back is for
the uploader: as a file does.
"""

from __future__ import annotations

from typing import Any

from traitlets import Dict

from blood_lib.dashboard.review.saving import is_too_large
from blood_lib.dashboard.state import DashboardState, Kept
from blood_lib.dashboard.state.commands import Keep
from blood_lib.dashboard.state.messages import Sentence
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget

__all__ = ["Keeping"]

PIECE = 2**20  # bytes
KEPT_TRAITS = ["cells", "fields", "rejected", "ranges", "reviewer", "progress"]


class Keeping(Widget):
    """A switch that is off at first, what the browser keeps, and a button that deletes it.

    The page takes a review piece by piece, as it takes a download.
    """

    _esm = script("review/keeping.js")
    accepts = ("keep", "take", "found")

    now = Dict(help="changes: counts what has changed; n: number of cells").tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "keeping")
        self._changes, self._n_offers = 0, 0
        self._offered: Kept | None = None
        self.now = {"changes": 0, "n": 0}
        state.observe(state.guard(self._on_change), KEPT_TRAITS)
        state.observe(state.guard(self._on_kept), "kept")

    def _on_change(self, _change: Any) -> None:
        """While something runs, more will change."""
        if self.state.progress is None:
            self._changes += 1
            self.now = {"changes": self._changes, "n": len(self.state.cells) + len(self.state.fields)}

    def _on_kept(self, _change: Any) -> None:
        kept = self.state.kept
        if kept is None:
            return
        self._offered, self._n_offers = kept, self._n_offers + 1
        self.send(
            {
                "kind": "offer",
                "key": self._n_offers,
                "pieces": {"index": _count(kept.index), "whole": _count(kept.whole)},
                "facts": {"date": kept.date, "n": kept.n, "decided": kept.decided},
            }
        )

    def _on_keep(self, content: Content, _buffers: Buffers) -> None:
        if is_too_large(self.state):
            return self.send({"kind": "refused"})
        self.state.command = Keep(content.get("whole") is True)

    def _on_take(self, content: Content, _buffers: Buffers) -> None:
        part, number, kept = content.get("part"), content.get("number"), self._offered
        if kept is None or content.get("key") != self._n_offers or part not in ("index", "whole"):
            return
        file = kept.index if part == "index" else kept.whole
        if file is not None and type(number) is int and 0 <= number < _count(file):
            answer = {"kind": "piece", "key": self._n_offers, "part": part, "number": number}
            self.send(answer, [file[number * PIECE : (number + 1) * PIECE]])

    def _on_found(self, content: Content, _buffers: Buffers) -> None:
        """The browser keeps a review of an earlier visit."""
        date, n = content.get("date"), content.get("n")
        if isinstance(date, str) and type(n) is int and self.state.notice is None:
            self.state.notice = Sentence("keeping.found", {"date": date[:10], "n": n})


def _count(file: bytes | None) -> int:
    return 0 if file is None else max(1, -(-len(file) // PIECE))
