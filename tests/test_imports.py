"""Holds the rules of the rooms: who imports whom, what serving never loads, and what is never committed.

What the modules do is left to their own tests.
"""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from blood_lib.study.cells import CELL_TYPES

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "blood_lib"
STUDY_ONLY = {"fastai", "torch", "torchvision", "matplotlib", "pandas", "plotly", "seaborn"}
WIDGETS_ONLY = {"anywidget", "ipywidgets", "voila"}
# Packages whose import has another name.
PACKAGES = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}
MODULES = sorted(LIBRARY.rglob("*.py"))


def name_of(path: Path) -> str:
    """blood_lib/study/cells.py -> blood_lib.study.cells"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """study, dashboard, or core for all that lies directly in blood_lib."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in {"study", "dashboard"} else "core"


@cache
def imports(path: Path, *, top_level: bool = False) -> frozenset[str]:
    """Every module that the file imports anywhere, or only when it is imported itself (`top_level`)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _executed_on_import(tree) if top_level else ast.walk(tree)
    return frozenset(name for node in nodes for name in _imported(node, path))


def _executed_on_import(tree: ast.AST):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _executed_on_import(node)


def _imported(node: ast.AST, path: Path) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    package = path.relative_to(ROOT).parent.parts
    base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
    module = ".".join(filter(None, [base, node.module]))
    return {module} | {f"{module}.{alias.name}" for alias in node.names}


def in_room(*rooms: str):
    paths = [path for path in MODULES if room_of(name_of(path)) in rooms]
    return pytest.mark.parametrize("path", paths, ids=name_of)


def other_rooms(path: Path, *, top_level: bool = False) -> set[str]:
    """Imports of `path` that leave its own room for `study` or `dashboard`."""
    ours = [name for name in imports(path, top_level=top_level) if name.startswith("blood_lib.")]
    return {name for name in ours if room_of(name) not in {"core", room_of(name_of(path))}}


@in_room("core")
def test_the_core_imports_neither_room(path: Path) -> None:
    # The command line is the door to all rooms: it may enter one, inside a subcommand.
    lazily = path.name == "__main__.py"
    assert not other_rooms(path, top_level=lazily)


@in_room("study", "dashboard")
def test_study_and_dashboard_never_import_each_other(path: Path) -> None:
    assert not other_rooms(path)


@in_room("core", "dashboard")
def test_serving_never_imports_what_belongs_to_the_study(path: Path) -> None:
    assert not {name for name in imports(path) if name.split(".")[0] in STUDY_ONLY}


def declared(*extras: str) -> set[str]:
    """Canonical names of the packages that pyproject.toml asks for, with those of `extras`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return {canonicalize_name(Requirement(line).name) for lines in groups for line in lines}


def imported_packages(path: Path, *, top_level: bool = False) -> set[str]:
    modules = {name.split(".")[0] for name in imports(path, top_level=top_level)} - {"blood_lib", "tests"}
    names = modules - set(sys.stdlib_module_names)
    return {canonicalize_name(PACKAGES.get(name, name)) for name in names}


@in_room("core", "dashboard")
def test_serving_imports_only_what_it_installs(path: Path) -> None:
    # Inside a function the core may ask for the study's openTSNE, to lay out a new map.
    assert imported_packages(path, top_level=True) <= declared()


@in_room("core", "study", "dashboard")
def test_each_imported_package_is_declared(path: Path) -> None:
    assert imported_packages(path) <= declared("study")


@in_room("core", "study")
def test_only_the_dashboard_imports_widgets(path: Path) -> None:
    assert not {name for name in imports(path) if name.split(".")[0] in WIDGETS_ONLY}


def test_there_is_no_import_cycle() -> None:
    names = {name_of(path) for path in MODULES}
    graph = {name_of(path): imports(path, top_level=True) & names - {name_of(path)} for path in MODULES}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the cycle


BLOCK = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Blocker())
"""


def run_python(code: str) -> subprocess.CompletedProcess:
    """Run `code` in a fresh interpreter, warnings off as for a user."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("module", ["blood_lib.inference", "blood_lib.report", "blood_lib.dashboard.app"])
def test_what_is_served_loads_nothing_of_the_study(module: str) -> None:
    done = run_python(f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))")
    assert done.returncode == 0, done.stderr
    assert not STUDY_ONLY & set(done.stdout.split())


def test_help_needs_none_of_the_extras() -> None:
    heavy = STUDY_ONLY | WIDGETS_ONLY | {"numpy", "openvino", "openTSNE", "sklearn", "scipy", "PIL"}
    done = run_python(BLOCK.format(blocked=heavy) + "from blood_lib.__main__ import main; main(['--help'])")
    assert done.returncode == 0, done.stderr
    assert "classify" in done.stdout


def test_a_missing_extra_is_told_in_one_sentence() -> None:
    missing = BLOCK.format(blocked=STUDY_ONLY)
    done = run_python(missing + "from blood_lib.__main__ import main; sys.exit(main(['data', 'audit', '.']))")
    assert done.returncode == 1
    assert "[study]" in done.stderr
    assert "Traceback" not in done.stderr


# --- what is committed ---


@cache
def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def tracked_text() -> list[tuple[str, str]]:
    """(name, text) of every tracked file that is text."""
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            found.append((str(path.relative_to(ROOT)), content.decode("utf-8")))
    return found


def matches(pattern: str, texts: list[tuple[str, str]], flags: int = 0) -> list[str]:
    return [f"{name}: {found.group()}" for name, text in texts for found in re.finditer(pattern, text, flags)]


def test_no_cell_type_is_written_outside_the_study() -> None:
    names = {name for cell in CELL_TYPES for name in (cell.name, *cell.subtypes.values())}
    pattern = rf"\b({'|'.join(sorted(names))})s?\b"
    served = [
        (name, text)
        for name, text in tracked_text()
        if name == "dashboard.ipynb" or re.match(r"blood_lib/(?!study/|bundles/)", name)
    ]
    assert not matches(pattern, served, re.IGNORECASE)


def test_no_path_of_one_machine_is_committed() -> None:
    folders = "|".join(["work", "root", "home", "Users", "opt", "mnt"])
    assert not matches(rf"(?<![\w./~>-])/({folders})/\w+", tracked_text())


def test_no_registry_host_is_committed() -> None:
    hosts = [r"files\.python" "hosted", r"pypi\.org/" "simple", r"--(extra-)?index-" "url", r"find-" "links"]
    assert not matches("|".join(hosts), tracked_text())


def test_the_tree_stays_small() -> None:
    sizes = {path: path.stat().st_size for path in tracked_files()}
    assert not [path for path, size in sizes.items() if size > 25e6]
    assert sum(sizes.values()) < 64 * 2**20


def test_notebooks_stay_below_one_megabyte() -> None:
    assert not [path for path in tracked_files() if path.suffix == ".ipynb" and path.stat().st_size > 1e6]
