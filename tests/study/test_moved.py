"""The cells of the committed notebooks find every module and name that they use."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from tests import ROOT

NOTEBOOKS = [*sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")), ROOT / "dashboard.ipynb"]


def parse_cells(path: Path) -> ast.Module:
    cells = nbformat.read(path, as_version=4).cells
    return ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))


def find(module: str, name: str) -> object:
    """What `from MODULE import NAME` gives; ImportError or AttributeError where there is none."""
    try:
        return getattr(import_module(module), name)
    except AttributeError:
        return import_module(f"{module}.{name}")


def list_imports(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """The name in the cells, and what it stands for, of all that is imported from the package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("blood_lib"):
            for alias in node.names:
                yield alias.asname or alias.name, find(node.module, alias.name)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_name_that_a_cell_takes_from_the_package_is_there(path: Path) -> None:
    tree = parse_cells(path)
    known = dict(list_imports(tree))
    assert known
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = known.get(node.value.id)
            if isinstance(owner, ModuleType):
                assert hasattr(owner, node.attr), f"{node.value.id}.{node.attr}"
