"""Reasons: a code and values, and one sentence each."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from blood_lib.files.reasons import REASONS, Reason


def test_a_reason_is_its_sentence_and_knows_code_and_values() -> None:
    reason = Reason("small", {"width": 5, "height": 7, "limit": 16})
    assert str(reason) == "only 5x7 pixels: a cell needs at least 16 a side."
    assert (reason.code, reason.values) == ("small", {"width": 5, "height": 7, "limit": 16})


def test_a_reason_survives_being_copied() -> None:
    reason = Reason("too_large", {"limit": 64})
    assert pickle.loads(pickle.dumps(reason)) == replace(reason) == reason
    assert len({reason, replace(reason)}) == 1


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("nothing of the kind", {}),
        ("too_large", {}),
        ("too_large", {"limit": 64, "key": 1}),
        ("zip_entries", {"limit": "many"}),
    ],
)
def test_a_reason_that_cannot_be_said_is_refused(code: str, values: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Reason(code, values)


def test_every_reason_is_given_somewhere_and_none_is_written_in_place(root: Path) -> None:
    sources = [path.read_text("utf-8") for path in (root / "blood_lib").rglob("*.py")]
    given = {code for text in sources for code in re.findall(r'Reason\(\s*"(\w+)"', text)}
    assert given == set(REASONS)
    assert not [text for text in sources if re.search(r'Rejection\(\s*f?"', text)]
