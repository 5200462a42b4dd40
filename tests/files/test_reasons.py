"""Reasons: one sentence each, that also knows its code and its values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blood_lib.files.reasons import REASONS, Reason


def test_a_reason_is_its_sentence_and_knows_code_and_values() -> None:
    reason = Reason("small", width=5, height=7, limit=16)
    assert reason == "only 5x7 pixels: a cell needs at least 16 a side."
    assert (reason.code, reason.values) == ("small", {"width": 5, "height": 7, "limit": 16})


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(KeyError):
        Reason("nothing of the kind")


def test_every_reason_is_given_somewhere_and_none_is_written_in_place(root: Path) -> None:
    sources = [path.read_text("utf-8") for path in (root / "blood_lib").rglob("*.py")]
    given = {code for text in sources for code in re.findall(r'Reason\(\s*"(\w+)"', text)}
    assert given == set(REASONS)
    assert not [text for text in sources if re.search(r'Rejection\(\s*f?"', text)]
