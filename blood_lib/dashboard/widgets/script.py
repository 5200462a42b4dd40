"""A widget's script as one text: its module, and before it all that it imports. And the page's style sheet.

The scripts are ES modules, but a widget gets a single one from Python. So imports are resolved here, and
nothing has to be built beforehand. Only what the scripts use is understood: named imports and exports, each
at the beginning of a line. Mistakes inside the scripts are left to eslint (`make lint`).
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["ScriptError", "build_script", "script", "style"]

DASHBOARD = Path(__file__).parents[1]
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]*)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) (\w+))", re.MULTILINE)
DEFAULT = re.compile(r"^export default ", re.MULTILINE)
# a comment with nothing else on its lines
COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/)[ \t]*\n", re.MULTILINE)
OTHER = re.compile(r"^(?:import|export)\b(?! default ).*", re.MULTILINE)

# In the order of the style sheet: a later rule wins over an earlier one.
STYLES = (
    "widgets/style.css",
    "upload/upload.css",
    "widgets/badges.css",
    "viewer/viewer.css",
    "gallery/gallery.css",
    "chart/chart.css",
    "map/map.css",
    "review/review.css",
    "help/help.css",
    "widgets/last.css",
)


class ScriptError(ValueError):
    """Scripts that do not fit together."""


def script(name: str) -> str:
    """The script of a widget whose module is `name`, seen from the dashboard: "gallery/gallery.js"."""
    return build_script(DASHBOARD / name, DASHBOARD)


def style() -> str:
    """The one style sheet of the page."""
    return "\n".join((DASHBOARD / name).read_text(encoding="utf-8") for name in STYLES)


def build_script(entry: Path, root: Path) -> str:
    """One module that does what `entry` does; each module that it imports is a function of its own.

    `entry` has one `export default`. Modules are named after their place below `root`.
    """
    return _Builder(root.resolve()).build(entry.resolve())


class _Builder:
    """Takes in each module once, after all that it imports."""

    def __init__(self, root: Path):
        self._root = root
        self._open: list[Path] = []  # being read; each is imported by the one before it
        self._exports: dict[Path, list[str]] = {}  # of each module that has been taken in
        self._functions: list[str] = []

    def build(self, entry: Path) -> str:
        text, exports = self._read(entry)
        if exports or len(DEFAULT.findall(text)) != 1:
            name = self._show(entry)
            raise ScriptError(f'{name}: the script of a widget has one "export default", no other.')
        return "\n".join([*self._functions, text]) + "\n"

    def _take_in(self, path: Path) -> None:
        text, exports = self._read(path)
        if DEFAULT.search(text):
            raise ScriptError(f"{self._show(path)} is imported by name: it cannot export a default.")
        self._exports[path] = exports
        returned = f"return {{ {', '.join(exports)} }};"
        self._functions.append(f"const {self._name(path)} = (() => {{\n{text}\n{returned}\n}})();")

    def _read(self, path: Path) -> tuple[str, list[str]]:
        """A module with its imports resolved, and the names that it exports."""
        if path in self._open:
            circle = " -> ".join(map(self._show, [*self._open[self._open.index(path) :], path]))
            raise ScriptError(f"Scripts import each other in a circle: {circle}.")
        self._open.append(path)
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        text = IMPORT.sub(lambda found: self._resolve(path, found[1], found[2]), text)
        self._open.pop()
        exports = EXPORT.findall(text)
        text = EXPORT.sub("", text).strip()
        if other := OTHER.search(text):
            raise ScriptError(f"{self._show(path)} has an import or export of an unknown form: {other[0]}")
        return text, exports

    def _resolve(self, importer: Path, names: str, address: str) -> str:
        """What takes an import's place: its names are taken from what the other module returns."""
        path = (importer.parent / address).resolve()
        if not path.is_file():
            raise ScriptError(f'{self._show(importer)} imports "{address}", which is not there.')
        if path not in self._exports:
            self._take_in(path)
        wanted = [name.strip().split(" as ") for name in names.split(",") if name.strip()]
        for name, *_ in wanted:
            if name not in self._exports[path]:
                shown = f"{self._show(importer)} imports {name} from {self._show(path)}"
                raise ScriptError(f"{shown}, which does not export it.")
        return f"const {{ {', '.join(map(': '.join, wanted))} }} = {self._name(path)};"

    def _show(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _name(self, path: Path) -> str:
        """A module's name in the whole script: no other name begins with a dollar sign."""
        return "$" + re.sub(r"\W", "_", self._show(path).removesuffix(".js"))
