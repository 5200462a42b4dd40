"""What is taken away: the report, one file that runs nothing, and a table that says what the screen says."""

from __future__ import annotations

import csv
import io
import re
import time
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

import pytest
from PIL import Image

from blood_lib.dashboard.app import App
from blood_lib.dashboard.report.page import Facts, iter_report
from blood_lib.dashboard.state import EXCLUDED
from blood_lib.dashboard.state.commands import Cancel, Command, Move, SaveReport, SaveTable
from blood_lib.dashboard.state.messages import Messages, Sentence
from blood_lib.inference import Classifier
from tests.dashboard.chart.test_chart import CLASSES, NOUN
from tests.tools.dashboard_tools import WAIT, classify, drawn_files, say
from tests.tools.fixtures_bundle import draw_cell, encode, save_tiny_bundle

EVIL = '<img src=x onerror="alert(1)">.png'
WHEN = datetime(2026, 3, 4, 15, 16, tzinfo=UTC)
CARD = {
    "metrics": [
        {"name": "accuracy", "where": {"en": "at home"}, "n": 90, "value": 0.5, "low": 0.4, "high": 0.6},
        {"name": "accuracy", "where": {"en": "abroad"}, "n": 80, "value": 0.25},
    ],
    "reference_ranges": {"en": "Ranges of grown-up squares."},
}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = tmp_path_factory.mktemp("reported")
    return Classifier(save_tiny_bundle(folder, classes=CLASSES, differential=NOUN, card=CARD))


@pytest.fixture
def app(classifier: Classifier) -> App:
    """Three cells, one with a hostile name, moved from red to blue, and a file that is no image."""
    app = App(classifier)
    classify(app, [*drawn_files()[1:], (EVIL, encode(draw_cell())), ("text.jpg", b"no image")])
    app.state.command = Move((app.state.cells[2].id,), "blue")
    return app


def write(app: App, **changes: object) -> str:
    state = app.state
    facts = {
        "bundle": state.bundle,
        "cells": state.cells,
        "rejected": state.rejected,
        "ranges": state.ranges,
        "reviewer": "Dr. Ada <b>",
        "adapted": False,
        "when": WHEN,
    }
    return "".join(iter_report(Facts(**(facts | changes)), state.messages))


def words(html: str) -> str:
    """The text that is read, on one line."""
    return " ".join(unescape(re.sub("(?s)<style>.*?</style>|<[^>]*>", " ", html)).split())


def table(app: App) -> list[dict[str, str]]:
    app.state.command = SaveTable()
    return list(csv.DictReader(io.StringIO(app.state.download.content.decode("utf-8-sig"))))


# --- the report ---


def test_the_report_says_who_when_and_with_what(app: App) -> None:
    text = words(write(app))
    assert "Dr. Ada <b>" in text and "2026-03-04 15:16" in text
    assert app.state.bundle.sha256 in text and "Coloured squares" in text
    assert app.state.messages("help.not_diagnosis") in text
    assert "at home" in text and "50.0 %" in text and "abroad" in text and "25.0 %" in text


def test_the_report_says_what_the_chart_says(app: App) -> None:
    app.state.tab = "chart"
    html = write(app)
    for group in app.chart.differential.table["groups"]:
        assert group["title"] in words(html)
        for row in group["rows"]:
            line = next(line for line in html.split("<tr") if f"{row['label']}</th>" in line)
            seen = words("<tr" + line)
            for key in ("n", "share", "interval", "verdict"):
                assert row[key] in seen
    assert app.chart.differential.table["caution"] in words(html)
    assert app.chart.page.value in html


def test_the_three_ways_to_a_group_stand_apart_in_report_and_table(app: App) -> None:
    state = app.state
    first, second, third = state.cells
    state.cells = (
        replace(first, group=first.said),
        replace(second, group=second.said, bulk=True),
        replace(third, group=None),
    )
    assert [row["reviewed"] for row in table(app)[:3]] == ["person", "bulk", "no"]
    html = write(app)
    head = words(html[: html.index("<section")])
    assert "Decided by a person 1 of 3" in head and "Reviewed by" not in head
    assert "Decided by a person: 1 of 3 (0 moved). Accepted in bulk: 1." in words(html)
    assert html.count('<figure class="bulk">') == html.count('<figure class="confirmed">') == 1


def test_where_most_are_unfamiliar_the_report_assesses_nothing_and_says_why(app: App) -> None:
    state = app.state
    state.cells = tuple(
        replace(cell, group=None, result=replace(cell.result, label="red", status="unfamiliar"))
        for cell in state.cells
    )
    html = write(app)
    assert "3 of the 3 primary squares are unfamiliar to the model" in words(html)
    assert not re.search(r"[▲▼△▽✓] (above|below|perhaps|inside)", words(html))


def test_what_the_reviewer_changed_is_listed_with_what_the_model_said(app: App) -> None:
    cell = app.state.cells[2]
    text = words(write(app))
    confidence = app.state.messages.probability(cell.confidence)
    assert f"{EVIL} red, {confidence}, {app.state.messages(f'state.{cell.status}')} blue" in text
    assert "→ the model said red" in text
    assert "1 square was moved" in text


def test_rejected_files_are_listed_with_their_reason(app: App) -> None:
    file = app.state.rejected[0]
    assert f"text.jpg {app.state.messages.reason(file.reason)}" in words(write(app))


def test_an_edited_range_is_marked(app: App) -> None:
    assert "*" not in words(write(app))
    text = words(write(app, ranges={"red": (1, 2)}))
    assert "1–2 %*" in text and app.state.messages("report.edited") in text
    assert "grown-up squares" in text


