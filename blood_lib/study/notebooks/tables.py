"""Tables that are shown in full, and one of claims: what is claimed, what was measured, and the verdict.

`claims` knows when a claim holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from blood_lib.study.data.dataset import Dataset

__all__ = ["Claim", "WholeTable", "judge_claims"]


class WholeTable(pd.DataFrame):
    """A table that is shown with every row, and every value at its full length: half a hash is none."""

    def __repr__(self) -> str:
        return self.to_string()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None, "display.max_rows", None):
            return super()._repr_html_()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence of the study, or what its methods take for granted, held against a measurement."""

    says: str
    measured: str
    criterion: str
    """In words: when it holds, and when in part."""
    holds: bool
    in_part: bool = False
    known: bool = True
    """False where there is nothing to judge it by, such as errors where there are none."""
    assumed: bool = False
    """The study does not say so; what it does would make little sense otherwise."""

    def judge(self) -> str:
        if not self.known:
            return "nothing to judge by"
        return "holds" if self.holds else "holds in part" if self.in_part else "does not hold"


def judge_claims(claims: Sequence[Claim], data: Dataset) -> WholeTable:
    """A row per claim with its verdict; none on drawn cells, or on a sample of what is there."""
    rows = [
        {
            "the study": "assumes" if claim.assumed else "says",
            "claim": claim.says,
            f"measured on {data.images}": claim.measured,
            "holds if": claim.criterion,
            "verdict": "no verdict" if data.note else claim.judge(),
        }
        for claim in claims
    ]
    return WholeTable(rows)
