"""Holds that what is installed is what is declared: pins, extras, the wheel's content, and the README's tree.

Installing from nothing is left to `make dashboard` and `make test` themselves.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import blood_lib
from tests import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
FROM_CONDA = {"torch", "torchvision"}  # there they have builds without CUDA


def load_lock(name: str) -> list[tuple[Requirement, int]]:
    """Each pin of a lock file below the top of the checkout, and the number of its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split("--hash=sha256:") for line in text.splitlines() if not line.startswith("#")]
    return [(Requirement(pin), len(hashes)) for pin, *hashes in lines]


def load_pins(name: str) -> dict[str, str]:
    """Canonical package name -> version, whatever the system."""
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin, _ in load_lock(name)}


def requirements(lines: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines if not line.startswith(PROJECT["name"])]


def make(*arguments: str) -> str:
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        ("requirements/serve.txt", PROJECT["dependencies"]),
        ("requirements/test.txt", PROJECT["dependencies"] + EXTRAS["study"] + EXTRAS["test"]),
    ],
)
def test_each_direct_dependency_is_locked_for_every_system_at_a_version_it_allows(
    lock: str, asked: list[str]
) -> None:
    pins = load_pins(lock)
    for_some = {canonicalize_name(pin.name) for pin, _ in load_lock(lock) if pin.marker}
    for requirement in requirements(asked):
        name = canonicalize_name(requirement.name)
        assert name not in for_some and requirement.specifier.contains(pins[name]), requirement


@pytest.mark.parametrize(
    "lock", ["requirements/serve.txt", "requirements/test.txt", "binder/requirements.txt"]
)
def test_a_package_has_one_version_on_every_system(lock: str) -> None:
    assert len(load_lock(lock)) == len(load_pins(lock))


def test_all_that_serving_installs_is_known_by_its_hash() -> None:
    assert [pin.name for pin, n_hashes in load_lock("requirements/serve.txt") if not n_hashes] == []
    steps = make("--dry-run", "--always-make", "dashboard")
    assert "--require-hashes --requirement requirements/serve.txt" in steps


def test_serving_is_a_part_of_the_test_environment() -> None:
    assert load_pins("requirements/serve.txt").items() <= load_pins("requirements/test.txt").items()


def test_serving_installs_no_torch() -> None:
    study = {"torch", "torchvision", "fastai", "matplotlib", "pandas", "plotly"}
    assert not study & load_pins("requirements/serve.txt").keys()


def test_no_build_for_one_kind_of_machine_is_locked() -> None:
    pins = load_pins("requirements/test.txt")
    assert not [name for name in pins if name.startswith(("nvidia-", "cuda-", "triton"))]
    assert not [version for version in pins.values() if "+" in version]


def load_environment(name: str) -> tuple[list[Requirement], list[str]]:
    """(what conda installs but Python and pip, what pip installs) of an environment file."""
    lines = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["dependencies"]
    assert lines[:2] == ["python=3.11", "pip"]
    pip = [line for one in lines if isinstance(one, dict) for line in one["pip"]]
    return [Requirement(line) for line in lines[2:] if isinstance(line, str)], pip


@pytest.mark.parametrize("name", ["environment.yml", "binder/environment.yml"])
def test_conda_has_the_study_s_torch_without_cuda(name: str) -> None:
    pins = load_pins("requirements/test.txt")
    from_conda = {one.name.removeprefix("py").removesuffix("-cpu"): one for one in load_environment(name)[0]}
    assert from_conda.keys() == FROM_CONDA and from_conda["torch"].name == "pytorch-cpu"
    assert all(one.specifier.contains(pins[package]) for package, one in from_conda.items())


def test_binder_installs_what_serving_and_the_study_need_but_what_conda_brings() -> None:
    pins = load_pins("binder/requirements.txt")
    assert load_pins("requirements/serve.txt").items() <= pins.items()
    assert pins.items() <= load_pins("requirements/test.txt").items()
    asked = {canonicalize_name(one.name) for one in requirements(EXTRAS["study"])}
    assert asked - pins.keys() == FROM_CONDA and not FROM_CONDA & pins.keys()


