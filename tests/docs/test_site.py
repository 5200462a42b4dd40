"""Builds the site once and holds that no link is dead, no other host is asked, and nothing is missing.

Whether sentences are short is for `test_words.py`, what they say for their readers.
"""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from blood_lib import inference
from blood_lib.bundle import ClassInfo, Preprocessing, Thresholds
from blood_lib.tables.cells import COLUMNS, REVIEW_COLUMNS
from docs.tools import reference
from docs.tools.site import DOCS, ROOT, build_site
from tests.rooms import MAY_IMPORT

CHROMIUM = shutil.which("chromium")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Page(HTMLParser):
    """What a page links (`links`), what it fetches by itself (`fetched`), and its places (`anchors`)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.fetched: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a":
            self.links |= {values.get("href", "")} - {""}
        else:
            self.fetched |= {values[name] for name in ("href", "src", "data") if name in values}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The site's folder, and how many seconds processors worked on it, whatever else they did."""
    site, began = tmp_path_factory.mktemp("docs") / "site", os.times()
    build_site(site)
    return site, sum(os.times()[:4]) - sum(began[:4])


@pytest.fixture(scope="module")
def site(built: tuple[Path, float]) -> Path:
    return built[0]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_the_site_is_built_in_less_than_a_minute(built: tuple[Path, float]) -> None:
    assert built[1] < 60


def test_no_link_is_dead(pages: dict[Path, Page]) -> None:
    dead = []
    for path, page in pages.items():
        for link in page.links | page.fetched:
            at = urlsplit(link)
            if at.scheme or at.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(at.path)).resolve() if at.path else path
            anchors = pages[target].anchors if target in pages else set()
            if not target.exists() or (at.fragment and unquote(at.fragment) not in anchors | {"__skip"}):
                dead.append((path.name, link))
    assert not dead


def test_a_page_fetches_nothing_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    foreign = [
        (path.name, link)
        for path, page in pages.items()
        for link in page.fetched
        if urlsplit(link).netloc and path.name != "404.html"
    ]
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    foreign += [
        found for text in styles for found in re.findall(r"(?:url\(|@import)[\s\"']*https?:[^)]*", text)
    ]
    assert not foreign


def test_every_page_can_be_reached_from_the_start_page(site: Path, pages: dict[Path, Page]) -> None:
    reached, waiting = set(), [site / "index.html"]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in pages:
            continue
        reached.add(path)
        links = (urlsplit(link) for link in pages[path].links)
        waiting += [(path.parent / unquote(at.path)).resolve() for at in links if at.path and not at.netloc]
    assert set(pages) - reached == {site / "404.html"}


def test_each_command_is_described(site: Path, pages: dict[Path, Page]) -> None:
    commands = {parser.prog.replace(" ", "-") for parser in reference.list_parsers()}
    assert {"blood-classify", "blood-data-fetch"} <= commands
    assert commands <= pages[site / "reference" / "commands.html"].anchors


def test_each_name_that_the_classifiers_module_offers_is_described(site: Path) -> None:
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    assert "Classifier" in inference.__all__
    assert not [name for name in inference.__all__ if name not in text]


def test_the_architecture_names_each_room_and_the_site_each_module(site: Path) -> None:
    written = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "blood_lib").rglob("__init__.py")} - {"blood_lib"}
    assert not [room for room in rooms if f"| `{room}` |" not in written]
    shown = (site / "explanation" / "architecture.html").read_text(encoding="utf-8")
    assert not [name for name in reference.list_names() if f"<code>{name}</code>" not in shown]


DOORS = {"__main__", "network", "study/moved"}  # not drawn, as the page says


def read_drawing() -> dict[str, int]:
    """Room -> how far right it stands in the drawing of who imports whom, by floor."""
    written = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    block = re.search(r"## Who imports whom\n\n((?: {4}.*\n)+)", written)[1]
    floors = re.findall(r"(\w+):(.*)", re.sub(r"\n\s+<-", " <-", block))
    return {
        room if floor == "core" else f"{floor}/{room}": step
        for floor, drawn in floors
        for step, layer in enumerate(drawn.split("<-"))
        for room in layer.replace(",", " ").split()
    }


def test_the_drawing_of_who_imports_whom_has_every_room_right_of_those_that_it_imports() -> None:
    drawn = read_drawing()
    assert drawn.keys() == MAY_IMPORT.keys() - DOORS
    wrong = [
        (room, other)
        for room in drawn
        for other in MAY_IMPORT[room]
        if other.rpartition("/")[0] == room.rpartition("/")[0] and drawn[other] >= drawn[room]
    ]
    assert not wrong


def test_the_site_says_what_each_room_may_import(site: Path) -> None:
    shown = (site / "explanation" / "architecture.html").read_text(encoding="utf-8")
    assert "<!-- generated" not in shown
    assert not [room for room in MAY_IMPORT if f"<td><code>{room}</code></td>" not in shown]


