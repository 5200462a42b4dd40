"""The sentences of the page: every language has all of them, and writes numbers in its own way."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter

import pytest

from blood_lib.dashboard.messages import Messages
from blood_lib.reasons import REASONS, Reason

FOLDER = Path(__file__).resolve().parent.parent / "blood_lib" / "dashboard"
TEXTS = {path.stem: json.loads(path.read_text("utf-8")) for path in (FOLDER / "messages").glob("*.json")}
WORDS = {"item", "items", "counted", "Item", "Items", "Counted"}


def names_in(text: str) -> set[str]:
    """The {names} in a sentence, but for the bundle's words, which each language uses as it likes."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None} - WORDS


def test_every_language_has_the_same_sentences() -> None:
    assert {"en", "es"} <= set(TEXTS)
    for language, texts in TEXTS.items():
        assert list(texts) == list(TEXTS["en"]), language


def test_translations_fill_in_the_same_names() -> None:
    for texts in TEXTS.values():
        for key, text in texts.items():
            assert text.strip() == text != "", key
            assert names_in(text) == names_in(TEXTS["en"][key]), key


def test_no_file_names_a_sentence_twice() -> None:
    for path in (FOLDER / "messages").glob("*.json"):
        keys = json.loads(path.read_text("utf-8"), object_pairs_hook=lambda pairs: [key for key, _ in pairs])
        assert len(keys) == len(set(keys))


def test_every_reason_of_the_core_can_be_said() -> None:
    for code, sentence in REASONS.items():
        assert names_in(TEXTS["en"][f"reason.{code}"]) == names_in(sentence)


@pytest.mark.parametrize(
    ("language", "number", "share"), [("en", "12,345", "99.1 %"), ("es", "12.345", "99,1 %")]
)
def test_numbers_are_written_as_in_the_language(language: str, number: str, share: str) -> None:
    messages = Messages(language)
    assert messages.number(12345) == number
    assert messages.percent(0.9912) == share
    assert number in messages("status.limit_files", n=12345)


def test_a_reason_is_said_in_the_language_and_other_texts_stay() -> None:
    reason = Reason("uncertain", confidence=0.5, limit=0.95)
    assert "50,0 %" in Messages("es").reason(reason)
    assert Messages("es").reason("from a saved review.") == "From a saved review."
