"""Runs each notebook in its quick profile on drawn cells, and holds the rules of a committed one.

What the figures show is left to their readers, the page that `dashboard.ipynb` makes to the browser tests.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import papermill
import pytest

from blood_lib.bundle import load_bundle
from blood_lib.study import painter
from blood_lib.study.data.index import find_dataset, list_files
from blood_lib.study.notebooks import experiments
from blood_lib.study.notebooks.profiles import PROFILES, load_profile
from blood_lib.study.notebooks.publishing import hash_sources
from tests import ROOT

FOLDER = ROOT / "notebooks"
RESULTS = ROOT / "docs" / "results" / "study.md"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
EXACT = "nbval-check-output"  # nbval compares the output of a cell with this tag
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def load_cells(path: Path) -> list:
    return nbformat.read(path, as_version=4).cells


def load_outputs(path: Path) -> list:
    return [output for cell in load_cells(path) for output in cell.get("outputs", [])]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@each_notebook
def test_a_notebook_starts_with_a_question(path: Path) -> None:
    first = load_cells(path)[0]
    assert first.cell_type == "markdown"
    assert "?" in first.source


@pytest.mark.parametrize(("path", "following"), list(pairwise(NOTEBOOKS)), ids=lambda path: path.stem)
def test_a_notebook_ends_with_a_link_to_the_next(path: Path, following: Path) -> None:
    last = [cell for cell in load_cells(path) if cell.cell_type == "markdown"][-1]
    assert f"({following.name})" in last.source


@each_notebook
def test_a_notebook_has_one_cell_of_parameters(path: Path) -> None:
    assert sum("parameters" in tags(cell) for cell in load_cells(path)) == 1


@each_notebook
def test_a_notebook_can_be_told_its_profile(path: Path) -> None:
    assert papermill.inspect_notebook(str(path))["profile"]["default"] == '""'


@pytest.mark.parametrize("profile", PROFILES)
@each_notebook
def test_a_profile_names_only_parameters_that_there_are(path: Path, profile: str) -> None:
    load_profile(path, profile)  # raises BloodError with the name that is none


@each_notebook
def test_no_pixels_are_committed(path: Path) -> None:
    for cell in load_cells(path):
        assert not ("pixels" in tags(cell) and cell.get("outputs")), cell.source
        assert "attachments" not in cell


@each_notebook
def test_every_figure_says_what_it_was_made_from(path: Path) -> None:
    drawing = [
        cell.source
        for cell in load_cells(path)
        if "plt.figure(" in cell.source or "plt.subplots(" in cell.source
    ]
    assert drawing
    for source in drawing:
        assert "plots.stamp(fig, data.note)" in source, source
    for cell in load_cells(path):
        assert "interactive.build_map(" not in cell.source or "data.note" in cell.source, cell.source


@each_notebook
def test_a_run_shows_one_or_two_tables_of_a_notebook_on_its_first_page(path: Path) -> None:
    assert 1 <= sum("key" in tags(cell) for cell in load_cells(path)) <= 2


@each_notebook
def test_a_notebook_stays_under_a_megabyte(path: Path) -> None:
    assert path.stat().st_size < 1_000_000


@each_notebook
def test_a_notebook_was_run_from_top_to_bottom(path: Path) -> None:
    code = [cell for cell in load_cells(path) if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in code if "pixels" not in tags(cell)]
    assert None not in counts, "a cell was not run"
    assert counts == sorted(counts)


@each_notebook
def test_no_error_is_committed(path: Path) -> None:
    assert not [output for output in load_outputs(path) if output.output_type == "error"]


@each_notebook
def test_what_is_committed_is_what_was_executed(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata["executed_sources"] == hash_sources(notebook)


def test_what_is_committed_of_the_bundle_that_ships_is_of_this_one() -> None:
    said = [output.get("text", "") for output in load_outputs(FOLDER / "04_interpret.ipynb")]
    told = [text for text in said if "the one that ships" in text]
    same = load_bundle().identities  # a detector that is added changes no answer of its classifier
    assert told and all(any(sha[:12] in text for sha in same) for text in told)


def test_the_networks_in_the_results_are_those_of_the_committed_notebook() -> None:
    outputs = load_outputs(FOLDER / "02_compare_architectures.ipynb")
    shown = [out["data"]["text/html"] for out in outputs if "served_from_to" in str(out.get("data"))]
    rows = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", shown[0], re.S)[1:]
    ]
    results = RESULTS.read_text(encoding="utf-8")
    for name, _, _, accuracy, low, high, *_, parameters, _, _, served, ends in rows:
        network, start = name.replace("imagenet", "ImageNet").split(", ")
        reached = f"{accuracy[:-1]} % ({low[:-1]} to {high[:-1]})"
        told = re.escape(f"| {network} | {start} | {reached} | {parameters} | ")
        (speed,) = re.findall(rf"{told}([\d,]+) \({ends.replace('-', ' to ')}\) \|", results)
        assert abs(float(speed.replace(",", "")) - float(served.replace(",", ""))) <= 0.51
    assert rows


def test_what_of_the_study_holds_in_the_results_is_what_the_committed_notebooks_measured() -> None:
    results = RESULTS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:says|does) \| .*\((0\d)\) \| (.*) \| .* \|$", results, re.M)
    assert {number for number, _ in rows} == {"01", "02", "03", "04"}
    card = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8").replace(" %", "%")
    for number, measured in rows:
        (path,) = FOLDER.glob(f"{number}_*.ipynb")
        told = "".join(out["data"].get("text/html", "") for out in load_outputs(path) if "data" in out) + card
        for share in re.findall(r"(?<!warp )\b\d+\.\d+", measured):
            assert f"{share}%" in told, (path.name, share)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("full/*.yaml")), ids=lambda path: path.stem)
def test_at_its_real_size_the_study_begins_from_imagenet(path: Path) -> None:
    settings = load_profile(FOLDER / f"{path.stem}.ipynb", "full")
    assert settings["download"] and settings["image_size"] == 224


@pytest.fixture(scope="session")
def drawn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out like the published dataset, with drawn cells in it."""
    folder = tmp_path_factory.mktemp("data")
    painter.save_dataset(folder / "PBC_dataset_normal_DIB", per_type=12, size=96, seed=0)
    return folder


