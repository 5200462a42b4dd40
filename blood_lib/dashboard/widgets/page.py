"""The widgets that every tab has: title and tabs, keys, and the status bar.

Each turns records into plain values for its script and messages from it into changes of the state.
Which widget stands where is for `app.py`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from traitlets import Dict, List, Unicode

from blood_lib.dashboard.state import FIELDS, TABS, THEMES, DashboardState
from blood_lib.dashboard.state.commands import Cancel, Redo, Undo
from blood_lib.dashboard.state.messages import LANGUAGES, Messages, choose_language
from blood_lib.dashboard.widgets.script import script, style
from blood_lib.dashboard.widgets.widget import Buffers, Content, Widget

__all__ = ["KEYS", "Keys", "Nav", "StatusBar"]

# what the list of keys shows, in its order: the keys, and the name of their sentence
KEYS = (
    (("→", "↓", "J"), "next"),
    (("←", "↑", "K"), "previous"),
    (("N",), "doubtful"),
    (("C",), "confirm"),
    (("A",), "accept"),
    (("L",), "dismiss"),
    (("1", "…", "9"), "group"),
    (("M",), "menu"),
    (("U",), "unidentified"),
    (("X",), "excluded"),
    (("Ctrl Z",), "undo"),
    (("Ctrl Y",), "redo"),
    (("+", "−", "0"), "zoom"),
    (("Shift →",), "pan"),
    (("H",), "heat"),
    (("Esc",), "close"),
    (("?",), "help"),
)
MOST_WANTED = 20  # languages that a browser may ask for


class Nav(Widget):
    """Title, language, theme and tabs; carries the style sheet of the whole app."""

    _esm = script("widgets/nav.js")
    _css = style()
    accepts = ("hello", "tab", "language", "theme")

    title = Unicode().tag(sync=True)
    languages: List[list[str]] = List(help="[language, its own name for itself], ...").tag(sync=True)
    tabs: List[str] = List().tag(sync=True)
    absent: List[str] = List(help="the tabs that there is nothing to show in").tag(sync=True)
    tab = Unicode(TABS[0], help="the page's own; what counts is the state's").tag(sync=True)

    def __init__(self, state: DashboardState):
        names = [[language, Messages(language)("word.language")] for language in LANGUAGES]
        super().__init__(state, "tab", tabs=list(TABS), languages=names)
        state.observe(state.guard(self._on_fields), "fields")
        self.absent = self._find_absent()

    def _find_absent(self) -> list[str]:
        """Without fields there is no tab for them."""
        return [] if self.state.fields else [FIELDS]

    def _on_fields(self, _change: Any) -> None:
        self.absent = self._find_absent()
        if self.state.tab in self._find_absent():
            self.state.tab = TABS[0]

    def relabel(self) -> None:
        bundle, messages = self.state.bundle, self.state.messages
        self.title = messages.pick(bundle.title) if bundle else messages("word.title")

    def _on_hello(self, content: Content, _buffers: Buffers) -> None:
        """A page asks once; later answers could only overtake what the visitor does meanwhile."""
        wanted = content.get("languages")
        if isinstance(wanted, list):
            self.state.language = choose_language(str(tag) for tag in wanted[:MOST_WANTED])
        self.state.connected = True
        self.send({"kind": "tab", "tab": self.state.tab})

    def _on_language(self, content: Content, _buffers: Buffers) -> None:
        if content.get("language") in LANGUAGES:
            self.state.language = content["language"]

    def _on_theme(self, content: Content, _buffers: Buffers) -> None:
        if content.get("theme") in THEMES:
            self.state.theme, self.state.dark = content["theme"], content.get("dark") is True

    def _on_tab(self, content: Content, _buffers: Buffers) -> None:
        if content.get("tab") in set(TABS).difference(self._find_absent()):
            self.state.tab = content["tab"]


class Keys(Widget):
    """What keys do wherever the focus is, and the list of them; the viewer does most of it, in the page."""

    _esm = script("widgets/keys.js")
    accepts = ("undo", "redo")

    rows: List[list[object]] = List(help="KEYS").tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "keys", rows=[[list(keys), name] for keys, name in KEYS])

    def _on_undo(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Undo()

    def _on_redo(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Redo()


class StatusBar(Widget):
    """Progress, notices and errors of the app; the heartbeat by which the page notices a dead server."""

    _esm = script("widgets/status.js")
    accepts = ("ping", "cancel", "dismiss")

    progress = Dict().tag(sync=True)
    notice = Unicode().tag(sync=True)
    error = Unicode().tag(sync=True)

    def __init__(self, state: DashboardState):
        super().__init__(state, "status")
        state.observe(state.guard(self._show), ["progress", "notice", "error"])

    def words(self) -> dict[str, str]:
        return super().words() | {"of": self.state.messages.section("upload")["of"]}

    def relabel(self) -> None:
        self._show()

    def _show(self, _change: Any = None) -> None:
        state = self.state
        self.progress = progress_values(state)
        self.notice, self.error = state.messages.say(state.notice), state.messages.say(state.error)

    def _on_ping(self, _content: Content, _buffers: Buffers) -> None:
        self.send({"kind": "pong"})

    def _on_cancel(self, _content: Content, _buffers: Buffers) -> None:
        self.state.command = Cancel()

    def _on_dismiss(self, content: Content, _buffers: Buffers) -> None:
        if content.get("what") == "notice":
            self.state.notice = None
        elif content.get("what") == "error":
            self.state.error = None


def progress_values(state: DashboardState) -> dict[str, int | str]:
    """{done, total, kind} of the running work, {} when none runs."""
    return {} if state.progress is None else asdict(state.progress)
