"""Runs the study's notebooks in order, each in a profile, and leaves copies, pages and an index in a folder.

What is in them is left to the notebooks; what they compute to the rest of this package; what the folder looks
like to `run_folder`, and what of it may be committed to `publishing`.
"""

import ast
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import chdir
from functools import partial
from pathlib import Path

from blood_lib.files.errors import BloodError
from blood_lib.study.notebooks.publishing import publish_notebook
from blood_lib.study.notebooks.run_folder import Done, RunFolder, find_last_begun, first_line, write_page

__all__ = [
    "PROFILES",
    "TOLD",
    "check_parameters",
    "list_notebooks",
    "load_profile",
    "run_notebook",
    "run_study",
]

PROFILES = ("quick", "cpu", "full")
TOLD = {"data_dir", "out_dir", "profile"}  # what other options of a run set, where a notebook asks for it


def list_notebooks(folder: Path) -> list[Path]:
    """The numbered notebooks of `folder` in order; BloodError when there are none."""
    notebooks = sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        raise BloodError(
            f"No notebooks such as 01_explore.ipynb are in {folder}: run this at the top of a checkout, "
            "or name their folder with --notebooks."
        )
    return notebooks


def load_profile(notebook: Path, profile: str) -> dict:
    """The parameters of `notebook` in `profile`: PROFILE/NAME.yaml beside it, {} where there is none.

    BloodError when one of them is no parameter of the notebook.
    """
    import yaml

    file = notebook.parent / profile / f"{notebook.stem}.yaml"
    parameters = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.is_file() else {}
    check_parameters(notebook, parameters)
    return parameters


def check_parameters(notebook: Path, parameters: Mapping) -> None:
    """BloodError when `notebook` lacks one of `parameters`, of which papermill would only warn."""
    import papermill

    known = papermill.inspect_notebook(str(notebook))
    if unknown := sorted(set(parameters) - set(known)):
        raise BloodError(
            f"{notebook.name} has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}."
        )


def run_notebook(
    notebook: Path,
    out_dir: Path,
    parameters: Mapping,
    *,
    beside: Sequence[str] = (),
    progress: bool = False,
) -> Done:
    """Runs a copy of `notebook` in its own folder, writes it and its HTML page into `out_dir`.

    `beside`: the names of the notebooks that have their page there, too. What a notebook says on stderr, as
    trainings do of each epoch, is said here, too; `progress`: with a bar of its cells.

    BloodError when a cell fails or ends the kernel: it names the cell, and copy and page hold all results up
    to it.
    """
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel

    check_parameters(notebook, parameters)
    copy, began = out_dir / notebook.name, time.monotonic()
    page = partial(write_page, copy, notebook.parent, beside)
    copy.with_suffix(".html").unlink(missing_ok=True)  # of an earlier run: it would be taken for this one's
    try:
        papermill.execute_notebook(
            str(notebook),
            str(copy),
            dict(parameters),
            cwd=str(notebook.parent),
            kernel_name="python3",
            progress_bar=progress,
            stderr_file=sys.stderr,  # where trainings tell of each epoch
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no warning that its sockets are local
        )
    except papermill.PapermillExecutionError as error:
        page()
        raise BloodError(_tell_failure(notebook, copy, error)) from error
    except NoSuchKernel as error:
        raise BloodError(f"{notebook.name} has no kernel ({error}): install ipykernel.") from error
    except RuntimeError as error:
        page()
        raise BloodError(_tell_lost_kernel(notebook, copy, error)) from error
    return Done(copy, page(), parameters, time.monotonic() - began)


def _tell_failure(notebook: Path, copy: Path, error) -> str:
    first = first_line(error.source)
    return (
        f"{notebook.name} failed in cell [{error.exec_count}], which begins with {first!r}: "
        f"{error.ename}: {error.evalue}. What was done until then is in {copy}."
    )


def _tell_lost_kernel(notebook: Path, copy: Path, error: Exception) -> str:
    if begun := find_last_begun(copy):
        return (
            f"{notebook.name} lost its kernel ({error}) in the cell that begins with {begun!r}: is there "
            f"enough memory? What was done until then is in {copy}."
        )
    return f"{notebook.name} got no kernel ({error}): is ipykernel sound, and the machine not too busy?"


