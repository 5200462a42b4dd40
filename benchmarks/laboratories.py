"""Laboratories: how often bundles, or finished runs, are right on the cells of PBC, BCCD and Chula.

    python -m benchmarks.laboratories DATA RUN_OR_BUNDLE [RUN_OR_BUNDLE ...] [--windows FOLDER]

DATA holds the laboratories' folders. BCCD's and Chula's cells are cut around their boxes, in windows of one
size in red cells. PBC is its validation split: the test split is neither cut nor read. `right` is of eight
names; `balanced` is the mean over the types that the laboratory has, and `forced` the same where the answer
has to be one of these; `ok` is as served, with test-time augmentation. A run is served as its bundle would
be, with thresholds from PBC's validation split. A laboratory that a run has learned from is marked: what
stands there says nothing of other laboratories.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tools.options import build_parser
from blood_lib.inference import Classifier
from blood_lib.study.data.laboratories import LABORATORIES
from blood_lib.study.evaluate.evaluation import compute_figures, share
from blood_lib.study.laboratories.cells import Cells, open_cells
from blood_lib.study.laboratories.serving import classify_windows, serve_run
from blood_lib.study.progress import show_progress
from blood_lib.study.train.distillation import is_bundle
from blood_lib.study.train.loaders import CLASS_INDEX
from blood_lib.study.train.recipe import Recipe

__all__ = ["format_rows", "main", "measure", "score"]


def main(argv: Sequence[str] | None = None) -> None:
    """Print a table of each model."""
    parser = build_parser("laboratories", __doc__)
    parser.add_argument("models", type=Path, nargs="+", metavar="RUN_OR_BUNDLE")
    parser.add_argument("--windows", type=Path, default=Path("windows"), help="where the cells are kept")
    args = parser.parse_args(argv)
    cells = open_cells(args.data, args.windows, progress=show_progress)
    for path in args.models:
        classifier = Classifier.load(path) if is_bundle(path) else serve_run(path, cells)
        print(f"{path}\n{format_rows(measure(classifier, cells), _list_learned(path))}\n", flush=True)


def _list_learned(path: Path) -> tuple[str, ...]:
    """The laboratories that the model has learned from; PBC alone, where its recipe does not say."""
    recipe = Recipe.from_json((path / "recipe.json").read_text(encoding="utf-8"))
    return recipe.laboratories or ("pbc",)


def measure(classifier: Classifier, cells: Cells) -> list[dict[str, object]]:
    """A row for each laboratory: n, right, balanced, `ok`, right of these, and how many types there are."""
    rows = []
    for name, laboratory in LABORATORIES.items():
        own = cells.table["laboratory"] == name
        own &= (cells.table["part"] == "valid") | (not laboratory.is_split)
        table = cells.table[own]
        probs, status = classify_windows(classifier, cells.windows[table.index])
        target = table["cell_type"].map(CLASS_INDEX).to_numpy()
        rows.append({"laboratory": name, **score(target, probs, status)})
    return rows


def score(target: np.ndarray, probs: np.ndarray, status: np.ndarray) -> dict[str, object]:
    """Figures of the answers about cells of the classes target (N,): probs (N, C) and status (N,)."""
    right, ok = probs.argmax(axis=1) == target, status == "ok"
    among = np.isin(np.arange(probs.shape[1]), target)
    return {
        "n": len(target),
        **share("right", int(right.sum()), len(right)),
        "types": len(np.unique(target)),
        **_balance("balanced", target, probs),
        **_balance("forced", target, np.where(among, probs, 0.0)),
        **share("ok", int(ok.sum()), len(ok)),
        "n_ok": int(ok.sum()),
        **share("right_of_ok", int(right[ok].sum()), int(ok.sum())),
        "unfamiliar": float((status == "unfamiliar").mean()),
    }


def _balance(name: str, target: np.ndarray, probs: np.ndarray) -> dict[str, float | None]:
    _, found = compute_figures(target, probs)[:2]
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def format_rows(rows: Sequence[dict[str, object]], learned: Sequence[str]) -> str:
    """The rows as text: per cent, with 95 % intervals in brackets."""
    told = [
        {
            "laboratory": f"{row['laboratory']}{', learned' if row['laboratory'] in learned else ''}",
            "n": row["n"],
            "right of eight": _tell(row, "right"),
            "balanced": f"{_tell(row, 'balanced')} of {row['types']}",
            "forced": _tell(row, "forced"),
            "ok": _tell(row, "ok"),
            "right of ok": f"{_tell(row, 'right_of_ok')} of {row['n_ok']}",
            "unfamiliar": f"{100 * row['unfamiliar']:.1f}",
        }
        for row in rows
    ]
    return pd.DataFrame(told).to_string(index=False)


def _tell(row: dict[str, object], name: str) -> str:
    value, low, high = (100 * row[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value:.1f} ({low:.1f}-{high:.1f})"


if __name__ == "__main__":
    main()
