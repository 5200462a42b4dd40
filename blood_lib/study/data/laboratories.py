"""The laboratories whose cells a network is trained on together: names, shares, and what labels stand for.

`study/laboratories` cuts their cells. The losses need to know what a label of each one can stand for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from blood_lib.study.cells import CELL_TYPES

__all__ = ["LABORATORIES", "LABORATORY_INDEX", "Laboratory", "build_candidates", "list_validated"]

_NAMES = tuple(cell_type.name for cell_type in CELL_TYPES)


@dataclass(frozen=True)
class Laboratory:
    """What is known about a laboratory before any image is looked at."""

    name: str
    title: str
    share: float
    """Of the images of an epoch; shares are relative to those of the other laboratories."""
    is_split: bool = False
    """Whether some of its cells are kept for validation and for the test. Of another all or none are learned
    from: few slides hold most of its cells of a type, so a part of it would not stand for a laboratory."""
    may_be: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A label to all the types that it can stand for, where that is more than its own."""


# BCCD and Chula tell five types. There an immature granulocyte is called a neutrophil, if it is named at all.
# Platelets are no white cells, and erythroblasts are rare in such blood: a cell that has a label is neither.
_OF_FIVE = {"neutrophil": ("neutrophil", "immature granulocyte")}

LABORATORIES = {
    laboratory.name: laboratory
    for laboratory in (
        Laboratory("pbc", "PBC", share=0.5, is_split=True),
        Laboratory("bccd", "BCCD", share=0.25, may_be=_OF_FIVE),
        Laboratory("chula", "Chula", share=0.25, may_be=_OF_FIVE),
    )
}

LABORATORY_INDEX = {name: i for i, name in enumerate(LABORATORIES)}
"""Name of a laboratory to its place in the targets and in `build_candidates`."""


def list_validated(learned: Collection[str]) -> tuple[str, ...]:
    """The laboratories that a training which learns from `learned` is validated on."""
    return tuple(
        name for name, laboratory in LABORATORIES.items() if laboratory.is_split or name not in learned
    )


def build_candidates() -> list[list[list[bool]]]:
    """[l][c][k]: may a cell that laboratory l calls c be of type k? A label stands for itself, too."""
    return [
        [[name in laboratory.may_be.get(label, (label,)) for name in _NAMES] for label in _NAMES]
        for laboratory in LABORATORIES.values()
    ]
