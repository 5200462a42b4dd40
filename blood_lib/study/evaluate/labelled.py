"""Labelled images, and a classifier's answers about them.

`evaluation` computes figures from these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.bundle import ClassInfo, find_class
from blood_lib.files.csv_tables import read_csv_table, tidy_path
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier, Result
from blood_lib.study.cells import by_folder
from blood_lib.study.progress import Progress

__all__ = ["Labelled", "classify_labelled", "find_labelled", "find_left_out", "read_labels"]


@dataclass(frozen=True, eq=False)
class Labelled:
    """N labelled images that could be read, and the answers about them; `rejected`: the others and why."""

    files: list[str]
    target: np.ndarray  # (N,) class indices
    probs: np.ndarray  # (N, C)
    status: np.ndarray  # (N,) of str
    rejected: dict[str, str]
    subtype_probs: np.ndarray | None = None  # (N, S), where the bundle tells subtypes

    def choose_among(self, classes: Sequence[int] | np.ndarray) -> "Labelled":
        """The same, but each answer is one of `classes` (indices): the others' probability is taken away."""
        probs = np.zeros_like(self.probs)
        probs[:, classes] = np.maximum(self.probs[:, classes], 1e-12)
        probs /= probs.sum(axis=1, keepdims=True)
        return replace(self, probs=probs)

    def select(self, status: str) -> "Labelled":
        """Those with this status."""
        at = np.flatnonzero(self.status == status)
        files = [self.files[i] for i in at]
        subtypes = None if self.subtype_probs is None else self.subtype_probs[at]
        return Labelled(files, self.target[at], self.probs[at], self.status[at], {}, subtypes)


def _to_class(word: str, classes: Sequence[ClassInfo]) -> str | None:
    """The class that a folder's or a table's `word` means: its name, a label in any language or the dataset's
    folder.
    """
    if (found := find_class(word, classes)) is not None:
        return classes[found].name
    try:
        name = by_folder(word.strip().lower()).name
    except KeyError:
        return None
    return name if name in {info.name for info in classes} else None


def _known(classes: Sequence[ClassInfo]) -> str:
    return ", ".join(info.name for info in classes)


def find_labelled(folder: Path, classes: Sequence[ClassInfo]) -> pd.DataFrame:
    """Every file of the class folders in `folder`: file (below it), cell_type. Raises BloodError when there
    is none.
    """
    names = {name: _to_class(name, classes) for name in _list_folders(folder)}
    rows = [
        (file, cell_type) for name, cell_type in names.items() if cell_type for file in _list(folder, name)
    ]
    if not rows:
        raise BloodError(
            f"{folder} has no folder with images named after a class of the bundle ({_known(classes)})."
        )
    return pd.DataFrame(rows, columns=["file", "cell_type"])


def find_left_out(folder: Path, classes: Sequence[ClassInfo]) -> dict[str, int]:
    """The folders in `folder` that are named after no class, with how many files each holds."""
    names = [name for name in _list_folders(folder) if _to_class(name, classes) is None]
    return {name: n for name in names if (n := len(_list(folder, name)))}


def _list_folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _list(folder: Path, name: str) -> list[str]:
    files = (path for path in (folder / name).rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def read_labels(table: Path, classes: Sequence[ClassInfo]) -> pd.DataFrame:
    """A CSV with the columns `file` and `label` (or `cell_type`): file, cell_type. Raises BloodError when it
    is none.
    """
    columns, rows = read_csv_table(table)
    column = "label" if "label" in columns else "cell_type"
    if not {"file", column} <= set(columns):
        raise BloodError(f"{table} needs the columns file and label; it has {', '.join(columns)}.")
    if not rows:
        raise BloodError(f"{table} has no rows: list one labelled image at least, as file,label.")
    labels = pd.DataFrame([row.texts for row in rows], columns=columns).fillna("")
    labels = labels.assign(file=labels["file"].map(tidy_path), cell_type=labels[column])
    if twice := labels["file"][labels["file"].duplicated()].tolist():
        raise BloodError(f"{table} lists {twice[0]} more than once: keep one row for each image.")
    names = labels["cell_type"].map(lambda word: _to_class(word, classes))
    if names.isna().any():
        unknown = ", ".join(sorted(set(labels["cell_type"][names.isna()])))
        raise BloodError(
            f"{table} has labels that the bundle does not know ({unknown}); it knows {_known(classes)}."
        )
    return labels.assign(cell_type=names)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BloodError(f"{path} cannot be read: {error.strerror}.") from None


def classify_labelled(
    classifier: Classifier, folder: Path, table: pd.DataFrame, *, progress: Progress | None = None
) -> Labelled:
    """The classifier's answers about the images of `table` (file, cell_type), whose files lie below `folder`.

    progress: see `show_progress`.
    """
    stream = classifier.classify(((file, _read(folder / file)) for file in table["file"]), kind="cells")
    results: list[Result] = list(progress(stream) if progress else stream)
    read = np.array([result.status != "rejected" for result in results], dtype=bool)
    if not read.any():
        raise BloodError(f"None of the {len(results)} labelled files in {folder} is a readable image.")
    index = {name: i for i, name in enumerate(classifier.class_names)}
    good = [result for result in results if result.probs is not None]
    return Labelled(
        files=[result.name for result in good],
        target=table["cell_type"].map(index).to_numpy()[read],
        probs=np.stack([result.probs for result in results if result.probs is not None]),
        status=np.array([result.status for result in good]),
        rejected={result.name: str(result.reason) for result in results if result.status == "rejected"},
        subtype_probs=_stack([result.subtype_probs for result in good]),
    )


def _stack(rows: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """The rows as one array; None where one of them is missing."""
    known = [row for row in rows if row is not None]
    return np.stack(known) if len(known) == len(rows) else None
