"""What the dashboard's tests share: an app in memory, and a browser's side of the talk with its widgets.

A real browser is for the tests in browser/.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from blood_lib.dashboard.app import App
from blood_lib.dashboard.state.commands import Upload
from blood_lib.dashboard.widgets.widget import Widget
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode

WAIT = 60  # seconds that a thread may take on a busy machine


def say(widget: Widget, buffers: Iterable[bytes] = (), **content: Any) -> None:
    """What a browser does when it sends a message to a widget."""
    widget._handle_custom_msg(content, [memoryview(buffer) for buffer in buffers])


def listen(widget: Widget) -> list[SimpleNamespace]:
    """A list that fills with what the widget sends to the browser: content, buffers."""
    heard: list[SimpleNamespace] = []
    widget.send = lambda content, buffers=None: heard.append(
        SimpleNamespace(content=content, buffers=list(buffers or []))
    )
    return heard


def drawn_files() -> list[tuple[str, bytes]]:
    """A PNG of each colour that the tiny bundle knows."""
    return [(f"{name}.png", encode(draw_cell(colour))) for name, colour in COLOURS.items()]


def zipped(**files: bytes) -> bytes:
    """A ZIP archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def classify(app: App, files: Iterable[tuple[str, Any]]) -> None:
    """Upload files without a browser and wait for the end."""
    app.state.command = Upload(files)
    app.controller.wait(WAIT)
    assert app.state.progress is None


class Wrapped:
    """A classifier that behaves like another but for what a test changes."""

    def __init__(self, classifier: Any, **changes: Any):
        self._classifier = classifier
        self.__dict__.update(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)


def failing(_files: Iterable) -> Iterator:
    """A `classify` that breaks; its message quotes what nobody should see."""
    raise ZeroDivisionError("secret-name.png")
    yield
