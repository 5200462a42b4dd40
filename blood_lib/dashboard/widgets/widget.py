"""What all widgets have in common: text, messages from the browser, one guard.

A browser can set any synced trait, so Python never reads one back: what a visitor does arrives as a message,
and every value in it is checked before use.
"""

from __future__ import annotations

from typing import Any

import anywidget
from traitlets import Dict, Int, Unicode

from blood_lib.dashboard.state import DashboardState

__all__ = ["Buffers", "Content", "Widget"]

Content = dict[str, Any]  # of a message; what comes from a browser may be anything
Buffers = list[memoryview]


class Widget(anywidget.AnyWidget):
    """An anywidget whose message {"kind": "x", ...} goes to the method `_on_x(content, buffers)`."""

    text = Dict(help="its sentences in the visitor's language").tag(sync=True)
    language = Unicode("en").tag(sync=True)
    edition = Int(0, help="counts its texts; the script starts anew when it changes").tag(sync=True)
    accepts: tuple[str, ...] = ()  # the kinds of messages that it understands

    def __init__(self, state: DashboardState, section: str, **traits: Any):
        super().__init__(**traits)
        self.state = state
        self.section = section  # of the messages
        self._on_messages()
        self.on_msg(state.guard(self._receive))
        state.observe(state.guard(self._on_messages), "messages")

    def _on_messages(self, _change: Any = None) -> None:
        """Another language or another bundle: all its words at once."""
        with self.hold_sync():
            self.text, self.language = self.words(), self.state.messages.language
            self.relabel()
            self.edition += 1

    def words(self) -> dict[str, str]:
        """The sentences that its script needs."""
        return self.state.messages.section(self.section)

    def relabel(self) -> None:
        """Set whatever else depends on language and bundle; called for the first time by `__init__`."""

    def _receive(self, _widget: Any, content: Any, buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        if isinstance(kind, str) and kind in self.accepts:
            getattr(self, f"_on_{kind}")(content, list(buffers or ()))
