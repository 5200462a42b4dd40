"""The app as a whole: what it loads, which bundle it takes, and that visitors' data stays in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from blood_lib.bundle import Bundle

HEAVY = {"torch", "fastai", "torchvision", "matplotlib", "pandas", "openTSNE", "sklearn", "scipy", "seaborn"}

USE = """
import os, sys
os.environ["BLOOD_BUNDLE"] = sys.argv[1]
from blood_lib.dashboard import App
from blood_lib.dashboard.state import TABS
from blood_lib.dashboard.state.commands import ClassifyExamples
app = App()
app.state.command = ClassifyExamples()
app.controller.wait(100)
assert len(app.state.cells) == 3, app.state.error
for tab in TABS:
    app.state.tab = tab
app.state.current = app.state.cells[0].id
assert not app.state.error, app.state.error
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_the_kernel_loads_nothing_heavy_even_after_all_tabs_were_used(
    tiny_bundle: Bundle, root: Path
) -> None:
    command = [sys.executable, "-c", USE, str(tiny_bundle.path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(done.stdout.split())
    assert "anywidget" in done.stdout.split()


def test_importing_the_package_loads_no_widgets(root: Path) -> None:
    code = "import blood_lib.dashboard.serve, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert not {"ipywidgets", "numpy", "voila", "traitlets"} & set(done.stdout.split())


def test_the_notebook_is_short_clean_and_without_functions(root: Path) -> None:
    notebook = nbformat.read(root / "dashboard.ipynb", as_version=4)
    assert len(notebook.cells) <= 4
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
            assert "def " not in cell.source


def test_no_class_and_no_subject_is_written_in_the_dashboard(root: Path) -> None:
    from blood_lib.study.cells import CELL_TYPES

    names = {name.lower() for cell in CELL_TYPES for name in (cell.name, *cell.subtypes.values())}
    for path in (root / "blood_lib" / "dashboard").rglob("*"):
        if path.suffix in {".py", ".js", ".css", ".json", ".j2", ".html"}:
            text = path.read_text("utf-8").lower()
            assert not [name for name in names if name in text], path
            if path.suffix in {".js", ".json", ".j2", ".html"}:
                assert "blood" not in text, path


@pytest.mark.slow
def test_the_notebook_runs(tiny_bundle: Bundle, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("BLOOD_BUNDLE", str(tiny_bundle.path))
    notebook = nbformat.read(root / "dashboard.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(root)}}).execute()
    outputs = notebook.cells[-1].outputs
    assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
