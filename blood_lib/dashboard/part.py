"""What all parts with a script of their own have in common: text, messages from the browser, one guard.

A browser can set any synced trait, so Python never reads one back: what a visitor does arrives as a message,
and every value in it is checked before use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
from traitlets import Dict

from blood_lib.dashboard.state import DashboardState

__all__ = ["Part", "script", "style"]

FRONT = Path(__file__).parent / "front"


def script(name: str) -> str:
    """The text of front/<name>.js with front/lib.js before it: one module, nothing to fetch."""
    return "\n".join((FRONT / f"{file}.js").read_text(encoding="utf-8") for file in ("lib", name))


def style() -> str:
    """The one style sheet."""
    return (FRONT / "style.css").read_text(encoding="utf-8")


class Part(anywidget.AnyWidget):
    """An anywidget whose message {"kind": "x", ...} goes to the method `_on_x(content, buffers)`."""

    text = Dict(help="its sentences in the visitor's language").tag(sync=True)
    accepts: tuple[str, ...] = ()  # the kinds of messages that it understands

    def __init__(self, state: DashboardState, section: str, **traits: Any):
        super().__init__(text=state.messages.section(section), **traits)
        self.state = state
        self.on_msg(state.guard(self._receive))

    def _receive(self, _widget: Any, content: Any, buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        if isinstance(kind, str) and kind in self.accepts:
            getattr(self, f"_on_{kind}")(content, list(buffers or ()))
