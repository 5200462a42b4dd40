"""The folder of a run of the notebooks: when it began and on what, what is done, and a page that shows it.

`run.json` and `index.html` are there from the start and grow with each notebook. `runner` runs them.
"""

import html
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from blood_lib.files.output import write_whole

__all__ = ["Done", "RunFolder", "find_last_begun", "first_line", "tags_of", "title_of", "write_page"]

_INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The study</title>
<style>
  body {{ font-family: sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }}
  td, th {{ padding: .2em 1em; text-align: left }}
  .table {{ overflow-x: auto; margin: 1em 0 }}
</style>
<h1>The study, profile {profile}</h1>
{stopped}
<table>{rows}</table>
{tables}
<h2>What it rests on</h2>
{starts}
<p>Versions, parameters and whole hashes: <a href="run.json">run.json</a>.</p>
</html>
"""

_PAGE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""  # without what nbconvert asks other hosts for: formulas, diagrams, and widgets (here: progress bars)


@dataclass(frozen=True)
class Done:
    """One notebook that was run."""

    notebook: Path
    """The executed copy."""
    page: Path
    """The same as HTML."""
    parameters: Mapping[str, Any]
    seconds: float


@dataclass
class RunFolder:
    """What is in the folder `path`; `save` after each change."""

    path: Path
    profile: str
    starts: list[Mapping[str, Any]] = field(default_factory=list)
    """Of each call that worked in the folder: when it began, on what and with what, see `notebooks`."""
    done: list[Done] = field(default_factory=list)
    error: str = ""
    """What stopped the last call."""
    failed: str = ""
    """The name of the notebook that did."""

    @classmethod
    def open(cls, path: Path, profile: str, *, again: Sequence[str] = ()) -> "RunFolder":
        """What earlier calls left in `path`, but for the notebooks that are run `again`."""
        file = path / "run.json"
        record = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        rows = [row for row in record.get("notebooks", []) if row["name"] not in again]
        copies = [path / row["name"] for row in rows]
        done = [
            Done(copy, copy.with_suffix(".html"), row["parameters"], row["seconds"])
            for copy, row in zip(copies, rows, strict=True)
        ]
        return cls(path, profile, record.get("starts", []), done)

    def save(self) -> None:
        """run.json, and index.html: each notebook's link, time and key tables, and what stopped the run."""
        self.done.sort(key=lambda one: one.notebook.name)
        rows = [
            {"name": one.notebook.name, "seconds": round(one.seconds), "parameters": dict(one.parameters)}
            for one in self.done
        ]
        record = {"profile": self.profile, "starts": self.starts, "notebooks": rows, "error": self.error}
        write_whole(self.path / "run.json", json.dumps(record, indent=1) + "\n")
        write_whole(self.path / "index.html", self._build_index())

    def _build_index(self) -> str:
        images = {name: found["images"] for start in self.starts for name, found in start["data"].items()}
        return _INDEX.format(
            profile=html.escape(self.profile),
            stopped=self._describe_stop() if self.error else "",
            rows="".join(f"<tr><td>{_link(one)}</td><td>{one.seconds:.0f} s</td></tr>" for one in self.done),
            tables="".join(_show_tables(one, images.get(one.notebook.stem, "")) for one in self.done),
            starts="".join(f"<p>{html.escape(_describe_start(start))}</p>" for start in self.starts),
        )

    def _describe_stop(self) -> str:
        """What stopped the run, and the page of what was done until then, where there is one."""
        page = (self.path / self.failed).with_suffix(".html")
        link = f' <a href="{page.name}">Its page, up to there</a>.' if self.failed and page.is_file() else ""
        return f"<p><strong>Stopped:</strong> {html.escape(self.error)}{link}</p>"


def _link(done: Done) -> str:
    return f'<a href="{done.page.name}">{html.escape(title_of(done.notebook))}</a>'


