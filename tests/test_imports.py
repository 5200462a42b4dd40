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
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from blood_lib.study.cells import CELL_TYPES
from tests import ROOT
from tests.rooms import INSIDE, LAZY, MAY_IMPORT

LIBRARY = ROOT / "blood_lib"
STUDY_ONLY = {"fastai", "torch", "torchvision", "matplotlib", "pandas", "plotly", "seaborn"}
WIDGETS_ONLY = {"anywidget", "ipywidgets", "voila"}
# Packages whose import has another name.
PACKAGES = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}
MODULES = sorted(LIBRARY.rglob("*.py"))

MOST_MODULES = 14


def name_of(path: Path) -> str:
    """blood_lib/study/cells.py -> study/cells; a room's own __init__ is named like the room."""
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return "/".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}


def room_of(name: str) -> str:
    """The room that a module lies in; a module outside of all rooms is one by itself."""
    folder = name.rpartition("/")[0]
    return next((room for room in (name, folder) if room in MAY_IMPORT), name)


@cache
def imports(path: Path, *, top_level: bool = False) -> frozenset[str]:
    """What the file imports, under TYPE_CHECKING too; `top_level`: only when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _executed_on_import(tree) if top_level else ast.walk(tree)
    return frozenset(name for node in nodes for name in _imported(node, path))


def _executed_on_import(tree: ast.AST):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
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


@cache
def imported_modules(name: str, *, top_level: bool = False) -> frozenset[str]:
    """The modules of the package that a module imports, a submodule without the packages it lies in."""
    found = {
        one.replace(".", "/").removeprefix("blood_lib/") for one in imports(NAMES[name], top_level=top_level)
    }
    found &= NAMES.keys() - {name, ""}
    return frozenset(one for one in found if not any(other.startswith(f"{one}/") for other in found))


def part_of(*parts: str):
    """Parametrize over the modules of the core, the study or the dashboard."""
    paths = [path for name, path in NAMES.items() if _part(name) in parts]
    return pytest.mark.parametrize("path", paths, ids=name_of)


def _part(name: str) -> str:
    first = name.split("/")[0]
    return first if first in {"study", "dashboard"} else "core"


each_module = pytest.mark.parametrize("name", sorted(NAMES.keys() - {"", "study", "dashboard"}))


@each_module
def test_a_room_imports_only_the_rooms_it_may(name: str) -> None:
    room = room_of(name)
    others = {room_of(one) for one in imported_modules(name, top_level=room in LAZY)} - {room}
    assert others <= MAY_IMPORT[room]


def test_the_core_imports_neither_room_and_these_not_each_other() -> None:
    for room, others in MAY_IMPORT.items():
        entered = {_part(other) for other in others} - {"core", _part(room)}
        assert not entered or room in LAZY, room


@each_module
def test_a_module_imports_only_modules_of_earlier_layers_of_its_room(name: str) -> None:
    room, layers = room_of(name), INSIDE.get(room_of(name), ())
    if name == room and "__init__" not in " ".join(layers).split():
        return  # a package offers what its modules have, and a module outside of all rooms has no layers
    place = {module: i for i, layer in enumerate(layers) for module in layer.split()}
    siblings = {one for one in imported_modules(name) if room_of(one) == room}
    level = lambda one: place["__init__" if one == room else one.removeprefix(f"{room}/")]  # noqa: E731
    assert not [one for one in siblings if level(one) >= level(name)]


@pytest.mark.parametrize("room", sorted(INSIDE))
def test_the_table_names_every_module_of_a_room_and_no_other(room: str) -> None:
    modules = {path.stem for path in (LIBRARY / room).glob("*.py")} - {"__init__"}
    assert {one for layer in INSIDE[room] for one in layer.split()} - {"__init__"} == modules


def test_no_folder_has_too_many_modules() -> None:
    others = [path for folder in ("benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")]
    modules = [path for path in [*MODULES, *others] if path.name != "__init__.py"]
    for kind in (modules, LIBRARY.rglob("*.js")):
        counts = Counter(path.parent for path in kind)
        assert not {folder: n for folder, n in counts.items() if n > MOST_MODULES}


@part_of("core", "dashboard")
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


@part_of("core", "dashboard")
def test_serving_imports_only_what_it_installs(path: Path) -> None:
    # Inside a function the core may ask for the study's openTSNE, to lay out a new map.
    assert imported_packages(path, top_level=True) <= declared()


@part_of("core", "study", "dashboard")
def test_each_imported_package_is_declared(path: Path) -> None:
    assert imported_packages(path) <= declared("study")


@part_of("core", "study")
def test_only_the_dashboard_imports_widgets(path: Path) -> None:
    assert not {name for name in imports(path) if name.split(".")[0] in WIDGETS_ONLY}


def test_there_is_no_import_cycle_types_included() -> None:
    graph = {name: imported_modules(name) for name in NAMES if name}
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


@pytest.mark.parametrize("module", ["blood_lib.tables.cells", "blood_lib.dashboard.app"])
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
    hosts += [r"registry\.npm" "js", r'"resolved' '":']
    assert not matches("|".join(hosts), tracked_text())


def test_the_tree_stays_small() -> None:
    sizes = {path: path.stat().st_size for path in tracked_files()}
    assert not [path for path, size in sizes.items() if size > 25e6]
    assert sum(sizes.values()) < 64 * 2**20


def test_notebooks_stay_below_one_megabyte() -> None:
    assert not [path for path in tracked_files() if path.suffix == ".ipynb" and path.stat().st_size > 1e6]
