"""The model card says all that a bundle's card holds; the committed one is the shipped bundle's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blood_lib.__main__ import main
from blood_lib.bundle import load_bundle
from blood_lib.bundle.model_card import format_card
from tests.tools.fixtures_bundle import save_tiny_bundle

CARD = {
    "intended_use": {"en": "To sort squares.", "es": "Para ordenar cuadrados."},
    "limits": [{"en": "Never on Mondays.", "es": "Nunca los lunes."}],
    "dataset": {"name": "Squares", "n_train": 1200},
    "adapted": {"cells": 40, "how": {"epochs": 3}},
    "metrics": [
        {"name": "accuracy", "where": {"en": "here"}, "n": 1084, "value": 0.9, "low": 0.85, "high": 0.95},
        {"name": "calibration_error", "where": {"en": "here"}, "n": 1084, "value": 0.004},
        {"name": "accuracy", "where": {"en": "else|where"}, "n": 20, "value": 0.4, "low": 0.19, "high": 0.64},
    ],
    "per_class": [
        {
            "where": {"en": "here"},
            "rows": [
                {"name": "red", "n": 7, "recall": 1.0, "recall_low": 0.59, "recall_high": 1.0,
                 "precision": None, "precision_low": 0.0, "precision_high": 1.0, "taken_for": "blue (1)"},
            ],
        }
    ],
}  # fmt: skip


def test_the_committed_card_is_what_the_shipped_bundle_gives(root: Path) -> None:
    written = (root / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert written == format_card(load_bundle()), "blood card --out MODEL_CARD.md writes it anew"


def test_every_figure_stands_with_its_interval_and_n(tmp_path: Path) -> None:
    said = format_card(save_tiny_bundle(tmp_path, card=CARD))
    assert "### Here\n" in said and "### Else|where\n" in said
    assert "| accuracy | 90.0 % | 85.0 % to 95.0 % | 1,084 |" in said
    assert "| expected calibration error | 0.4 % |  | 1,084 |" in said
    assert "| accuracy | 40.0 % | 19.0 % to 64.0 % | 20 |" in said
    assert "| red | 7 | 100.0 % | 59.0 % to 100.0 % |  |  | blue (1) |" in said


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in (value["en"],) if "en" in value else value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str | int):
        yield f"{value:,}" if isinstance(value, int) else value


def test_nothing_on_the_shipped_card_is_left_out() -> None:
    bundle = load_bundle()
    said = format_card(bundle).lower()
    codes = {metric["name"] for metric in bundle.card["metrics"]}  # spelt out in the table
    assert not [text for text in _leaves(bundle.card) if text not in codes and text.lower() not in said]


def test_what_nobody_foresaw_is_said_too(tmp_path: Path) -> None:
    said = format_card(save_tiny_bundle(tmp_path, card=CARD))
    assert "- adapted:\n  - cells: 40\n  - how:\n    - epochs: 3" in said
    assert "Para ordenar" not in said


@pytest.mark.parametrize(
    "card", [{}, {"metrics": 5, "dataset": "x", "limits": {}, "per_class": [1]}, {"metrics": [{}]}], ids=str
)
def test_any_card_can_be_written(tmp_path: Path, card: dict) -> None:
    assert "## How good it is" in format_card(save_tiny_bundle(tmp_path, card=card))


def test_the_command_writes_the_card_of_any_bundle(tmp_path: Path, capsys) -> None:
    bundle = save_tiny_bundle(tmp_path / "bundle", card=CARD)
    assert main(["card", "--bundle", str(bundle.path)]) == 0
    assert capsys.readouterr().out == format_card(bundle)
    assert main(["card", "--bundle", str(bundle.path), "--out", str(tmp_path / "card.md")]) == 0
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == format_card(bundle)
    assert main(["card", "--bundle", str(tmp_path)]) == 1
