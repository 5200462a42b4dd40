"""Draws example cells as May-Grünwald-Giemsa shows them, for examples, tests and the quick profile.

Every pixel is made here from the table in `appearance`. None is taken from a dataset, and no shipped model
is trained on drawn cells.
"""

from blood_lib.study.painter.drawing import (
    Smear,
    draw_cell,
    draw_cells,
    draw_field,
    draw_sheet,
    draw_smear,
)
from blood_lib.study.painter.saving import save_dataset, save_examples

__all__ = [
    "Smear",
    "draw_cell",
    "draw_cells",
    "draw_field",
    "draw_sheet",
    "draw_smear",
    "save_dataset",
    "save_examples",
]
