"""What a classifier's answers about labelled images are worth, as tables: to read, and as CSV.

`evaluation` computes the figures. `assessment_page` makes a page with plots of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from blood_lib.files.output import open_whole, writing
from blood_lib.inference import STATUSES
from blood_lib.study.evaluate.evaluation import (
    Figure,
    compute_coverage,
    compute_figures,
    compute_per_class,
    compute_reliability,
    compute_risks,
    share,
)
from blood_lib.study.evaluate.labelled import Labelled

__all__ = ["Assessment", "assess", "format_table", "format_text", "save_tables"]

_SHARES = ("value", "share", "accuracy", "recall", "precision", "risk")
"""Columns with an interval in the columns _low and _high beside them."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """N answers about C classes, as tables of numbers; shares lie within [0, 1]."""

    figures: pd.DataFrame  # a row per figure: n, value
    classes: pd.DataFrame  # a row per class: n, recall, precision, most frequent confusion
    confusion: pd.DataFrame  # images, a row per label, a column per answer
    statuses: pd.DataFrame  # a row per status: n, share of all files, how many are right
    reliability: pd.DataFrame  # a row per bin of confidence, see compute_reliability
    coverage: pd.DataFrame  # a row per share of answers kept, see compute_coverage
    risks: tuple[np.ndarray, np.ndarray]  # coverage and risk (N,) each, see compute_risks


def assess(answers: Labelled, names: Sequence[str]) -> Assessment:
    """Every table about `answers`; `names`: the classes, in the order of the answers' probabilities."""
    target, probs = answers.target, answers.probs
    predicted = probs.argmax(axis=1)
    matrix = confusion_matrix(target, predicted, labels=range(len(names)))
    return Assessment(
        figures=_to_table(compute_figures(target, probs)),
        classes=pd.DataFrame(compute_per_class(target, predicted, names)),
        confusion=pd.DataFrame(matrix, index=pd.Index(names, name="label"), columns=list(names)),
        statuses=pd.DataFrame(_count_statuses(answers)),
        reliability=pd.DataFrame(compute_reliability(target, probs)),
        coverage=pd.DataFrame(compute_coverage(target, probs)),
        risks=compute_risks(target, probs),
    )


def _to_table(figures: Sequence[Figure]) -> pd.DataFrame:
    table = pd.DataFrame([vars(figure) for figure in figures]).astype({"low": float, "high": float})
    return table.rename(columns={"low": "value_low", "high": "value_high"})


def _count_statuses(answers: Labelled) -> list[dict[str, object]]:
    """A row per status: its share of all files, and how often its answers are right."""
    n_files, rows = len(answers.target) + len(answers.rejected), []
    for status in STATUSES:
        some = answers.select(status)
        n = len(answers.rejected) if status == "rejected" else len(some.target)
        right = int((some.probs.argmax(axis=1) == some.target).sum())
        shares = {**share("share", n, n_files), "right": right, **share("accuracy", right, len(some.target))}
        rows.append({"status": status, "n": n, **shares})
    return rows


def format_table(table: pd.DataFrame) -> pd.DataFrame:
    """The same as texts: shares in per cent, an interval as one column, what is unknown as ""."""
    shown = {}
    for name, values in table.items():
        if name.endswith(("_low", "_high")):
            continue
        shown[name] = [_format(value) for value in values]
        if name in _SHARES:
            ends = zip(values, table[f"{name}_low"], table[f"{name}_high"], strict=True)
            shown[f"{name}, 95 %"] = [
                "" if np.isnan(one).any() else "{1:.1%} to {2:.1%}".format(*one) for one in ends
            ]
    return pd.DataFrame(shown, index=table.index)


def _format(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


def format_text(assessment: Assessment) -> str:
    """The tables as plain text; of the curves only what a reader can take in."""
    parts = {
        "Figures": _to_text(assessment.figures),
        "Each class": _to_text(assessment.classes),
        "Rows: the label; columns: the answer": assessment.confusion.to_string(),
        "Status": _to_text(assessment.statuses),
        "The surest answers, and the errors among them": _to_text(assessment.coverage),
        "Confidence and accuracy": _to_text(assessment.reliability),
    }
    return "\n\n".join(f"{title}\n{text}" for title, text in parts.items())


def _to_text(table: pd.DataFrame) -> str:
    return format_table(table).to_string(index=False)


def save_tables(assessment: Assessment, folder: Path) -> None:
    """Each table as a CSV file in `folder`, which is made; raises BloodError where it cannot be written."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "figures": assessment.figures,
        "classes": assessment.classes,
        "confusion": assessment.confusion.reset_index(),
        "statuses": assessment.statuses,
        "reliability": assessment.reliability,
        "coverage": assessment.coverage,
    }
    for name, table in tables.items():
        with open_whole(folder / f"{name}.csv") as file:
            table.to_csv(file, index=False, lineterminator="\n", float_format="%.6f")
