"""Hands files to the visitor's browser, piece by piece. Other modules make them and set `state.download`."""

from __future__ import annotations

from collections import deque
from typing import Any

from blood_lib.dashboard.state import DashboardState, Download, Progress
from blood_lib.dashboard.widgets.script import script
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget

__all__ = ["Downloads"]

PIECE = 2**20  # bytes
MANY = 8  # pieces: from here on it is told how far a file is


class Downloads(Widget):
    """Offers one file after the other to the page, which asks for piece after piece and may ask twice."""

    _esm = script("widgets/downloads.js")
    accepts = ("hello", "take", "done")

    def __init__(self, state: DashboardState):
        super().__init__(state, "download")
        self._files: deque[Download] = deque()  # the first is the one on its way
        self._n_offers = 0
        state.observe(state.guard(self._on_download), "download")

    def _on_download(self, _change: Any) -> None:
        if self.state.download is None:
            self._stop()
            return
        self._files.append(self.state.download)
        if len(self._files) == 1:
            self._offer()

    def _offer(self) -> None:
        download = self._files[0]
        self._n_offers += 1
        self.send(
            {
                "kind": "offer",
                "key": self._n_offers,
                "name": download.name,
                "type": download.type,
                "pieces": _count_pieces(download),
            }
        )

    def _stop(self) -> None:
        """All are handed over, or nobody wants them any more."""
        if self._files:
            self._files.clear()
            self.send({"kind": "stop"})
        self._tell(None)

    def _tell(self, progress: Progress | None) -> None:
        """Show how far the file is, unless there is other work to show."""
        before = self.state.progress
        if before is None or before.kind == "download":
            self.state.progress = progress

    def _on_hello(self, _content: Content, _buffers: Buffers) -> None:
        """A page is there now: what was offered before it listened is offered again."""
        if self._files:
            self._offer()

    def _on_take(self, content: Content, _buffers: Buffers) -> None:
        number = content.get("number")
        if self._is_offered(content) and type(number) is int and number >= 0:
            download = self._files[0]
            piece = download.content[number * PIECE : (number + 1) * PIECE]
            self.send({"kind": "piece", "key": self._n_offers, "number": number}, [piece])
            if (total := _count_pieces(download)) >= MANY:
                self._tell(Progress(min(number, total), total, "download"))

    def _on_done(self, content: Content, _buffers: Buffers) -> None:
        if not self._is_offered(content):
            return
        download = self._files.popleft()
        self.state.saved = download.saves or self.state.saved
        self._tell(None)
        if self._files:
            self._offer()
        else:
            self.state.download = None

    def _is_offered(self, content: Content) -> bool:
        """The page speaks of the file that is offered now."""
        return bool(self._files) and content.get("key") == self._n_offers


def _count_pieces(download: Download) -> int:
    return max(1, -(-len(download.content) // PIECE))
