"""A widget's script as one text: its module, and before it all that it imports. And the page's style sheet.

The scripts are ES modules, but a widget gets a single one from Python. So imports are resolved here, and
nothing has to be built beforehand. Only what the scripts use is understood: named imports and exports, each
at the beginning of a line. Mistakes inside the scripts are left to eslint (`make lint`).
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

__all__ = ["ScriptError", "build_script", "script", "style"]

DASHBOARD = Path(__file__).parents[1]
# Each begins with the line break before its line, found faster than `^`. Comments are left out where they
# have their lines for themselves.
COMMENT = re.compile(r"\n[ \t]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*(?=\n))")
IMPORT = re.compile(r'\nimport \{([^}]*)\} from "(\.[^"]*)";(?=\n)')
EXPORT = re.compile(r"\nexport (?=(?:async function|function|const|class) (\w+))")
DEFAULT = re.compile(r"\nexport default ")
OTHER = re.compile(r"\n((?:import|export)\b(?! default ).*)")

# In the order of the style sheet: a later rule wins over an earlier one.
STYLES = (
    "widgets/style.css",
    "upload/upload.css",
    "widgets/badges.css",
    "viewer/viewer.css",
    "field/field.css",
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
    return build_script(name, DASHBOARD)


def style() -> str:
    """The one style sheet of the page."""
    return "\n".join((DASHBOARD / name).read_text(encoding="utf-8") for name in STYLES)


def build_script(entry: str, root: Path) -> str:
    """One module that does what `entry` does; each module that it imports is a function of its own.

    `entry` is a module's place below `root`, as in "gallery/gallery.js". It has one `export default`.
    """
    return _Builder(root).build(entry)


class _Builder:
    """Takes in each module once, after all that it imports. A module's name is its place below the root."""

    def __init__(self, root: Path):
        self._root = root
        self._open: list[str] = []  # being read; each is imported by the one before it
        self._exports: dict[str, list[str]] = {}  # of each module that has been taken in
        self._functions: list[str] = []

    def build(self, entry: str) -> str:
        text, exports = self._read(entry)
        if exports or len(DEFAULT.findall(text)) != 1:
            raise ScriptError(f'{entry}: the script of a widget has one "export default", no other.')
        return "\n".join([*self._functions, text]) + "\n"

    def _take_in(self, module: str) -> None:
        text, exports = self._read(module)
        if DEFAULT.search(text):
            raise ScriptError(f"{module} is imported by name: it cannot export a default.")
        self._exports[module] = exports
        returned = f"return {{ {', '.join(exports)} }};"
        self._functions.append(f"const {_variable(module)} = (() => {{{text}\n{returned}\n}})();")

    def _read(self, module: str) -> tuple[str, list[str]]:
        """A module with its imports resolved, and the names that it exports."""
        if module in self._open:
            circle = " -> ".join([*self._open[self._open.index(module) :], module])
            raise ScriptError(f"Scripts import each other in a circle: {circle}.")
        self._open.append(module)
        text = (self._root / module).read_text(encoding="utf-8")
        text = COMMENT.sub("", f"\n{text}\n")
        text = IMPORT.sub(lambda found: self._resolve(module, found[1], found[2]), text)
        self._open.pop()
        exports = EXPORT.findall(text)
        text = EXPORT.sub("\n", text).rstrip()
        if other := OTHER.search(text):
            raise ScriptError(f"{module} has an import or export of an unknown form: {other[1]}")
        return text, exports

    def _resolve(self, importer: str, names: str, address: str) -> str:
        """What takes an import's place: its names are taken from what the other module returns."""
        module = posixpath.normpath(f"{posixpath.dirname(importer)}/{address}".lstrip("/"))
        if module not in self._exports:
            if not (self._root / module).is_file():
                raise ScriptError(f'{importer} imports "{address}", which is not there.')
            self._take_in(module)
        wanted = [name.strip().split(" as ") for name in names.split(",") if name.strip()]
        for name, *_ in wanted:
            if name not in self._exports[module]:
                raise ScriptError(f"{importer} imports {name} from {module}, which does not export it.")
        return f"\nconst {{ {', '.join(map(': '.join, wanted))} }} = {_variable(module)};"


def _variable(module: str) -> str:
    """A module's name in the whole script: no other name begins with a dollar sign."""
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))