def prepare(path: Path, target: Path, **parameters: object) -> Path:
    """A copy of the notebook with the quick profile and `parameters` in it, its outputs as committed."""
    known = papermill.inspect_notebook(str(path))
    parameters = load_profile(path, "quick") | {k: v for k, v in parameters.items() if k in known}
    papermill.execute_notebook(str(path), str(target), parameters, prepare_only=True, progress_bar=False)
    return target


def check(*notebooks: Path) -> None:
    """Run each cell with nbval: no exception, and the same output where a cell is tagged EXACT."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-current-env",
        "--nbval-cell-timeout=600",
    ]
    quiet = ["-p", "no:cacheprovider", "-W", "default", "-q"]
    done = subprocess.run([*command, *quiet, *notebooks], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebooks, which run in order, leave what the next one needs."""
    return tmp_path_factory.mktemp("run")


@pytest.mark.slow
@pytest.mark.timeout(900)
@each_notebook
def test_a_notebook_runs_in_its_quick_profile(
    path: Path, drawn_data: Path, run_folder: Path, tmp_path: Path
) -> None:
    folders = {"data_dir": str(drawn_data), "out_dir": str(run_folder)}
    notebook = nbformat.read(prepare(path, tmp_path / path.name, **folders), as_version=4)
    for cell in notebook.cells:  # of drawn cells nothing is known beforehand
        cell.metadata["tags"] = [tag for tag in tags(cell) if tag != EXACT]
    nbformat.write(notebook, tmp_path / path.name)
    check(tmp_path / path.name)
    left = {"02": "choice.json", "03": "bundle/bundle.json"}.get(path.name[:2], "")
    assert (run_folder / left).exists()


@pytest.mark.slow
def test_the_network_that_02_chose_is_the_one_that_03_trains(drawn_data: Path, tmp_path: Path) -> None:
    experiments.save_choice(tmp_path, "resnet18")
    path = FOLDER / "03_fine_tune.ipynb"
    copy = prepare(path, tmp_path / path.name, data_dir=str(drawn_data), out_dir=str(tmp_path))
    notebook = nbformat.read(copy, as_version=4)
    chosen = [number for number, cell in enumerate(notebook.cells) if "load_choice(" in cell.source]
    notebook.cells = notebook.cells[: chosen[0] + 1]
    nbformat.write(notebook, copy)
    done = papermill.execute_notebook(str(copy), str(copy), cwd=str(FOLDER), progress_bar=False)
    said = "".join(output.get("text", "") for output in done.cells[-1].outputs)
    assert "resnet18, the choice of 02" in said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_counts_of_the_first_notebook_are_those_of_the_dataset(real_data: Path, tmp_path: Path) -> None:
    path = FOLDER / "01_explore.ipynb"
    assert sum(EXACT in tags(cell) for cell in load_cells(path)) >= 5
    here = f"{len(list_files(find_dataset(real_data))):,} files, "
    said = [output.get("text", "") for output in load_outputs(path)]
    if not any(text.startswith(here) for text in said):
        pytest.skip(f"the notebook was run on another copy of the dataset, not one of {here[:-2]}")
    check(prepare(path, tmp_path / path.name, data_dir=str(real_data), max_images=0, n_sample=40))


def test_the_dashboard_is_committed_without_output() -> None:
    cells = load_cells(ROOT / "dashboard.ipynb")
    assert len(cells) <= 4
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
    assert "def " not in "".join(cell.source for cell in cells)
    assert "widgets" not in json.loads((ROOT / "dashboard.ipynb").read_text(encoding="utf-8"))["metadata"]


@pytest.mark.slow
def test_the_dashboard_notebook_runs() -> None:
    check(ROOT / "dashboard.ipynb")