def _show_tables(done: Done, images: str) -> str:
    """The tables tagged `key`, below the title of their notebook and the images that it ran on."""
    tables = "".join(
        f'<div class="table" tabindex="0">{table}</div>' for table in _find_tables(done.notebook, "key")
    )
    found = f"<p>On {html.escape(images)}.</p>" if images else ""
    return f"<h2>{_link(done)}</h2>{found}{tables}" if tables else ""


def _describe_start(start: Mapping[str, Any]) -> str:
    machine = start["machine"]
    hardware = ", ".join([*machine["gpus"], machine["processor"], f"{machine['cores']} cores"])
    data = {name: f"{one['images']} (files {one['files'][:16]})" for name, one in start["data"].items()}
    found = "; ".join(f"{name}: {text}" for name, text in data.items())
    return f"Begun {start['time']} in the profile {start['profile']} on {hardware}. {found}"


def title_of(notebook: Path) -> str:
    """The first line of a notebook."""
    cells = _load_cells(notebook)
    first = "".join(cells[0]["source"]).splitlines() if cells else []
    return first[0].lstrip("# ") if first else notebook.stem


def _find_tables(notebook: Path, tag: str) -> list[str]:
    """The HTML of the tables that cells tagged `tag` show."""
    outputs = [
        out for cell in _load_cells(notebook) if tag in tags_of(cell) for out in cell.get("outputs", [])
    ]
    return ["".join(out["data"]["text/html"]) for out in outputs if "text/html" in out.get("data", {})]


def _load_cells(notebook: Path) -> list[Mapping[str, Any]]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def find_last_begun(notebook: Path) -> str:
    """The first line of the cell that papermill has begun last in an executed copy."""
    code = [cell for cell in _load_cells(notebook) if cell["cell_type"] == "code"]
    begun = [cell for cell in code if cell["metadata"].get("papermill", {}).get("start_time")]
    return first_line("".join(begun[-1]["source"])) if begun else ""


def first_line(source: str) -> str:
    """The first line of a cell's source that is not empty."""
    return next((line for line in source.splitlines() if line.strip()), "")


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """The tags of a notebook's cell."""
    return cell["metadata"].get("tags", [])


def write_page(notebook: Path, home: Path | None = None, beside: Sequence[str] = ()) -> Path:
    """Writes an executed notebook as an HTML page beside it, which asks no other host for anything.

    Its relative links lead on: to the pages of the notebooks `beside` it, by their names, else to where they
    lead from `home`, the folder that the notebook comes from.
    """
    import nbformat
    from nbconvert import HTMLExporter

    page, content = notebook.with_suffix(".html"), nbformat.read(notebook, as_version=4)
    _draw_interactive(content)
    resources = {"metadata": {"name": notebook.stem}}
    body, _ = HTMLExporter(raw_template=_PAGE).from_notebook_node(content, resources)
    write_whole(page, _LINK.sub(lambda found: _lead(found, page.parent, home or page.parent, beside), body))
    return page


_LINK = re.compile(r'(<a\b[^>]*\bhref=")([^"#:]+)(?=["#])')  # to a file: no address, no place in the page


def _lead(found: re.Match[str], folder: Path, home: Path, beside: Sequence[str]) -> str:
    before, target = found.groups()
    if target in beside:
        return before + str(Path(target).with_suffix(".html"))
    try:
        way = quote(Path(os.path.relpath(home, folder)).as_posix())
    except ValueError:  # another drive of Windows
        way = home.resolve().as_uri()
    return f"{before}{way}/{target}"


def _draw_interactive(notebook: Mapping[str, Any]) -> None:
    """Figures that JupyterLab draws get HTML that draws them alone; the first brings the script for all."""
    from blood_lib.study.plots.interactive import MIME_TYPE, to_html

    shown = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    for number, data in enumerate(data for data in shown if MIME_TYPE in data):
        data["text/html"] = to_html(data[MIME_TYPE], with_script=number == 0)
