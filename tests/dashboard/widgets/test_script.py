"""A widget's script is put together from modules: each keeps its names, and what does not fit is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from anywidget import AnyWidget

import blood_lib.dashboard.app  # noqa: F401 - all widgets are there
from blood_lib.dashboard.widgets.script import DASHBOARD, STYLES, ScriptError, build_script, style

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: no script can be run")


def write(folder: Path, scripts: dict[str, str]) -> None:
    for name, text in scripts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def build(folder: Path, **scripts: str) -> str:
    """The script of `entry` from modules that lie beside each other."""
    write(folder, {f"{name}.js": text for name, text in scripts.items()})
    return build_script("entry.js", folder)


def run(folder: Path, text: str) -> object:
    """What a script exports as its default."""
    (folder / "whole.mjs").write_text(text, encoding="utf-8")
    code = "import('./whole.mjs').then((whole) => console.log(JSON.stringify(whole.default)))"
    done = subprocess.run([NODE, "--eval", code], cwd=folder, capture_output=True, text=True, timeout=60)
    assert not done.stderr
    return json.loads(done.stdout)


@needs_node
def test_each_module_keeps_its_names_for_itself(tmp_path: Path) -> None:
    text = build(
        tmp_path,
        entry="""
import { a } from "./one.js";
import { b } from "./two.js";
const SIZE = 3;
export default [a, b(), SIZE];
""",
        one="const SIZE = 1;\nexport const a = SIZE;",
        two="""
import { a } from "./one.js";
const SIZE = 2;
export function b() {
  return [a, SIZE];
}
""",
    )
    assert run(tmp_path, text) == [1, [1, 2], 3]


@needs_node
def test_a_module_that_several_import_runs_once(tmp_path: Path) -> None:
    text = build(
        tmp_path,
        entry="""
import { one } from "./left.js";
import { two } from "./right.js";
export default [one, two];
""",
        left='import { next } from "./counter.js";\nexport const one = next();',
        right='import { next } from "./counter.js";\nexport const two = next();',
        counter="let n = 0;\nexport function next() {\n  n += 1;\n  return n;\n}",
    )
    assert run(tmp_path, text) == [1, 2]


@needs_node
def test_names_can_be_changed_on_the_way_and_folders_crossed(tmp_path: Path) -> None:
    entry = """
import {
  create as makeBar,
  SIZE,
} from "../widgets/bar.js";
const create = 1;
export default [makeBar(), SIZE, create];
"""
    bar = "export const SIZE = 7;\nexport function create() {\n  return SIZE;\n}"
    write(tmp_path, {"map/map.js": entry, "widgets/bar.js": bar})
    assert run(tmp_path, build_script("map/map.js", tmp_path)) == [7, 7, 1]


@needs_node
def test_only_comments_that_have_their_lines_for_themselves_are_left_out(tmp_path: Path) -> None:
    entry = """// gone
/** gone
 * gone */
/** gone */
const a = "// kept"; // kept
  // gone
export default [a, 8 /* kept */];
"""
    text = build(tmp_path, entry=entry)
    assert run(tmp_path, text) == ["// kept", 8]
    assert (text.count("gone"), text.count("kept")) == (0, 3)


def test_scripts_that_import_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"in a circle: one\.js -> two\.js -> one\.js\."):
        build(
            tmp_path,
            entry='import { a } from "./one.js";\nexport default a;',
            one='import { b } from "./two.js";\nexport const a = b;',
            two='import { a } from "./one.js";\nexport const b = a;',
        )


MISTAKES = {  # the first line of a script, and what is said of it
    'import { a } from "./none.js";': 'entry.js imports "./none.js", which is not there',
    'import { b } from "./one.js";': "entry.js imports b from one.js, which does not export it",
    'import a from "./one.js";': 'unknown form: import a from "./one.js";',
    'import { a } from "one";': 'unknown form: import { a } from "one";',
    'import { c } from "./two.js";': "two.js is imported by name",
    "export let a = 1;": "unknown form: export let a = 1;",
    "export const a = 1;": 'one "export default", no other',
    "export default 1;": 'one "export default", no other',
}


@pytest.mark.parametrize(("line", "words"), MISTAKES.items())
def test_what_does_not_fit_is_refused_with_its_place(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(ScriptError, match=re.escape(words)):
        build(
            tmp_path,
            entry=f"{line}\nexport default 1;\n",
            one="export const a = 1;",
            two="export const c = 1;\nexport default c;",
        )


def subclasses(kind: type) -> list[type]:
    return [found for child in kind.__subclasses__() for found in (child, *subclasses(child))]


WIDGETS = [kind for kind in subclasses(AnyWidget) if "_esm" in vars(kind) and "blood_lib" in kind.__module__]


@needs_node
@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: widget.__name__)
def test_the_script_of_every_widget_is_one_module_that_can_be_read(widget: type, tmp_path: Path) -> None:
    path = tmp_path / "widget.mjs"
    path.write_text(str(vars(widget)["_esm"]), encoding="utf-8")
    done = subprocess.run([NODE, "--check", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_export_is_imported_by_another_script() -> None:
    texts = {path: path.read_text("utf-8") for path in DASHBOARD.rglob("*.js")}
    imported = {
        ((path.parent / address).resolve(), name.split(" as ")[0])
        for path, text in texts.items()
        for names, address in re.findall(r'^import \{ (.*) \} from "(.*)";$', text, re.MULTILINE)
        for name in names.split(", ")
    }
    exported = {
        (path, name)
        for path, text in texts.items()
        for name in re.findall(r"^export (?!default)(?:async )?\w+ (\w+)", text, re.MULTILINE)
    }
    assert len(exported) > 20
    assert exported <= imported


def test_the_style_sheet_has_all_style_sheets_of_the_page() -> None:
    beside_views = {path.relative_to(DASHBOARD).as_posix() for path in DASHBOARD.glob("*/*.css")}
    assert set(STYLES) == beside_views - {"report/report.css"}
    assert len(STYLES) == len(set(STYLES))
    assert "@import" not in style()