def test_the_notebooks_are_pages_with_their_figures(site: Path) -> None:
    for notebook in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
        page = site / "notebooks" / f"{notebook.stem}.html"
        figures = list((site / "notebooks" / notebook.stem).glob("*.png"))
        assert page.is_file() and figures


# --- in the checkout, as a forge shows it ---


@pytest.mark.parametrize("record", [ClassInfo, Preprocessing, Thresholds])
def test_each_key_of_a_bundle_is_described(record: type) -> None:
    written = (DOCS / "reference" / "bundle.md").read_text(encoding="utf-8")
    keys = {field.name for field in fields(record)}
    assert not [key for key in keys if not re.search(rf"`([\w\[\]]+\.)?{key}`", written)]


def test_each_column_of_the_table_is_described() -> None:
    written = (DOCS / "reference" / "table.md").read_text(encoding="utf-8")
    assert not [name for name in (*COLUMNS, *REVIEW_COLUMNS) if f"| `{name}` |" not in written]


def test_links_between_files_of_the_checkout_are_right() -> None:
    dead = []
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "binder" / "README.md"]:
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            at = urlsplit(link)
            if not at.netloc and at.path and not (page.parent / at.path).exists():
                dead.append((page.name, link))
    assert not dead


# What the page, or the section of it, that a question leads to has to say.
ANSWERS = {
    "How do I install it?": "make dashboard",
    "How do I install it without internet?": "pip install --no-index -f wheels",
    "How do I use my own model?": "blood classify cells/ --bundle my-bundle/",
    "What is `unfamiliar`?": "unlike anything the model was trained on",
    "Which image formats can it read?": "JPEG, PNG, BMP, TIFF, WebP and GIF",
    "Where do my images go?": "stay in the memory of the computer",
    "How do I adapt it to my microscope?": "blood adapt labels.csv --out my-bundle/",
    "How accurate is it on another scanner?": "On BCCD it names 59.6 % of the cells rightly",
    "How do I reproduce Figure 16 of the study?": "| Figure 16",
    "How do I cite this?": "CITATION.cff",
    "How do I report a security problem?": "report a security problem in private",
    "May I use it for a diagnosis?": "**not for diagnosis**",
    "What do the columns of the table mean?": "| `confidence` |",
    "How do I save my corrections and open them again?": "To open a saved review",
    "How do I show the page to colleagues?": "blood serve --public-name",
    "Why was my file rejected?": "empty, damaged or incomplete",
    "What happens with blasts and other types it does not know?": "A blast, too, gets one of the eight names",
    "How fast is it, and how much memory does it take?": "process takes 210 MB",
    "Does it work in my language?": "speaks English and Spanish",
    "Where do I start reading the code?": "`blood_lib/inference`",
}


def read_place(page: Path, anchor: str) -> str:
    """The text of a page, or of its section `anchor` with all below it, in one line."""
    text = page.read_text(encoding="utf-8")
    headings = list(re.finditer(r"^(#+) (.*)$", text, re.M))
    for at, heading in enumerate(headings):
        if anchor and re.sub(r"[^\w]+", "-", heading[2].lower()).strip("-") == anchor:
            later = [one.start() for one in headings[at + 1 :] if len(one[1]) <= len(heading[1])]
            return " ".join(text[heading.end() : min(later, default=len(text))].split())
    assert not anchor, f"{page.name} has no section {anchor}"
    return " ".join(text.split())


def test_twenty_questions_are_answered_within_two_clicks_from_the_readme() -> None:
    assert "(docs/index.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    index = DOCS / "index.md"
    rows = re.findall(
        r"^\| (.*\?) \| \[[^\]]+\]\(([^)#]*)#?([^)]*)\) \|$", index.read_text(encoding="utf-8"), re.M
    )
    said = {question: read_place(DOCS / page if page else index, anchor) for question, page, anchor in rows}
    assert said.keys() == ANSWERS.keys() and len(said) == 20
    assert not [question for question, answer in ANSWERS.items() if answer not in said[question]]


def test_the_figures_in_the_readme_are_those_of_the_model_card() -> None:
    readme, card = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "MODEL_CARD.md"))
    block = re.search(r"<!-- figures -->(.*)<!-- /figures -->", readme, re.S)[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.strip().splitlines()[2:]]
    assert len(rows) == 5
    assert not [row for row in rows if f"| {row[2]} | {row[3]} | {row[1]} |" not in card]


# --- in a browser ---


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_search_finds_a_page_and_no_other_host_is_asked(address: str, width: int) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    asked: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/results/training.html")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("Control+k")
        page.keyboard.type("held-out platelet")
        page.wait_for_selector("a[href*='out-of-distribution.html#types-the-model-never-saw']")
        browser.close()
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
