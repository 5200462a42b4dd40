"""Runs the study's notebooks in order, each in a profile, and leaves copies, pages and an index in a folder.

What is in them is left to the notebooks; what they compute to the rest of this package.
"""

import argparse
import base64
import hashlib
import html
import io
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blood_lib import BloodError

__all__ = [
    "PROFILES",
    "Run",
    "add_parser",
    "check_parameters",
    "hash_sources",
    "list_notebooks",
    "load_profile",
    "publish_notebook",
    "run_notebook",
    "run_study",
]

PROFILES = ("quick", "cpu", "full")

_WIDGET = "application/vnd.jupyter.widget-view+json"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The study</title>
<style>
  body {{ font-family: sans-serif; margin: 2em auto; max-width: 60em }}
  td, th {{ padding: .2em 1em; text-align: left }}
</style>
<h1>The study, profile {profile}</h1>
{stopped}
<table>{rows}</table>
{tables}
</html>
"""


@dataclass(frozen=True)
class Run:
    """One notebook that was run."""

    notebook: Path
    """The executed copy."""
    page: Path
    """The same as HTML."""
    parameters: Mapping
    seconds: float


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


def run_notebook(notebook: Path, out_dir: Path, parameters: Mapping, *, progress: bool = False) -> Run:
    """Runs a copy of `notebook` in its own folder, writes it and its HTML page into `out_dir`.

    BloodError when a cell fails: it names the cell, and the copy holds all results up to it.
    """
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel

    check_parameters(notebook, parameters)
    copy, began = out_dir / notebook.name, time.monotonic()
    try:
        papermill.execute_notebook(
            str(notebook),
            str(copy),
            dict(parameters),
            cwd=str(notebook.parent),
            kernel_name="python3",
            progress_bar=progress,
            stderr_file=sys.stderr if progress else None,  # where trainings tell of each epoch
        )
    except papermill.PapermillExecutionError as error:
        _write_page(copy)
        raise BloodError(_tell_failure(notebook, copy, error)) from error
    except (RuntimeError, NoSuchKernel) as error:
        raise BloodError(
            f"{notebook.name} lost its kernel ({error}). Is there enough memory, and is ipykernel installed?"
        ) from error
    return Run(copy, _write_page(copy), parameters, time.monotonic() - began)


def _tell_failure(notebook: Path, copy: Path, error) -> str:
    first = next((line for line in error.source.splitlines() if line.strip()), "")
    return (
        f"{notebook.name} failed in cell [{error.exec_count}], which begins with {first!r}: "
        f"{error.ename}: {error.evalue}. What was done until then is in {copy}."
    )


def _write_page(copy: Path) -> Path:
    from nbconvert import HTMLExporter

    page = copy.with_suffix(".html")
    body, _ = HTMLExporter().from_filename(str(copy))
    page.write_text(body, encoding="utf-8")
    return page


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
) -> list[Run]:
    """Runs the notebooks of `folder` in order into the new folder `out_dir`; the index page grows with each.

    `parameters` go to every notebook that has them. `only`: beginnings of the names to run. `resume`:
    `out_dir` may be there, and its trainings go on where they were cut off. `publish`: each notebook is
    replaced by its executed copy, see `publish_notebook`. BloodError as in `run_notebook`; what was done
    stays.
    """
    if profile not in PROFILES:
        raise BloodError(f"There is no profile {profile!r}; choose one of {', '.join(PROFILES)}.")
    notebooks = [path for path in list_notebooks(folder) if not only or path.name.startswith(tuple(only))]
    if not notebooks:
        raise BloodError(f"{folder} has no notebook that begins with {' or '.join(only)}.")
    plans = [
        (path, _plan(path, profile, parameters or {})) for path in notebooks
    ]  # typos stop it before it runs
    try:
        out_dir.mkdir(parents=True, exist_ok=resume)
    except FileExistsError as error:
        raise BloodError(f"{out_dir} is there: name another folder, or go on in it with --resume.") from error
    except OSError as error:
        raise BloodError(f"{out_dir} cannot be made: {error.strerror}; name another folder.") from error
    runs = _load_runs(out_dir, [path for path, _ in plans]) if resume else []
    for number, (path, settings) in enumerate(plans, start=1):
        say(f"{number} of {len(plans)}: {path.stem} ...")
        try:
            runs.append(run_notebook(path, out_dir, settings, progress=sys.stderr.isatty()))
        except BloodError as error:
            _write_index(out_dir, profile, runs, str(error))
            raise
        say(f"    {runs[-1].seconds:.0f} s")
        _write_index(out_dir, profile, runs)
        if publish:
            publish_notebook(runs[-1].notebook, path)
    return runs


def _load_runs(out_dir: Path, again: Sequence[Path]) -> list[Run]:
    """What an earlier call left in `out_dir`, but for the notebooks that are run `again`."""
    file = out_dir / "run.json"
    rows = json.loads(file.read_text(encoding="utf-8"))["notebooks"] if file.is_file() else []
    kept = [row for row in rows if row["name"] not in {path.name for path in again}]
    copies = [out_dir / row["name"] for row in kept]
    return [
        Run(copy, copy.with_suffix(".html"), row["parameters"], row["seconds"])
        for copy, row in zip(copies, kept, strict=True)
    ]


def _plan(notebook: Path, profile: str, parameters: Mapping) -> dict:
    """What `notebook` is run with: `profile`, `parameters` where it has them, and the name of the profile."""
    import papermill

    settings = load_profile(notebook, profile)
    told = {name: value for name, value in settings.items() if name not in parameters}
    common = {"profile": _describe_profile(profile, told), **parameters}
    known = papermill.inspect_notebook(str(notebook))
    return settings | {name: value for name, value in common.items() if name in known}


def _describe_profile(profile: str, settings: Mapping) -> str:
    """The name of a profile, and what it sets in a notebook: that cell is not published."""
    listed = ", ".join(f"{name} = {value}" for name, value in settings.items())
    return f"{profile}: {listed}" if listed else profile


def _write_index(out_dir: Path, profile: str, runs: Sequence[Run], error: str = "") -> None:
    """run.json, and index.html: each notebook's link, time and key tables, and what stopped the run."""
    runs = sorted(runs, key=lambda run: run.notebook.name)
    rows = "".join(
        f'<tr><td><a href="{run.page.name}">{html.escape(_title(run.notebook))}</a></td>'
        f"<td>{run.seconds:.0f} s</td></tr>"
        for run in runs
    )
    tables = "".join(
        f"<h2>{html.escape(_title(run.notebook))}</h2>{table}"
        for run in runs
        for table in _find_outputs(run.notebook, "key")
    )
    record = [
        {"name": run.notebook.name, "seconds": round(run.seconds, 1), "parameters": dict(run.parameters)}
        for run in runs
    ]
    text = json.dumps({"profile": profile, "notebooks": record, "error": error}, indent=1)
    (out_dir / "run.json").write_text(text, encoding="utf-8")
    stopped = f"<p><strong>Stopped:</strong> {html.escape(error)}</p>" if error else ""
    page = _PAGE.format(profile=html.escape(profile), stopped=stopped, rows=rows, tables=tables)
    (out_dir / "index.html").write_text(page, encoding="utf-8")


