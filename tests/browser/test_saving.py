"""In a browser: another model takes over the whole page, and a review is saved and opened again."""

from __future__ import annotations

from pathlib import Path

import pytest

from blood_lib.archives import list_zip, write_zip
from blood_lib.bundle import Bundle
from blood_lib.study.cells import CELL_TYPES
from tests.browser_tools import BROWSER, DESKTOP, SCREENS, TABS, Visit, drawn, expect, until
from tests.serving import ROOT, serving, wait_for

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
    page.get_by_role("button", name="example").click()
    page.wait_for_selector(".dash-done")
    visit.open("Classification")
    page.get_by_label("Type", exact=True).select_option("2")  # a type that means nothing to the other model
    visit.open("Upload")
    page.set_input_files(".dash-file", [digits])
    page.get_by_text("Handwritten digits").first.wait_for()
    page.get_by_role("button", name="example").click()
    page.wait_for_selector(".dash-done")
    assert "10 digits" in page.inner_text(".dash-done")
    visit.open("Classification")
    expect(page.locator(".dash-card")).to_have_count(10)
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


def test_a_bundle_can_be_served_from_its_zip_file(browser, digits: Path, tmp_path: Path) -> None:
    with serving(tmp_path, bundle=digits) as server:
        for screen in SCREENS.values():
            visit = Visit(browser, server, **screen)
            visit.page.get_by_role("heading", name="Handwritten digits").wait_for()
            visit.page.get_by_role("button", name="example").click()
            visit.page.wait_for_selector(".dash-done")
            assert "10 digits" in visit.page.inner_text(".dash-done")
            assert not found_on(visit.page)
            visit.close()


def test_nothing_of_a_visit_is_left_on_the_disk(
    browser, tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / name for name in ("HOME", "TMPDIR", "log")]
    for place in places:
        place.mkdir()
        monkeypatch.setenv(place.name, str(place))
    (tmp_path / "cells").mkdir()
    cells = drawn(tmp_path / "cells", 5)
    around = set(ROOT.iterdir())
    with serving(tmp_path / "log", bundle=tiny_bundle.path) as server:
        visit = Visit(browser, server, **DESKTOP)
        visit.upload(cells)
        visit.open("Classification")
        visit.page.locator(".dash-card").first.click()
        visit.open("Chart")
        for button in ("Report", "Save review with images"):
            with visit.page.expect_download() as download:
                visit.page.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / "saved.zip")
        visit.open("Upload")
        visit.page.set_input_files(".dash-file", [tmp_path / "saved.zip"])
        visit.page.get_by_text("is open: 5").wait_for()
        left = [
            path for place in places for path in place.rglob("*") if path.is_file()
        ]  # while it is open, too
        contents = [path.read_bytes() for path in left]
        visit.close()
    left = [path for place in places for path in place.rglob("*") if path.is_file()]
    contents += [path.read_bytes() for path in left]
    assert contents  # the log at least
    for cell in cells:
        pixels = cell.read_bytes()[33:97]  # after a PNG file's head
        assert not [content for content in contents if pixels in content or cell.name.encode() in content]
    assert set(ROOT.iterdir()) == around


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