def run_study(
    folder: Path,
    out_dir: Path,
    *,
    profile: str = "quick",
    parameters: Mapping | None = None,
    only: Sequence[str] = (),
    resume: bool = False,
    publish: bool = False,
    say: Callable[[str], None] = print,
) -> list[Done]:
    """Runs the notebooks of `folder` in order into the new folder `out_dir`; the index page grows with each.

    What they run on, and with which parameters, is written down before the first begins. `parameters` go to
    every notebook that has them; one that none has is an error, but for `data_dir`, `out_dir` and `profile`.
    `only`: beginnings of the names to run. `resume`: `out_dir` may be there, and its trainings go on where
    they were cut off. `publish`: each notebook is replaced by its executed copy, see `publish_notebook`.
    BloodError as in `run_notebook`; what was done stays.
    """
    if profile not in PROFILES:
        raise BloodError(f"There is no profile {profile!r}; choose one of {', '.join(PROFILES)}.")
    notebooks = [path for path in list_notebooks(folder) if not only or path.name.startswith(tuple(only))]
    if not notebooks:
        raise BloodError(f"{folder} has no notebook that begins with {' or '.join(only)}.")
    _check_all(notebooks, parameters or {})  # typos stop it before it runs
    plans = [(path, _plan(path, profile, parameters or {})) for path in notebooks]
    try:
        out_dir.mkdir(parents=True, exist_ok=resume)
    except FileExistsError as error:
        raise BloodError(f"{out_dir} is there: name another folder, or go on in it with --resume.") from error
    except OSError as error:
        raise BloodError(f"{out_dir} cannot be made: {error.strerror}; name another folder.") from error
    run = RunFolder.open(out_dir, profile, again=[path.name for path in notebooks])
    run.starts.append(_describe_start(profile, plans))
    run.save()
    beside = sorted({path.name for path in notebooks} | {one.notebook.name for one in run.done})
    for number, (path, settings) in enumerate(plans, start=1):
        say(f"{number} of {len(plans)}: {path.stem} ...")
        try:
            done = run_notebook(path, out_dir, settings, beside=beside, progress=sys.stderr.isatty())
        except BloodError as error:
            run.error, run.failed = str(error), path.name
            run.save()
            raise
        say(f"    {done.seconds:.0f} s")
        run.done.append(done)
        run.save()
        if publish:
            publish_notebook(done.notebook, path)
    return run.done


def _check_all(notebooks: Sequence[Path], parameters: Mapping) -> None:
    """BloodError when one of `parameters` is in none of the notebooks."""
    import papermill

    known = set().union(*(papermill.inspect_notebook(str(path)) for path in notebooks))
    if unknown := sorted(set(parameters) - known - TOLD):
        names = ", ".join(sorted(known))
        raise BloodError(f"No notebook of this run has a parameter {', '.join(unknown)}; there are {names}.")


def _describe_start(profile: str, plans: Iterable[tuple[Path, Mapping]]) -> dict:
    """When a run begins, on what and with which parameters: so much is known of one that is stopped."""
    from blood_lib.study.data.provenance import describe_machine

    found: dict[tuple, dict] = {}  # the notebooks of a profile have few samples of the dataset
    data, parameters = {}, {}
    for path, settings in plans:
        values = parameters[path.stem] = _load_defaults(path) | settings
        if "data_dir" in values:
            key = (path.parent, values["data_dir"], values["max_images"], values["seed"])
            if key not in found:
                found[key] = _describe_data(*key)
            data[path.stem] = found[key]
    began = time.strftime("%Y-%m-%d %H:%M:%S %z")
    machine = describe_machine()
    return {"time": began, "profile": profile, "machine": machine, "data": data, "parameters": parameters}


def _load_defaults(notebook: Path) -> dict:
    import papermill

    known = papermill.inspect_notebook(str(notebook)).values()
    return {one["name"]: ast.literal_eval(one["default"]) for one in known}


def _describe_data(folder: Path, data_dir: str, max_images: int, seed: int) -> dict[str, str]:
    """The images that a notebook in `folder` will find, and the hashes of files and split."""
    from blood_lib.study.data.dataset import open_dataset
    from blood_lib.study.data.provenance import hash_data
    from blood_lib.study.data.split import build_split

    with chdir(folder):
        data = open_dataset(data_dir, max_images=max_images, seed=seed)
    return hash_data(data, build_split(data.index))


def _plan(notebook: Path, profile: str, parameters: Mapping) -> dict:
    """What `notebook` is run with: `profile`, `parameters` where it has them, and the name of the profile."""
    known = _load_defaults(notebook)
    wanted = load_profile(notebook, profile) | {k: v for k, v in parameters.items() if k in known}
    planned = {name: _fit(notebook, name, value, known[name]) for name, value in wanted.items()}
    if "profile" in known:
        told = {name: value for name, value in planned.items() if name not in TOLD}
        planned["profile"] = _describe_profile(profile, told)
    return planned


def _describe_profile(profile: str, settings: Mapping) -> str:
    """The name of a profile and what is set in a notebook, for that cell is not published; no whole path."""
    listed = ", ".join(
        f"{name} = {Path(value).name if name.endswith('_dir') else value}" for name, value in settings.items()
    )
    return f"{profile}: {listed}" if listed else profile


def _fit(notebook: Path, name: str, value: object, default: object) -> object:
    """`value` as the notebook has `default`: a number where that is one (YAML takes 1e-3 for a text)."""
    if isinstance(default, float) and not isinstance(value, bool):
        try:
            return float(value)
        except (TypeError, ValueError):
            pass  # told below
    elif type(value) is type(default):
        return value
    raise BloodError(f"{notebook.name} has {name} = {default!r}: {value!r} is nothing of that kind.")