def _title(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    first = "".join(cells[0]["source"]).splitlines() if cells else []
    return first[0].lstrip("# ") if first else notebook.stem


def _find_outputs(notebook: Path, tag: str) -> list[str]:
    """The HTML of the tables that cells tagged `tag` show."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [out for cell in cells if tag in _tags(cell) for out in cell.get("outputs", [])]
    return ["".join(out["data"]["text/html"]) for out in outputs if "text/html" in out.get("data", {})]


def _tags(cell: Mapping) -> list[str]:
    return cell["metadata"].get("tags", [])


def publish_notebook(executed: Path, target: Path) -> None:
    """Writes an executed notebook as it may be committed: no output of cells tagged `pixels`, no traces.

    What papermill injected names the folders of one machine, so that goes too. The hash of what was executed
    is kept, to tell when sources are changed later. BloodError when a cell failed.
    """
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in _tags(cell)]
    for cell in notebook.cells:
        for key in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        if any(output.output_type == "error" for output in cell.outputs):
            raise BloodError(
                f"{executed} has a failed cell, [{cell.execution_count}]: mend and run it first."
            )
        cell.outputs = [_shrink(output) for output in cell.outputs if not _is_passing(output)]
        if "pixels" in _tags(cell):
            cell.outputs, cell.execution_count = [], None
    notebook.metadata["executed_sources"] = hash_sources(notebook)
    nbformat.write(notebook, target)


def hash_sources(notebook: Mapping) -> str:
    """sha256, hexadecimal, of the sources of a notebook's code cells."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()


def _shrink(output: Mapping) -> Mapping:
    """A figure in 256 colours takes a third of the room, and a notebook of many has to stay small."""
    from PIL import Image

    if png := output.get("data", {}).get("image/png"):
        figure, file = Image.open(io.BytesIO(base64.b64decode(png))), io.BytesIO()
        figure.convert("RGB").quantize(256).save(file, "PNG", optimize=True)
        output["data"]["image/png"] = base64.b64encode(file.getvalue()).decode()
    return output


def _is_passing(output: Mapping) -> bool:
    """What told of progress while the notebook ran: warnings, and bars, of which only the shell is left."""
    return output.get("name") == "stderr" or _WIDGET in output.get("data", {})


def add_parser(subparsers: "argparse._SubParsersAction") -> None:
    """Registers `blood study`; sets `run(args) -> int`."""
    text = (
        "Run the study's notebooks in order by papermill into a new folder: a copy and an HTML page of each, "
        "and an index. A failed notebook stops the run; what was done stays."
    )
    study = subparsers.add_parser("study", help="run the notebooks of the study", description=text)
    study.add_argument(
        "--profile", choices=PROFILES, default="quick", help="how much to compute (default: quick)"
    )
    study.add_argument(
        "--data", metavar="DIR", type=Path, help="the dataset's folder; drawn cells without any"
    )
    study.add_argument("--out", metavar="DIR", type=Path, help="a new folder (default: runs/DATE_TIME)")
    study.add_argument(
        "--resume", action="store_true", help="go on in the folder --out of a run that was cut off"
    )
    study.add_argument(
        "--publish", action="store_true", help="put the executed copies, as they may be committed, in place"
    )
    study.add_argument("--only", metavar="NUMBER", nargs="+", default=[], help="only these, such as 01 04")
    study.add_argument("--notebooks", metavar="DIR", type=Path, default=Path("notebooks"))
    study.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if args.resume and not args.out:
        raise BloodError("--resume goes on in the folder of a run: name it with --out.")
    out_dir = (args.out or Path("runs") / time.strftime("%Y-%m-%d_%H%M%S")).resolve()
    parameters = {"out_dir": str(out_dir)} | ({"data_dir": str(args.data.resolve())} if args.data else {})
    options = {"only": args.only, "resume": args.resume, "publish": args.publish}
    run_study(args.notebooks, out_dir, profile=args.profile, parameters=parameters, **options)
    print(f"Open {out_dir / 'index.html'}")
    return 0
