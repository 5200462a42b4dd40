"""Holds that sentences are counted as a reader would count them, and that the pages keep them short."""

from __future__ import annotations

import pytest

from docs.tools.words import ROOT, find_pages, list_sentences, measure


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One here. Two there, 99.4 % of it!\n", ["One here.", "Two there, 99.4 % of it!"]),
        ("# A heading.\n\nA line\nthat goes on.\n", ["A line that goes on."]),
        ("See:\n\n    blood serve. Now.\n\n```\nx = 1.\n```\n", ["See:"]),
        ("| a cell. | b. |\n|---|---|\n\n> Quoted. Words.\n", []),
        ("- [a link](b.md)\n- **Bold.** Then [more](c.md#d).\n", ["**Bold.", "Then more."]),
        ("Run `blood serve --port 1` (Hinton et al. 2015).", ["Run code (Hinton et al 2015)."]),
    ],
)
def test_sentences_are_those_of_prose(text: str, sentences: list[str]) -> None:
    assert list_sentences(text) == sentences


def test_words_a_sentence_are_a_mean_over_all_texts() -> None:
    assert measure(["One two three. Four.", "Five six."]) == (3, 2.0)


def test_the_readme_is_short_in_lines_and_sentences() -> None:
    assert len(read("README.md").splitlines()) <= 150
    assert measure([read("README.md")])[1] <= 14


def test_the_pages_have_short_sentences() -> None:
    texts = [page.read_text(encoding="utf-8") for page in find_pages()]
    assert measure(texts)[1] <= 16
    long = {page.name: measure([text])[1] for page, text in zip(find_pages(), texts, strict=True)}
    assert not {name: words for name, words in long.items() if words > 18}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md"])
def test_so_have_the_pages_beside_the_readme(name: str) -> None:
    assert measure([read(name)])[1] <= 16
