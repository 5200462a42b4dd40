"""What a finder finds in fields whose boxes are known, as tables: found, missed, false alarms, and its ruler.

Only what is found when served counts, but for precision against recall. `measure` does the counting.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from blood_lib.counts import interval
from blood_lib.detection.boxes import touches_edge
from blood_lib.detection.found import Found
from blood_lib.detection.ruler import Ruler, measure
from blood_lib.study.detect.exporting import SERVED_KINDS
from blood_lib.study.detect.fields import KINDS, RED, WHITE, Field, load_field_image
from blood_lib.study.detect.measure import EDGE, average_precision, compute_recall, match

__all__ = [
    "LOWEST",
    "Finder",
    "Shown",
    "compare_rulers",
    "compute_curve",
    "compute_precisions",
    "list_errors",
    "look",
    "summarise",
]

LOWEST = 0.02
"""The score from which boxes count for precision against recall."""

_ENOUGH = 5  # boxed red cells that make a width to compare with
_NEAR = 0.3  # the overlap from which a white cell is found

Finder = Callable[[Image.Image], Found]


@dataclass(frozen=True, eq=False)
class Shown:
    """A field, and what a finder found in it: all of it, and what it stands by."""

    field: Field
    found: Found

    def boxes(self, kind: int, *, sure: bool = False) -> np.ndarray:
        """Of one kind; sure: from the score on from which it is found when served."""
        return self.found.boxes[self._chosen(kind, sure)]

    def scores(self, kind: int, *, sure: bool = False) -> np.ndarray:
        """Of the same boxes."""
        return self.found.scores[self._chosen(kind, sure)]

    def _chosen(self, kind: int, sure: bool) -> np.ndarray:
        least = SERVED_KINDS[kind].lowest if sure else 0.0
        return np.asarray((self.found.which == kind) & (self.found.scores >= least))

    @property
    def ruler(self) -> Ruler | None:
        """As it is when served: from the red cells that are found then."""
        return measure(self.boxes(RED, sure=True), self.found.size, self.scores(RED, sure=True))


def look(finder: Finder, fields: Iterable[Field]) -> list[Shown]:
    """Each field and what is found in it."""
    return [Shown(field, finder(load_field_image(field))) for field in fields]


def summarise(shown: Mapping[str, Sequence[Shown]]) -> pd.DataFrame:
    """Of each finder and laboratory: white cells found, with its interval, and false alarms per field."""
    rows = []
    for name, every in shown.items():
        for laboratory in dict.fromkeys(one.field.laboratory for one in every):
            these = [one for one in every if one.field.laboratory == laboratory]
            pairs = [(one.boxes(WHITE, sure=True), one.field.of_kind(WHITE)) for one in these]
            score = compute_recall(pairs, [one.found.size for one in these])
            low, high = interval(score.n_found, score.n_true)
            rows.append(
                {
                    "finder": name,
                    "fields of": laboratory,
                    "fields": score.n_fields,
                    "white cells": score.n_true,
                    "found": score.n_found,
                    "recall": score.recall,
                    "recall_low": low,
                    "recall_high": high,
                    "false alarms": score.n_false,
                    "per field": score.false_per_field,
                }
            )
    return pd.DataFrame(rows)


def compute_precisions(shown: Sequence[Shown]) -> dict[str, float]:
    """Average precision at an overlap of a half, by kind, of the fields in which all kinds are boxed."""
    boxed = [one for one in shown if len(one.field.boxed) == len(KINDS)]
    found = {
        name: [(one.boxes(kind), one.scores(kind), one.field.of_kind(kind)) for one in boxed]
        for kind, name in enumerate(KINDS)
    }
    return {name: average_precision(fields) for name, fields in found.items()}


def compute_curve(shown: Sequence[Shown], kind: int, *, least: float = _NEAR) -> pd.DataFrame:
    """By falling score: recall, precision and false alarms per field of one kind; cut cells are left out."""
    parts = [_grade(one, kind, least) for one in shown]
    score, is_right = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    n_true = sum(part[2] for part in parts)
    order = np.argsort(-score, kind="stable")
    hits, n = is_right[order].cumsum(), np.arange(1, len(order) + 1)
    columns = {"recall": hits / max(n_true, 1), "precision": hits / n, "per field": (n - hits) / len(shown)}
    return pd.DataFrame({"score": score[order], **columns})


def _grade(one: Shown, kind: int, least: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Of one field: the scores of what was found, whether it is right, and how many cells there are."""
    truth, boxes = one.field.of_kind(kind), one.boxes(kind)
    is_cut, true_is_cut = (
        touches_edge(some, one.found.size, margin=EDGE * min(one.found.size)) for some in (boxes, truth)
    )
    found = match(boxes, truth, least=least)
    right = found >= 0
    is_cut[right] = true_is_cut[found[right]]
    return one.scores(kind)[~is_cut], right[~is_cut], int((~true_is_cut).sum())


def compare_rulers(shown: Sequence[Shown]) -> pd.DataFrame:
    """Of each field with enough boxed red cells: their width, that of the ruler, and what it rests on."""
    rows = []
    for one in shown:
        if len(one.field.of_kind(RED)) < _ENOUGH:
            continue
        ruler = one.ruler
        rows.append(
            {
                "fields of": one.field.laboratory,
                "file": one.field.file.name,
                "boxed": one.field.diameter,
                "ruler": ruler.diameter if ruler else np.nan,
                "cells": ruler.n_cells if ruler else 0,
                "spread": ruler.spread if ruler else np.nan,
                "sound": ruler is not None and ruler.is_sound,
            }
        )
    table = pd.DataFrame(rows, columns=["fields of", "file", "boxed", "ruler", "cells", "spread", "sound"])
    return table.assign(ratio=table["ruler"] / table["boxed"])


def list_errors(shown: Sequence[Shown], kind: int = WHITE) -> pd.DataFrame:
    """Of each field with errors: how many whole cells are missed, and how many false alarms there are."""
    rows = []
    for i, one in enumerate(shown):
        score = compute_recall([(one.boxes(kind, sure=True), one.field.of_kind(kind))], [one.found.size])
        if score.n_false or score.n_found < score.n_true:
            missed = score.n_true - score.n_found
            rows.append((i, one.field.laboratory, one.field.file.name, missed, score.n_false))
    return pd.DataFrame(rows, columns=["at", "fields of", "file", "missed", "false alarms"])
