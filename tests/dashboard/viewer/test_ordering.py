"""In which order cells are shown, and how one goes through them while they are moved about."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from blood_lib.dashboard.state import EXCLUDED, Cell
from blood_lib.dashboard.viewer.ordering import Walk, order_cells

GROUPS = ["red", "green", EXCLUDED]


def cell(identity: int, label: str, status: str = "ok", confidence: float = 0.9, **more: str) -> Cell:
    result = SimpleNamespace(label=label, status=status, confidence=confidence)
    return Cell(identity, f"{identity}.png", result, b"", **more)


CELLS = [
    cell(1, "green"),
    cell(2, "red", confidence=0.99),
    cell(3, "red", confidence=0.7),
    cell(4, "red", "uncertain", 0.4),
    cell(5, "red", "unfamiliar", 0.95),
    cell(6, "red", group=EXCLUDED),
]


def ids(cells: list[Cell]) -> list[int]:
    return [cell.id for cell in cells]


def test_groups_keep_their_order_and_the_doubtful_come_first() -> None:
    assert ids(order_cells(CELLS, GROUPS)) == [5, 4, 3, 2, 1, 6]


def test_confirming_a_cell_does_not_move_it() -> None:
    confirmed = [replace(found, group=found.label) for found in CELLS]
    assert ids(order_cells(confirmed, GROUPS)) == ids(order_cells(CELLS, GROUPS))


def test_equals_stay_in_the_order_of_the_upload() -> None:
    assert ids(order_cells([cell(2, "red"), cell(1, "red")], GROUPS)) == [1, 2]


def test_a_walk_goes_both_ways_and_round() -> None:
    walk = Walk(CELLS, GROUPS)
    assert len(walk) == 6
    assert [walk.step(5, 1), walk.step(4, -1), walk.step(6, 1), walk.step(5, -1)] == [4, 5, 5, 6]
    assert [walk.step(None, 1), walk.step(None, -1)] == [5, 6]
    assert [walk.place(5), walk.place(6)] == [0, 5]


def test_a_walk_passes_over_what_is_not_wanted() -> None:
    walk = Walk(CELLS, GROUPS)
    assert walk.step(5, 1, lambda identity: identity in (1, 5)) == 1
    assert walk.step(1, 1, lambda identity: identity == 1) == 1
    assert walk.step(1, 1, lambda _: False) is None


def test_a_walk_without_cells_leads_nowhere() -> None:
    assert Walk().step(None, 1) is None
