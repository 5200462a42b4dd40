"""Turns an executed notebook into one to commit: no pixels, no traces of a machine, small figures.

`runner` executes notebooks.
"""

import base64
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blood_lib.files.errors import BloodError
from blood_lib.study.notebooks.run_folder import tags_of

__all__ = ["hash_sources", "publish_notebook"]

_WIDGET = "application/vnd.jupyter.widget-view+json"


def publish_notebook(executed: Path, target: Path) -> None:
    """Writes an executed notebook as it may be committed: no output of cells tagged `pixels`, no traces.

    What papermill injected names the folders of one machine, so that goes too. The hash of what was executed
    is kept, to tell when sources are changed later. BloodError when a cell failed.
    """
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in tags_of(cell)]
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
        if "pixels" in tags_of(cell):
            cell.outputs, cell.execution_count = [], None
    notebook.metadata["executed_sources"] = hash_sources(notebook)
    nbformat.write(notebook, target)


def hash_sources(notebook: Mapping[str, Any]) -> str:
    """sha256, hexadecimal, of the sources of a notebook's code cells."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()


def _shrink(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """A figure in 256 colours takes a third of the room, and a notebook of many has to stay small.

    They are spread over all that occur: a rare one, as of the few points of a cell type, keeps its looks.
    """
    from PIL import Image

    if png := output.get("data", {}).get("image/png"):
        figure, file = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), io.BytesIO()
        figure.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(file, "PNG", optimize=True)
        output["data"]["image/png"] = base64.b64encode(file.getvalue()).decode()
    return output


def _is_passing(output: Mapping[str, Any]) -> bool:
    """Whether an output only reported progress while the notebook ran: warnings, and empty progress bars."""
    return output.get("name") == "stderr" or _WIDGET in output.get("data", {})
