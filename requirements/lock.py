"""Write the lock files: every package with its version, as pip resolves them from pyproject.toml.

Resolving is left to pip: this reads the report of `pip install --dry-run`, under the settings of the machine.

    python requirements/lock.py             keeps the versions that are locked and adds what is new
    python requirements/lock.py --upgrade   takes the newest versions that fit together
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

HERE = Path(__file__).parent
BUILD = ["hatchling"]  # builds the editable install, at a version that is locked too
OLDEST = "3.11.0"  # every version must install there; Debian 12 has Python 3.11.2
# A CUDA build of torch draws these in itself; pinning them would force them on machines without a GPU.
CUDA = re.compile(r"^(nvidia-|cuda-|triton$)")
FROM_CONDA = {"torch", "torchvision"}  # Binder has them from conda, where there are builds without CUDA
HEADER = """# {title}
# Written by `make lock` (requirements/lock.py) from pyproject.toml with Python {python}. Do not edit by hand.
"""


def load_requirements() -> tuple[list[str], list[str], list[str]]:
    """Return what pyproject.toml asks for: (for serving, for the study too, for everything)."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    serve, extras = project["dependencies"] + BUILD, project["optional-dependencies"]
    study = serve + extras["study"]
    return serve, study, study + [line for line in extras["test"] if not line.startswith(project["name"])]


def load_lock(path: Path) -> dict[str, str]:
    """Return name -> constraint, such as `==1.2.3`, of what is locked in `path`, if it is there."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name: f"=={version}" for name, _, version in (line.partition("==") for line in lines) if version}


def ask_pip(requirements: list[str], constraints: dict[str, str], *options: str) -> list[dict]:
    """Return the metadata of all that pip would install for `requirements` into an empty environment."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", *options]
    with tempfile.TemporaryDirectory() as folder:
        report, limits = Path(folder) / "report.json", Path(folder) / "constraints.txt"
        limits.write_text("".join(f"{name}{limit}\n" for name, limit in constraints.items()))
        command += ["--constraint", str(limits), "--report", str(report)]
        subprocess.run([*command, *requirements], check=True)
        return [entry["metadata"] for entry in json.loads(report.read_text())["install"]]


def find_for_oldest(names: list[str]) -> dict[str, str]:
    """Return name -> constraint: the newest version of each package that the oldest Python can install."""
    options = ["--no-deps", "--only-binary=:all:", "--target=unused", f"--python-version={OLDEST}"]
    return {one["name"]: f"=={one['version']}" for one in ask_pip(names, {}, *options)}


def resolve(requirements: list[str], constraints: dict[str, str]) -> dict[str, str]:
    """Return name -> version of all that `requirements` need, as the oldest Python can install it."""
    found = ask_pip(requirements, constraints)
    too_new = [one["name"] for one in found if OLDEST not in SpecifierSet(one.get("requires_python", ""))]
    if too_new:
        older = find_for_oldest(too_new)
        print(f"For Python {OLDEST}: " + ", ".join(f"{name}{version}" for name, version in older.items()))
        return resolve(requirements, constraints | older)
    # "2.13.0+cpu" is one build of 2.13.0: which build is the machine's choice.
    return {one["name"]: one["version"].split("+")[0] for one in found}


def write_lock(path: Path, title: str, versions: dict[str, str]) -> None:
    """Write `versions` as pip's pins, in the order of their names."""
    names = sorted((name for name in versions if not CUDA.match(name)), key=str.lower)
    pins = [f"{name}=={versions[name]}\n" for name in names]
    python = ".".join(map(str, sys.version_info[:2]))
    path.write_text(HEADER.format(title=title, python=python) + "".join(pins), encoding="utf-8")
    print(f"{path.relative_to(HERE.parent)}: {len(pins)} packages")


def main() -> None:
    """Resolve everything first, then its parts with the same versions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = parser.parse_args().upgrade
    test, serve = HERE / "test.txt", HERE / "serve.txt"
    for_serving, for_studying, for_everything = load_requirements()
    versions = resolve(for_everything, {} if upgrade else load_lock(test))
    write_lock(test, "Everything: serving, the study and the tests.", versions)
    write_lock(serve, "What serving needs: no torch.", resolve(for_serving, load_lock(test)))
    versions = resolve(for_studying, load_lock(test))
    write_lock(
        HERE.parent / "binder" / "requirements.txt",
        "What serving and the study need, for Binder; torch and torchvision are in environment.yml.",
        {name: version for name, version in versions.items() if name not in FROM_CONDA},
    )


if __name__ == "__main__":
    main()
