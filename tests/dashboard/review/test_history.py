"""The history of a review: steps taken back, done again, and cells that keep being the same objects."""

from __future__ import annotations

from blood_lib.dashboard.review.history import History, regroup
from blood_lib.dashboard.state import Cell


def test_a_step_is_taken_back_and_done_again() -> None:
    history = History()
    history.push({1: (None, "red"), 2: ("blue", "red")})
    assert history.undo() == {1: None, 2: "blue"}
    assert history.redo() == {1: "red", 2: "red"}


def test_steps_are_taken_back_from_the_last_to_the_first() -> None:
    history = History()
    history.push({1: (None, "red")})
    history.push({1: ("red", "blue")})
    assert [history.undo(), history.undo(), history.undo()] == [{1: "red"}, {1: None}, {}]
    assert [history.redo(), history.redo(), history.redo()] == [{1: "red"}, {1: "blue"}, {}]


def test_a_new_step_forgets_what_was_taken_back() -> None:
    history = History()
    history.push({1: (None, "red")})
    history.undo()
    history.push({2: (None, "blue")})
    assert history.can_undo
    assert not history.can_redo


def test_nothing_is_left_after_clear() -> None:
    history = History()
    history.push({1: (None, "red")})
    history.push({1: ("red", None)})
    history.undo()
    history.clear()
    assert not history.can_undo
    assert not history.can_redo


def test_only_cells_that_change_are_replaced() -> None:
    cells = tuple(Cell(i, f"{i}.png", None, b"", group="red") for i in range(3))
    after = regroup(cells, {0: "red", 1: "blue", 99: "blue"})
    assert [cell.group for cell in after] == ["red", "blue", "red"]
    assert [new is old for new, old in zip(after, cells, strict=True)] == [True, False, True]
    assert cells[1].group == "red"
