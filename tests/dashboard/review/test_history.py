"""The history of a review: whatever a step changes is taken back and done again, and the rest stays."""

from __future__ import annotations

from dataclasses import replace

from blood_lib.dashboard.review.history import History, compare
from blood_lib.dashboard.state import Cell

CELLS = tuple(Cell(i, f"{i}.png", None, b"", group="red") for i in range(4))


def walk(*states: dict) -> History:
    """A history of the steps between these values."""
    history = History()
    for before, after in zip(states, states[1:], strict=False):
        history.push(compare(before, after, ["cells"]))
    return history


def test_a_step_is_taken_back_to_the_very_same_cells() -> None:
    moved = (CELLS[0], replace(CELLS[1], group="blue"), *CELLS[2:])
    history = walk({"cells": CELLS}, {"cells": moved})
    assert history.undo().apply({"cells": moved}) == {"cells": CELLS}  # equal only as the same objects
    assert history.redo().apply({"cells": CELLS}) == {"cells": moved}


def test_cells_that_were_added_or_removed_come_and_go_at_their_place() -> None:
    new = Cell(9, "9.png", None, b"")
    for after in (CELLS[1:], CELLS[:1], CELLS[::3], (new, *CELLS), (*CELLS[:2], new, *CELLS[3:]), (new,), ()):
        history = walk({"cells": CELLS}, {"cells": after})
        assert history.undo().apply({"cells": after}) == {"cells": CELLS}
        assert history.redo().apply({"cells": CELLS}) == {"cells": after}


def test_cells_that_have_arrived_meanwhile_stay() -> None:
    late = Cell(9, "9.png", None, b"")
    history = walk({"cells": CELLS}, {"cells": CELLS[:2]})
    assert history.undo().apply({"cells": (*CELLS[:2], late)}) == {"cells": (*CELLS, late)}


def test_other_values_are_taken_back_with_the_cells() -> None:
    before, after = {"cells": CELLS, "model": "old"}, {"cells": CELLS[1:], "model": "new"}
    history = walk(before, after)
    assert history.undo().apply(after) == before
    assert history.redo().apply(before) == after


def test_steps_are_taken_back_from_the_last_to_the_first() -> None:
    history = walk({"model": 1}, {"model": 2}, {"model": 3})
    assert history.undo().apply({"model": 3}) == {"model": 2}
    assert history.undo().apply({"model": 2}) == {"model": 1}
    assert history.undo() is None


def test_a_new_step_forgets_what_was_taken_back_and_one_that_changes_nothing_does_not() -> None:
    history = walk({"model": 1}, {"model": 2})
    history.undo()
    history.push(compare({"cells": CELLS}, {"cells": tuple(CELLS)}, ["cells"]))
    assert history.can_redo
    history.push(compare({"model": 1}, {"model": 3}, ["cells"]))
    assert history.can_undo and not history.can_redo


def test_nothing_is_left_after_clear() -> None:
    history = walk({"model": 1}, {"model": 2}, {"model": 3})
    history.undo()
    history.clear()
    assert not history.can_undo and not history.can_redo
