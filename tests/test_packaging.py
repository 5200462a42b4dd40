"""Holds that what is installed is what is declared: pins, extras, the wheel's content, and the README's tree.

Installing from nothing is left to `make dashboard` and `make test` themselves.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import blood_lib
from tests import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def load_pins(name: str) -> dict[str, str]:
    """Canonical package name -> version, from a lock file below the top of the checkout."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(package): version for package, version in pins}


def requirements(lines: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines if not line.startswith(PROJECT["name"])]


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        ("requirements/serve.txt", PROJECT["dependencies"]),
        ("requirements/test.txt", PROJECT["dependencies"] + EXTRAS["study"] + EXTRAS["test"]),
    ],
)
def test_each_direct_dependency_is_locked_at_a_version_it_allows(lock: str, asked: list[str]) -> None:
    pins = load_pins(lock)
    for requirement in requirements(asked):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_serving_is_a_part_of_the_test_environment() -> None:
    assert load_pins("requirements/serve.txt").items() <= load_pins("requirements/test.txt").items()


def test_serving_installs_no_torch() -> None:
    study = {"torch", "torchvision", "fastai", "matplotlib", "pandas", "plotly"}
    assert not study & load_pins("requirements/serve.txt").keys()


def test_no_build_for_one_kind_of_machine_is_locked() -> None:
    pins = load_pins("requirements/test.txt")
    assert not [name for name in pins if name.startswith(("nvidia-", "cuda-", "triton"))]
    assert not [version for version in pins.values() if "+" in version]


def test_binder_installs_what_serving_and_the_study_need_and_no_torch_with_cuda() -> None:
    pins = load_pins("binder/requirements.txt").items()
    assert load_pins("requirements/serve.txt").items() <= pins <= load_pins("requirements/test.txt").items()
    environment = yaml.safe_load((ROOT / "binder/environment.yml").read_text(encoding="utf-8"))
    from_conda = {line.partition(">=")[0].removesuffix("-cpu") for line in environment["dependencies"]}
    assert from_conda >= {"pytorch", "torchvision"} and not {"torch", "torchvision"} & dict(pins).keys()
    asked = {canonicalize_name(one.name) for one in requirements(EXTRAS["study"])}
    assert asked - dict(pins).keys() == {"torch", "torchvision"}


def test_conda_installs_the_direct_dependencies_of_the_study() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *lines, project = environment["dependencies"][-1]["pip"]
    assert project == "-e ."
    assert lines == PROJECT["dependencies"] + EXTRAS["study"]


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


def make(*arguments: str) -> str:
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_make_alone_lists_what_it_can_do() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    listed = [line.split()[0] for line in make().splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(targets[1].split())


def test_the_dashboard_is_installed_without_the_study() -> None:
    steps = make("--dry-run", "--always-make", "dashboard")
    assert "requirements/serve.txt" in steps
    assert "requirements/test.txt" not in steps


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
