"""In a browser: another model takes over the whole page, and a review is saved and opened again."""

from __future__ import annotations

from pathlib import Path

import pytest

from blood_lib.archives import list_zip, write_zip
from blood_lib.bundle import Bundle
from blood_lib.study.cells import CELL_TYPES
from tests.browser_tools import BROWSER, TABS, Visit, drawn, expect, until
from tests.serving import wait_for

pytestmark = BROWSER

MORE_WORDS = (
    "blood", "white cell", "leuco", "leuko", "haemat", "hemat", "stain", "smear", "giemsa", "cell",
    "sangre", "tinci", "frotis", "célula",
)  # fmt: skip


def blood_words() -> list[str]:
    """What nobody should read on a page about digits."""
    words = {
        word for each in CELL_TYPES for word in (each.name, *each.label.values(), *each.subtypes.values())
    }
    return sorted(words | set(MORE_WORDS))


SHOWN = """() => {
    const hints = [...document.querySelectorAll(".dash-app [aria-label], .dash-app [title]")];
    const words = hints.map((node) => `${node.ariaLabel} ${node.title}`);
    return [document.title, document.querySelector(".dash-app").innerText, ...words].join(" ").toLowerCase();
}"""


def found_on(page) -> list[str]:
    """The words about blood in what the open tab shows, hints and labels included."""
    text = page.evaluate(SHOWN)
    return [word for word in blood_words() if word in text]


@pytest.fixture(scope="module")
def digits(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digits") / "any name.zip"
    path.write_bytes(write_zip(digits_bundle.contents().items()))
    return path


def test_a_page_about_digits_says_nothing_about_blood(visit: Visit, digits: Path) -> None:
    page = visit.page
    page.set_input_files(".dash-file", [digits])
    page.get_by_text("Handwritten digits").first.wait_for()
    page.get_by_role("button", name="example").click()
    page.wait_for_selector(".dash-done")
    assert "10 digits" in page.inner_text(".dash-done")
    for tab in TABS:
        visit.open(tab)
        page.locator(".dash-panel").locator("visible=true").first.wait_for()
        wait_for(lambda: not found_on(page))  # a tab draws itself when it is opened
    until(page, "document.querySelector('.dash-map canvas').points().length > 0")
    assert not found_on(page)
    legend = page.locator(".dash-legend .dash-chip:not([hidden])")
    expect(legend).to_have_count(10)
    visit.open("Classification")
    page.locator(".dash-card").first.click()
    page.locator(".dash-panel-classification .dash-viewer .dash-name").wait_for()
    assert not found_on(page)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert not found_on(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_label("Language").select_option("es")
    for tab in ("Cargar", "Ayuda", "Gráfico", "Clasificación", "Análisis visual"):
        visit.open(tab)
        wait_for(lambda: not found_on(page))


def test_a_review_is_saved_and_opened_again(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    (tmp_path / "cells").mkdir()
    visit.upload(drawn(tmp_path / "cells", 5))
    visit.open("Chart")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save review with images").click()
    saved = tmp_path / "saved.zip"
    download.value.save_as(saved)
    assert sum(name.startswith("images/") for name in list_zip(saved.read_bytes())) == 5
    visit.open("Upload")
    page.get_by_role("button", name="Remove all images").click()
    page.wait_for_selector(".dash-done", state="hidden")
    page.set_input_files(".dash-file", [saved])
    page.get_by_text("is open: 5").wait_for()
    visit.open("Classification")
    expect(page.locator(".dash-card")).to_have_count(5)