def test_every_cell_has_its_picture(app: App) -> None:
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', write(app))
    assert len(pictures) == 3
    for content in pictures:
        with Image.open(io.BytesIO(b64decode(content))) as image:
            assert image.size == (96, 96)


class Tags(HTMLParser):
    """Every tag with its attributes, and those that were closed in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_report_is_one_file_that_runs_nothing(app: App) -> None:
    tags = Tags()
    tags.feed(write(app, reviewer=EVIL))
    assert not tags.open and not tags.wrong
    assert "script" not in {tag for tag, _ in tags.found}
    for tag, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "srcset")], tag
        assert attributes.get("src", "data:").startswith("data:")
    assert "url(#" in write(app) or "url(" not in write(app)


def test_the_report_is_in_the_language_of_the_page(app: App) -> None:
    app.state.language = "es"
    html = write(app)
    assert '<html lang="es">' in html
    assert Messages.for_bundle(app.state.bundle, "es")("help.not_diagnosis") in words(html)
    assert "azul" in words(html)


def test_a_bundle_without_a_differential_makes_a_report_without_ranges(tiny_classifier: Classifier) -> None:
    app = App(tiny_classifier)
    classify(app, drawn_files())
    text = words(write(app))
    assert app.state.messages("chart.reference") not in text
    assert "Squares: 3" in text


# --- how it is made ---


def test_the_report_is_written_in_the_background_and_handed_over(app: App) -> None:
    say(app.chart.differential, kind="reviewer", name="Ada")
    say(app.chart.differential, kind="report")
    app.controller.wait(WAIT)
    download = app.state.download
    assert re.fullmatch(r"report \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.html", download.name)
    assert download.type == "text/html"
    assert "Ada" in words(download.content.decode())
    assert app.state.progress is None and not app.state.error


def test_a_report_that_was_cancelled_is_not_handed_over(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    app.state.cells *= 1000

    def cancel_early(change: dict) -> None:
        if change["new"] is not None:
            seen.append(change["new"])
            if change["new"].done > 100:
                app.state.command = Cancel()

    app.state.observe(cancel_early, "progress")
    app.state.command = SaveReport()
    app.controller.wait(WAIT)
    assert app.state.download is None and app.state.progress is None
    assert {step.kind for step in seen} == {"report"} and seen[0].total == 3000
    assert seen[-1].done < 3000


@pytest.mark.parametrize("command", [SaveReport(), SaveTable()], ids=["report", "table"])
def test_of_nothing_nothing_is_taken_away(tiny_classifier: Classifier, command: Command) -> None:
    app = App(tiny_classifier)
    app.state.command = command
    assert app.state.download is None
    assert app.state.error == Sentence("report.nothing")


def test_a_thousand_cells_make_a_report_of_a_few_megabytes_in_seconds(app: App) -> None:
    content = encode(draw_cell(size=(360, 363)), "JPEG")
    app.state.cells = tuple(
        type(cell)(i, cell.name, cell.result, content)
        for i, cell in zip(range(1000), app.state.cells * 334, strict=False)
    )
    start = time.process_time()  # whatever else runs on this machine
    app.state.command = SaveReport()
    app.controller.wait(WAIT)
    assert time.process_time() - start < 10
    assert app.state.download.content.count(b"<figure") == 1000
    assert len(app.state.download.content) < 8e6


# --- the table ---


def test_the_table_begins_like_that_of_the_command_line(app: App) -> None:
    names = list(table(app)[0])
    where = ["cell", "x", "y", "width", "height", "diameter_um"]
    assert names[:11] == ["file", *where, "status", "reason", "label", "confidence"]
    assert names[11:] == ["p_red", "p_green", "p_blue", "group", "reviewed"]


def test_the_table_has_a_row_per_file_with_where_it_stands(app: App) -> None:
    app.state.command = Move((app.state.cells[0].id,), EXCLUDED)
    rows = {row["file"]: row for row in table(app)}
    assert len(rows) == 4
    assert (rows[EVIL]["label"], rows[EVIL]["group"], rows[EVIL]["reviewed"]) == ("red", "blue", "person")
    assert (rows["green.png"]["group"], rows["green.png"]["reviewed"]) == ("excluded", "person")
    assert (rows["blue.png"]["group"], rows["blue.png"]["reviewed"]) == ("blue", "no")
    assert rows["text.jpg"]["status"] == "rejected" and rows["text.jpg"]["group"] == ""


def test_what_the_table_says_is_what_the_screen_says(app: App) -> None:
    app.state.command = Move((app.state.cells[0].id,), EXCLUDED)
    app.state.tab = "chart"
    found = Counter(row["group"] or row["status"] for row in table(app))
    shown = [row for group in app.chart.differential.table["groups"] for row in group["rows"]]
    labels = {"red": "red", "green": "green", "blue": "blue", "unidentified": "unidentified"}
    labels |= {"excluded": "excluded", "rejected files": "rejected"}
    assert {labels[row["label"]]: int(row["n"]) for row in shown} == {
        name: found[name] for name in labels.values()
    }
    assert sum(found.values()) == 4


def test_the_tables_reasons_are_in_the_language_of_the_page_and_all_else_is_not(app: App) -> None:
    app.state.language = "es"
    row = {row["file"]: row for row in table(app)}["text.jpg"]
    assert row["status"] == "rejected"
    assert row["reason"] == Messages("es")("reason.no_image")
