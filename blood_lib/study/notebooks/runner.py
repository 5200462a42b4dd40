"""Runs the study's notebooks in order, in a profile, and leaves copies, pages and an index in a folder.

`profiles` chooses the parameters, `run_folder` keeps the folder, and `publishing` prepares copies to commit.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Any

from blood_lib.files.errors import BloodError
from blood_lib.study.notebooks.profiles import (
    PROFILES,
    check_all,
    check_parameters,
    list_notebooks,
    load_defaults,
    plan,
)
from blood_lib.study.notebooks.publishing import publish_notebook
from blood_lib.study.notebooks.run_folder import Done, RunFolder, find_last_begun, first_line, write_page

__all__ = ["run_notebook", "run_study"]


def run_notebook(
    notebook: Path,
    out_dir: Path,
    parameters: Mapping[str, Any],
    *,
    beside: Sequence[str] = (),
    progress: bool = False,
) -> Done:
    """Runs a copy of `notebook` in its own folder, writes it and its HTML page into `out_dir`.

    beside: the names of the notebooks that have their page there, too. progress: shows a bar of the cells.
    What a notebook writes to stderr, as trainings do for each epoch, goes to stderr here, too.

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
            stderr_file=sys.stderr,  # where trainings report each epoch
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no warning that its sockets are local
        )
    except papermill.PapermillExecutionError as error:
        page()
        raise BloodError(_describe_failure(notebook, copy, error)) from error
    except NoSuchKernel as error:
        raise BloodError(f"{notebook.name} has no kernel ({error}): install ipykernel.") from error
    except RuntimeError as error:
        page()
        raise BloodError(_describe_lost_kernel(notebook, copy, error)) from error
    return Done(copy, page(), parameters, time.monotonic() - began)


def _describe_failure(notebook: Path, copy: Path, error: Any) -> str:
    first = first_line(error.source)
    return (
        f"{notebook.name} failed in cell [{error.exec_count}], which begins with {first!r}: "
        f"{error.ename}: {error.evalue}. What was done until then is in {copy}."
    )


def _describe_lost_kernel(notebook: Path, copy: Path, error: Exception) -> str:
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
    parameters: Mapping[str, Any] | None = None,
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
    check_all(notebooks, parameters or {})  # typos stop it before it runs
    plans = [(path, plan(path, profile, parameters or {})) for path in notebooks]
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


def _describe_start(profile: str, plans: Iterable[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    """When a run begins, on what and with which parameters: so much is known of one that is stopped."""
    from blood_lib.study.environment import describe_machine

    found: dict[
        tuple[Any, ...], dict[str, str]
    ] = {}  # the notebooks of a profile have few samples of the dataset
    data: dict[str, dict[str, str]] = {}
    parameters: dict[str, dict[str, Any]] = {}
    for path, settings in plans:
        values = parameters[path.stem] = {**load_defaults(path), **settings}
        if "max_images" in values:  # of single cells; fields are described by their notebook
            key = (path.parent, values["data_dir"], values["max_images"], values["seed"])
            if key not in found:
                found[key] = _describe_data(*key)
            data[path.stem] = found[key]
    began = time.strftime("%Y-%m-%d %H:%M:%S %z")
    machine = describe_machine()
    return {"time": began, "profile": profile, "machine": machine, "data": data, "parameters": parameters}


def _describe_data(folder: Path, data_dir: str, max_images: int, seed: int) -> dict[str, str]:
    """The images that a notebook in `folder` will find, and the hashes of files and split."""
    from blood_lib.study.data.dataset import open_dataset
    from blood_lib.study.data.split import build_split
    from blood_lib.study.notebooks.provenance import hash_data

    with chdir(folder):
        data = open_dataset(data_dir, max_images=max_images, seed=seed)
    return hash_data(data, build_split(data.index))
