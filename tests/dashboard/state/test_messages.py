"""The sentences of the page: every language has all of them, and writes numbers in its own way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest
from ipywidgets import HTML

from blood_lib.bundle import BundleError
from blood_lib.dashboard.app import App
from blood_lib.dashboard.state import TABS
from blood_lib.dashboard.state.messages import Messages, choose_language
from blood_lib.dashboard.widgets.widget import Widget
from blood_lib.files.reasons import REASONS, STATUSES, Reason
from blood_lib.inference import Classifier
from tests import ROOT
from tests.tools.dashboard_tools import classify, drawn_files, listen, say

FOLDER = ROOT / "blood_lib" / "dashboard"
MESSAGES = sorted((FOLDER / "state" / "messages").glob("*.json"))
TEXTS = {path.stem: json.loads(path.read_text("utf-8")) for path in MESSAGES}
WORDS = {"item", "items", "counted", "Item", "Items", "Counted"}
ENGLISH = set(
    re.findall(r"\w+", "the of and is are to with for not this that what file image upload click your")
)


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
    for path in MESSAGES:
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


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (["es-MX", "en"], "es"),
        (["fr", "es"], "es"),
        ([" EN-gb"], "en"),
        (["fr"], "en"),
        ([], "en"),
        (["e"], "en"),
    ],
)
def test_a_visitor_gets_the_first_language_that_there_is(wanted: list[str], language: str) -> None:
    assert choose_language(wanted) == language


def test_a_reason_is_said_in_the_language() -> None:
    reason = Reason("uncertain", {"confidence": 0.5, "limit": 0.95})
    assert "50,0 %" in Messages("es").reason(reason)
    assert Messages("es").reason(None) == ""


# --- what the code asks for ---


@pytest.fixture
def app(tiny_classifier: Classifier) -> App:
    """In Spanish, with cells, a file that is no image, and every tab drawn."""
    app = App(tiny_classifier, language="es")
    classify(app, [*drawn_files(), ("text.jpg", b"no image")])
    app.state.current = app.state.cells[0].id
    for tab in TABS:
        app.state.tab = tab
    assert not app.state.error
    return app


def walk(widget: Any) -> Iterator[Any]:
    """The widget and all that is in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)


def widgets(app: App) -> list[Widget]:
    return list({id(widget): widget for widget in walk(app) if isinstance(widget, Widget)}.values())


CODE = "\n".join(path.read_text("utf-8") for path in FOLDER.parent.rglob("*.py"))
PAGE = "\n".join(path.read_text("utf-8") for path in (FOLDER / "server" / "jupyter").rglob("*.*"))


def test_no_sentence_is_asked_for_that_is_not_there(app: App) -> None:
    asked = re.findall(r"(?:\bt|messages|Sentence)\(\s*[\"'](\w+\.[\w.]+)[\"']", CODE)
    assert len(asked) > 20
    assert not [key for key in asked if key not in TEXTS["en"]]
    for widget in widgets(app):
        names = re.findall(r"(?:\btext\.|\bcount\(\")(\w+)", widget._esm)
        assert not [name for name in names if name not in widget.text], widget


def starts(name: str) -> list[str]:
    """What a name that is put together may begin with: "working." of "working.report"."""
    return [name[: match.end()] for match in re.finditer(r"[._]", name)]


def is_asked_for_in_python(section: str, name: str) -> bool:
    if re.search(rf"""["']{re.escape(f"{section}.{name}")}["']""", CODE):
        return True
    if any(f'f"{section}.{start}{{' in CODE for start in starts(name)):
        return True
    given = section == "reason" or name.startswith("metric.")  # by the core's codes, by a bundle's card
    return f'f"{section}.{{' in CODE and (given or f'"{name}"' in CODE)


def is_in_script(name: str, script: str) -> bool:
    if name in STATUSES and re.search(r"\btext\[\w+\]", script):
        return True  # Python tells the script which statuses there are
    whole = rf'\.{re.escape(name)}\b|"{re.escape(name)}"|\b{re.escape(name)}:'
    return bool(re.search(whole, script)) or any(f"`{start}${{" in script for start in starts(name))


def test_no_sentence_is_there_that_nobody_asks_for(app: App) -> None:
    """As far as reading can tell: by its key, by its name where the key is put together, or in a script."""
    scripts: dict[str, str] = {"page": PAGE}
    for widget in widgets(app):
        scripts[widget.section] = scripts.get(widget.section, "") + widget._esm
    unused = []
    for key in TEXTS["en"]:
        section, name = key.removesuffix(".one").split(".", 1)
        if not is_asked_for_in_python(section, name) and not is_in_script(name, scripts.get(section, "")):
            unused.append(key)
    assert not unused


def read_all(app: App) -> str:
    """All that the page shows as text, but for what comes from files and the names of languages."""
    texts = [widget.value for widget in walk(app) if isinstance(widget, HTML)]
    for widget in widgets(app):
        names = [name for name in widget.trait_names(sync=True) if not name.startswith("_")]
        texts += [text for name in names for text in find_texts(getattr(widget, name)) if text not in TABS]
    return re.sub(r"<[^>]*>|\w+\.(?:png|jpg)", " ", " ".join(texts))


def find_texts(value: Any) -> Iterator[str]:
    """Every text in a value that is made of lists and dicts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from find_texts(part)


def test_a_page_in_spanish_shows_no_english(app: App) -> None:
    shown = set(re.findall(r"[^\W\d_]+", read_all(app).lower()))
    assert {"cargar", "cuadrados", "rojo"} <= shown
    assert not shown & ENGLISH


def test_reasons_reach_the_page_in_its_language(app: App) -> None:
    heard = listen(app.classification.gallery)
    say(app.classification.gallery, kind="hello")
    rejected = [row for message in heard for row in message.content.get("rejected", [])]
    assert rejected == [["text.jpg", TEXTS["es"]["reason.no_image"]]]


def test_what_is_wrong_with_a_bundle_is_told_in_the_language(app: App) -> None:
    app.state.report(BundleError("the bundle is damaged."))
    assert app.status.error.startswith("No se puede cargar el modelo. Descárguelo de nuevo")
    assert app.status.error.endswith("the bundle is damaged.")


@pytest.mark.parametrize(
    ("p", "shown"),
    [(1.0, "100.0 %"), (0.9996, "> 99.9 %"), (0.0001, "< 0.1 %"), (0.0, "0.0 %"), (0.638, "63.8 %")],
)
def test_a_probability_is_certain_only_where_it_is(p: float, shown: str) -> None:
    assert Messages("en").probability(p) == shown
