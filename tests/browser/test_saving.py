"""In a browser: another model takes over the whole page, and a review is saved and opened again."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest

from blood_lib.bundle import Bundle
from blood_lib.files.archives import list_zip, write_zip
from blood_lib.study.cells import CELL_TYPES
from tests.tools.browser_tools import BROWSER, DESKTOP, SCREENS, SHOWN, TABS, Visit, drawn, expect, until
from tests.tools.digits import COLOURS, ENGLISH
from tests.tools.serving import ROOT, serving, wait_for

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
    page.locator(".dash-others summary").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Load another model").click()
    chooser.value.set_files(digits)
    page.get_by_role("heading", name="Handwritten digits").wait_for()
    page.get_by_role("button", name="example").click()
    page.wait_for_selector(".dash-done")
    assert "10 digits" in page.inner_text(".dash-done")
    visit.open("Classification")
    numbers = page.locator(".dash-group:not([hidden]) .dash-number")  # not all cards are drawn
    wait_for(lambda: sum(map(int, numbers.all_inner_texts())) == 10)
    visit.open("Chart")
    expect(page.locator(".dash-bars th[scope=row]")).to_have_text(list(ENGLISH))
    wait_for(lambda: sum(map(int, page.locator(".dash-count").all_inner_texts())) == 10)
    expect(page.locator(".dash-limit")).to_have_count(0)  # no differential
    expect(page.locator(".dash-caution")).to_be_hidden()
    visit.open("Help")
    expect(page.locator(".dash-help")).to_contain_text("scikit-learn, load_digits")
    for tab in TABS:
        visit.open(tab)
        page.locator(".dash-panel").locator("visible=true").first.wait_for()
        wait_for(lambda: not found_on(page))  # a tab draws itself when it is opened
    until(page, "document.querySelector('.dash-map canvas').points().length > 0")
    assert not found_on(page)
    legend = page.locator(".dash-legend .dash-chip:not([hidden])")
    expect(legend).to_have_count(10)
    fills = "all => all.map(path => path.getAttribute('fill'))"
    assert legend.locator("path").evaluate_all(fills) == list(COLOURS)
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
    visit.open("Cargar")
    page.locator(".dash-others summary").click()
    page.get_by_role("button", name="Volver al primer modelo").click()
    page.get_by_role("heading", name="Células sanguíneas").wait_for()


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


def list_new(folders: dict[Path, set[Path]]) -> list[bytes]:
    """What the files hold that are in these folders now and were not before."""
    found = [path for folder, before in folders.items() for path in set(folder.rglob("*")) - before]
    contents = []
    for path in found:
        with contextlib.suppress(FileNotFoundError):  # a server that still works has taken it away
            contents += [path.read_bytes()] if path.is_file() else []
    return contents


def test_nothing_of_a_visit_is_left_on_the_disk(
    browser, tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cells", "log"):
        (tmp_path / name).mkdir()
    cells = drawn(tmp_path / "cells", 5)
    with tempfile.TemporaryDirectory(dir="/tmp") as home, tempfile.TemporaryDirectory(dir="/tmp") as scratch:
        monkeypatch.setenv("HOME", home)
        monkeypatch.setenv("TMPDIR", scratch)  # a short path: so the kernels' sockets are here, too
        folders = {Path(home): set(), Path(scratch): set(), tmp_path / "log": set()}
        folders[ROOT / "notebooks"] = set((ROOT / "notebooks").rglob("*"))
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
            visit.page.set_input_files(
                ".dash-file", [tmp_path / "saved.zip"]
            )  # it replaces: nothing is asked
            visit.page.get_by_text("is open: 5").wait_for()
            left = list_new(folders)  # while the page is open
            visit.close()
        left += list_new(folders)
    assert left  # the log at least
    heads = (b"\x89PNG", b"\xff\xd8\xff", b"PK\x03\x04")  # images and archives of any kind
    assert not [content for content in left if content.startswith(heads)]
    for cell in cells:
        pixels = cell.read_bytes()[33:97]  # behind a PNG file's head
        assert not [content for content in left if pixels in content or cell.name.encode() in content]


def test_a_review_is_saved_and_opened_again(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    (tmp_path / "cells").mkdir()
    visit.upload(drawn(tmp_path / "cells", 5))
    visit.open("Classification")
    page.locator(".dash-card").first.focus()
    page.keyboard.press("x")
    expect(page.locator(".dash-card-moved")).to_have_count(1)
    visit.open("Chart")
    page.get_by_label("Reviewer").fill("Ada")
    for images, n in (("with", 5), ("without", 0)):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save review {images} images").click()
        download.value.save_as(tmp_path / f"{images}.zip")
        names = list_zip((tmp_path / f"{images}.zip").read_bytes())
        assert sum(name.startswith("images/") for name in names) == n
    for images in ("with", "without"):
        visit.open("Upload")
        page.get_by_role("button", name="Remove all images").click()
        page.wait_for_selector(".dash-done", state="hidden")
        page.set_input_files(".dash-file", [tmp_path / f"{images}.zip"])
        page.get_by_text("is open: 5").wait_for()
        page.locator(".dash-status .dash-notice button").click()
        expect_as_saved(visit, has_images=images == "with")


def expect_as_saved(visit: Visit, *, has_images: bool) -> None:
    """One of five moved, by Ada; where the model looked is laid over an image that is there."""
    page = visit.page
    visit.open("Classification")
    expect(page.locator(".dash-card")).to_have_count(5)
    expect(page.locator(".dash-card-moved")).to_have_count(1)
    page.locator(".dash-card").first.click()
    neighbours = page.locator(".dash-panel-classification .dash-neighbours li")
    neighbours.first.wait_for()  # they come with the heat map
    assert page.locator(".dash-panel-classification .dash-heat").is_visible() == has_images
    page.keyboard.press("Escape")
    visit.open("Chart")
    expect(page.get_by_label("Reviewer")).to_have_value("Ada")
