"""Profiles: which parameters a notebook runs with, and whether it has them.

`runner` runs the notebooks.
"""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blood_lib.files.errors import BloodError

__all__ = [
    "PROFILES",
    "SET_BY_OPTIONS",
    "Parameters",
    "check_all",
    "check_parameters",
    "list_notebooks",
    "load_defaults",
    "load_profile",
    "plan",
]

Parameters = Mapping[str, Any]
"""Name of a notebook's parameter to its value."""

PROFILES = ("quick", "cpu", "full")
SET_BY_OPTIONS = {"data_dir", "out_dir", "profile"}
"""Parameters that `blood study` sets by --data, --out and --profile."""


def list_notebooks(folder: Path) -> list[Path]:
    """The numbered notebooks of `folder` in order; BloodError when there are none."""
    notebooks = sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        raise BloodError(
            f"No notebooks such as 01_explore.ipynb are in {folder}: run this at the top of a checkout, "
            "or name their folder with --notebooks."
        )
    return notebooks


def load_profile(notebook: Path, profile: str) -> dict[str, Any]:
    """The parameters of `notebook` in `profile`: PROFILE/NAME.yaml beside it, {} where there is none.

    BloodError when one of them is no parameter of the notebook.
    """
    import yaml

    file = notebook.parent / profile / f"{notebook.stem}.yaml"
    parameters = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.is_file() else {}
    check_parameters(notebook, parameters)
    return parameters


def check_parameters(notebook: Path, parameters: Mapping[str, Any]) -> None:
    """BloodError when `notebook` lacks one of `parameters`, of which papermill would only warn."""
    import papermill

    known = papermill.inspect_notebook(str(notebook))
    if unknown := sorted(set(parameters) - set(known)):
        raise BloodError(
            f"{notebook.name} has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}."
        )


def check_all(notebooks: Sequence[Path], parameters: Mapping[str, Any]) -> None:
    """BloodError when one of `parameters` is in none of the notebooks."""
    import papermill

    known = set().union(*(papermill.inspect_notebook(str(path)) for path in notebooks))
    if unknown := sorted(set(parameters) - known - SET_BY_OPTIONS):
        names = ", ".join(sorted(known))
        raise BloodError(f"No notebook of this run has a parameter {', '.join(unknown)}; there are {names}.")


def load_defaults(notebook: Path) -> dict[str, Any]:
    """Name -> value of the parameters as the notebook's own cell sets them."""
    import papermill

    known = papermill.inspect_notebook(str(notebook)).values()
    return {one["name"]: ast.literal_eval(one["default"]) for one in known}


def plan(notebook: Path, profile: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What `notebook` is run with: `profile`, `parameters` where it has them, and the name of the profile."""
    known = load_defaults(notebook)
    wanted = load_profile(notebook, profile) | {k: v for k, v in parameters.items() if k in known}
    planned = {name: _fit(notebook, name, value, known[name]) for name, value in wanted.items()}
    if "profile" in known:
        others = {name: value for name, value in planned.items() if name not in SET_BY_OPTIONS}
        planned["profile"] = _describe_profile(profile, others)
    return planned


def _describe_profile(profile: str, settings: Mapping[str, Any]) -> str:
    """The name of a profile and what is set in a notebook, for that cell is not published; no whole path."""
    listed = ", ".join(
        f"{name} = {Path(value).name if name.endswith('_dir') else value}" for name, value in settings.items()
    )
    return f"{profile}: {listed}" if listed else profile


def _fit(notebook: Path, name: str, value: object, default: object) -> object:
    """`value` as the notebook has `default`: a number where that is one (YAML takes 1e-3 for a text)."""
    if isinstance(default, float) and not isinstance(value, bool):
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            pass  # the error below tells it
    elif type(value) is type(default):
        return value
    raise BloodError(f"{notebook.name} has {name} = {default!r}: {value!r} is nothing of that kind.")
