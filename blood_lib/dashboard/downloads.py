"""Hands a file to the visitor's browser, piece by piece; leaves making it to who sets `state.download`."""

from __future__ import annotations

from typing import Any

from blood_lib.dashboard.part import Part, script
from blood_lib.dashboard.state import DashboardState, Download

__all__ = ["Downloads"]

PIECE = 2**20  # bytes


class Downloads(Part):
    """Offers the file to the page, which asks for one piece after the other and may ask twice."""

    _esm = script("downloads")
    accepts = ("hello", "take", "done")

    def __init__(self, state: DashboardState):
        super().__init__(state, "download")
        self._n_offers = 0
        state.observe(state.guard(self._offer), "download")

    def _offer(self, _change: Any = None) -> None:
        download = self.state.download
        if download is not None:
            self._n_offers += 1
            self.send(
                {
                    "kind": "offer",
                    "key": self._n_offers,
                    "name": download.name,
                    "type": download.type,
                    "pieces": max(1, -(-len(download.content) // PIECE)),
                }
            )

    def _on_hello(self, _content: dict, _buffers: list) -> None:
        """A page is there now: what was offered before it listened is offered again."""
        self._offer()

    def _on_take(self, content: dict, _buffers: list) -> None:
        download, number = self._asked_for(content), content.get("number")
        if download is not None and type(number) is int and number >= 0:
            piece = download.content[number * PIECE : (number + 1) * PIECE]
            self.send({"kind": "piece", "key": self._n_offers, "number": number}, [piece])

    def _on_done(self, content: dict, _buffers: list) -> None:
        if self._asked_for(content) is not None:
            self.state.download = None

    def _asked_for(self, content: dict) -> Download | None:
        """The file, if the page speaks of the one that is offered now."""
        return self.state.download if content.get("key") == self._n_offers else None