def close(line: str) -> str:
    """A requirement that ends before the next major version after the one that is locked."""
    requirement = Requirement(line)
    major = Version(load_pins("requirements/test.txt")[canonicalize_name(requirement.name)]).major
    return line if "==" in line else f"{line},<{major + 1}"


def test_conda_installs_the_direct_dependencies_of_the_study_and_no_later_major_version() -> None:
    nbval = [line for line in EXTRAS["test"] if line.startswith("nbval")]
    asked = [
        line
        for line in PROJECT["dependencies"] + EXTRAS["study"] + nbval
        if canonicalize_name(Requirement(line).name) not in FROM_CONDA
    ]
    assert load_environment("environment.yml")[1] == [*map(close, asked), "-e ."]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    return set(zipfile.ZipFile(next(folder.glob("*.whl"))).namelist())


def test_the_wheel_has_every_file_of_the_library(wheel: set[str]) -> None:
    done = subprocess.run(["git", "ls-files", "-z", "blood_lib"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    tracked = {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}
    assert tracked - wheel == set()


def test_the_wheel_has_the_model_and_the_notebook_that_is_served(wheel: set[str]) -> None:
    assert {"blood_lib/bundles/pbc/model.onnx", "blood_lib/dashboard/dashboard.ipynb"} <= wheel


def test_the_wheel_has_nothing_else(wheel: set[str]) -> None:
    metadata = f"blood_cells-{blood_lib.__version__}.dist-info"
    assert {name.split("/")[0] for name in wheel} == {"blood_lib", metadata}


def test_make_alone_lists_what_it_can_do() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    listed = [line.split()[0] for line in make().splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(targets[1].split())


def test_the_dashboard_is_installed_without_the_study() -> None:
    steps = make("--dry-run", "--always-make", "dashboard")
    assert "requirements/serve.txt" in steps
    assert "requirements/test.txt" not in steps


def test_the_workflow_runs_all_tests_on_the_oldest_python_with_actions_at_fixed_versions() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["test"]["steps"]
    assert ".ci/run" in [step.get("run") for step in steps]
    assert all(re.search(r"@v\d+\.\d+\.\d+$", step["uses"]) for step in steps if "uses" in step)
    pythons = [step["with"]["python-version"] for step in steps if "python-version" in step.get("with", {})]
    assert PROJECT["requires-python"] == f">={pythons[0]}"


def test_the_ci_checks_code_first_and_stops_where_that_fails(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))  # and no apt-get: nothing is installed
    made = tmp_path / "make"
    for fails, asked in (("nothing", ["lint", "test"]), ("lint", ["lint"])):
        made.write_text(f'#!/bin/bash\necho "made $1"\n[ "$1" != {fails} ]\n')
        made.chmod(0o755)
        bash, path = shutil.which("bash"), {"PATH": str(tmp_path)}
        done = subprocess.run([bash, ROOT / ".ci/run"], env=path, capture_output=True, text=True)
        assert re.findall(r"^made (\w+)$", done.stdout, re.M) == asked
        assert (done.returncode == 0) == (fails == "nothing")


def readme_tree() -> set[str]:
    """The paths in README's tree: a code block of lines `path   what it is`, indented below their folder."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```text\n(README\.md.*?)```", readme, re.DOTALL)
    paths, parents = set(), []
    for line in block[1].splitlines():
        name = line.split()[0]
        del parents[(len(line) - len(line.lstrip())) // 2 :]
        paths.add("".join(parents) + name)
        parents.append(name)
    return paths


def test_every_path_in_the_readme_is_there() -> None:
    tree = readme_tree()
    assert "blood_lib/study/" in tree
    assert not [path for path in tree if not (ROOT / path).exists()]


def test_the_citation_names_this_version_and_the_dataset() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == blood_lib.__version__ and citation["license"] == PROJECT["license"]
    assert "10.17632/snkd93bnjr.1" in [one["doi"] for one in citation["references"]]
