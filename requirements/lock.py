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

HERE = Path(__file__).parent
# What the editable install is built with, at versions that are locked too.
BUILD = ["hatchling"]
# A CUDA build of torch draws these in itself; pinning them would force them on machines without a GPU.
CUDA = re.compile(r"^(nvidia-|cuda-|triton$)")
HEADER = """# {title}
# Written by `make lock` (requirements/lock.py) from pyproject.toml with Python {python}. Do not edit by hand.
"""


def load_requirements() -> tuple[list[str], list[str]]:
    """Return what pyproject.toml asks for: (for serving, for everything)."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    serve = project["dependencies"] + BUILD
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    return serve, serve + [line for line in extras if not line.startswith(project["name"])]


def resolve(requirements: list[str], constraints: Path | None) -> dict[str, str]:
    """Return name -> version of all that pip would install for `requirements` into an empty environment."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    command += ["--constraint", str(constraints)] if constraints else []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run([*command, "--report", str(report), *requirements], check=True, cwd=HERE.parent)
        found = [entry["metadata"] for entry in json.loads(report.read_text())["install"]]
    # "2.13.0+cpu" is one build of 2.13.0: which build is the machine's choice.
    return {entry["name"]: entry["version"].split("+")[0] for entry in found}


def write_lock(path: Path, title: str, versions: dict[str, str]) -> None:
    """Write `versions` as pip's pins, in the order of their names."""
    names = sorted((name for name in versions if not CUDA.match(name)), key=str.lower)
    pins = [f"{name}=={versions[name]}\n" for name in names]
    python = ".".join(map(str, sys.version_info[:2]))
    path.write_text(HEADER.format(title=title, python=python) + "".join(pins))
    print(f"{path.relative_to(HERE.parent)}: {len(pins)} packages")


def main() -> None:
    """Resolve everything first, then serving with the same versions: it is a part of the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--constraint", type=Path, help="versions to prefer to those locked (pip's format)")
    options = parser.parse_args()
    test, serve = HERE / "test.txt", HERE / "serve.txt"
    kept = options.constraint or (test if test.exists() and not options.upgrade else None)
    for_serving, for_everything = load_requirements()
    write_lock(test, "Everything: serving, the study and the tests.", resolve(for_everything, kept))
    versions = resolve(for_serving, test)
    write_lock(serve, "What serving needs: no torch.", versions)
    # Binder reads nothing outside its folder, so it has a copy.
    write_lock(HERE.parent / "binder" / "requirements.txt", "What serving needs, for Binder.", versions)


if __name__ == "__main__":
    main()
