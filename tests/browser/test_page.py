"""The dashboard in a real browser: uploads, opens every tab, clicks the map, and asks no other host."""

from __future__ import annotations

import os
import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

from tests.tools.browser_tools import (
    BROWSER,
    DESKTOP,
    TABS,
    Visit,
    click_a_point,
    expect,
    kernels_of,
    until,
    zip_many,
)
from tests.tools.fixtures_bundle import draw_cell, encode
from tests.tools.serving import Running, wait_for

EVIL = "<img src=x onerror=window.pwned=1>.png"

pytestmark = BROWSER


DOUBTS = """cards => cards.map(({ item }) =>
    [["unfamiliar", "uncertain", "ok"].indexOf(item.status), item.confidence])"""


def test_upload_all_tabs_and_a_click_on_the_map(visit: Visit, cells: list[Path]) -> None:
    page = visit.page
    for tab in ("Chart", "Classification", "Visual analysis"):
        visit.open(tab)
        what_to_do = page.get_by_role("tabpanel").get_by_text("Upload some images")
        expect(what_to_do.locator("visible=true")).to_have_count(1)
    visit.open("Upload")
    visit.upload(cells)
    assert f"{len(cells)} " in page.inner_text(".dash-done")
    for tab in TABS:
        visit.open(tab)
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page.get_by_role("tabpanel")).to_be_visible()
    visit.open("Chart")
    page.wait_for_selector(".dash-pie")
    wait_for(lambda: sum(map(int, page.locator(".dash-count").all_inner_texts())) == len(cells))
    visit.open("Classification")
    numbers = "[...document.querySelectorAll('.dash-group .dash-number')].map(n => Number(n.textContent))"
    until(page, f"{numbers}.reduce((sum, n) => sum + n, 0) === {len(cells)}")
    until(page, "document.querySelector('.dash-card img').naturalWidth > 0")
    for group in page.locator(".dash-group:not([hidden]) .dash-grid").all():
        doubts = group.locator(".dash-card").evaluate_all(DOUBTS)
        assert doubts == sorted(doubts)  # the most doubtful first
    if not visit.has_touch:  # on a phone there is a viewer only where there is a cell
        expect(page.locator(".dash-panel-classification .dash-viewer .dash-empty")).to_be_visible()
    visit.open("Visual analysis")
    name = click_a_point(visit)
    viewer = page.locator(".dash-panel-map .dash-viewer")
    expect(viewer.locator(".dash-name")).to_have_text(name)
    expect(viewer.locator(".dash-probabilities li").nth(1)).to_be_visible()
    for picture in (".dash-image", ".dash-heat"):
        viewer.locator(picture).wait_for()
        assert viewer.locator(picture).evaluate("image => image.decode().then(() => image.naturalWidth)") > 1
    assert "%" in viewer.locator(".dash-said").inner_text()


@pytest.fixture(scope="module")
def one_page(browser, server: Running) -> Iterator[Visit]:
    """For tests that go well one after another."""
    visit = Visit(browser, server, **DESKTOP)
    yield visit
    visit.close()


def test_all_scripts_of_the_page_come_at_once(one_page: Visit) -> None:
    """What comes late belongs into blood_lib/dashboard/jupyter/chunks.txt."""
    asked = [urlparse(url).path.removeprefix("/") for url in one_page.requests]
    first = [path for path in asked if re.search(r"/(voila|remoteEntry\.\w+|plain|page)\.js$", path)]
    late = [path for path in asked if re.match(r"voila/.*\.js$", path)]
    assert sorted(set(late) - set(first)) == []
    assert len(first) == len(set(first))


def test_a_tab_is_reached_by_keys_alone(one_page: Visit) -> None:
    one_page.open("Upload")
    for tab in TABS[1:]:
        one_page.page.keyboard.press("ArrowRight")
        expect(one_page.page.get_by_role("tab", name=tab, selected=True)).to_be_focused()


def test_the_examples_are_there_with_one_click(one_page: Visit) -> None:
    one_page.open("Upload")
    one_page.page.get_by_role("button", name="example").click()
    expect(one_page.page.locator(".dash-done")).to_contain_text("classified")


def test_bad_files_and_hostile_names_are_listed_and_run_nothing(desktop: Visit, tmp_path: Path) -> None:
    page = desktop.page
    (tmp_path / EVIL).write_bytes(encode(draw_cell()))
    (tmp_path / "text.jpg").write_text("I am a text.")
    (tmp_path / "empty.png").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        archive.writestr("inner.png", encode(draw_cell()))
        archive.writestr("broken.png", encode(draw_cell())[:50])
    desktop.upload(sorted(tmp_path.iterdir()))
    desktop.open("Classification")
    page.wait_for_selector(".dash-rejected")
    rows = page.locator(".dash-rejected tbody tr").all_inner_texts()
    assert [row.split("\t")[0].strip() for row in rows] == ["empty.png", "many.zip/broken.png", "text.jpg"]
    assert all(len(row.split("\t")[1]) > 10 for row in rows)
    statuses = page.get_by_role("group", name="Show").get_by_role("button")
    statuses.filter(has_text="Rejected").click()
    expect(page.locator(".dash-card")).to_have_count(0)
    expect(page.locator(".dash-rejected tbody tr").locator("visible=true")).to_have_count(3)
    statuses.filter(has_text="Unfamiliar").click()  # a drawing is no cell
    expect(page.locator(".dash-card")).to_have_count(2)
    expect(page.locator(".dash-rejected")).to_be_hidden()
    statuses.filter(has_text="All").click()
    page.locator(f'.dash-card[title="{EVIL}"]').click()
    page.get_by_text(EVIL, exact=True).locator("visible=true").wait_for()
    desktop.open("Visual analysis")
    click_a_point(desktop)
    assert page.evaluate("window.pwned") is None


DROP = """async ([name, bytes]) => {
    const zone = document.querySelector(".dash-drop"), transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name));
    for (const kind of ["dragenter", "dragover", "drop"])
        zone.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
}"""


def test_a_dropped_file_is_classified(one_page: Visit) -> None:
    one_page.open("Upload")
    there = one_page.page.locator(".dash-done").count() > 0  # from the tests before
    one_page.page.evaluate(DROP, ["dropped.png", list(encode(draw_cell()))])
    if there:
        one_page.page.locator(".dash-ask").get_by_role("button", name="Replace").click()
    one_page.page.wait_for_selector(".dash-done")
    one_page.open("Classification")
    one_page.page.wait_for_selector('.dash-card[title="dropped.png"]')


def test_visitors_do_not_see_each_others_images(browser, server: Running, cells: list[Path]) -> None:
    one, other = (Visit(browser, server, **DESKTOP) for _ in range(2))
    one.upload(cells[:3])
    other.open("Classification")
    other.page.wait_for_selector(".dash-gallery .dash-empty")
    assert other.page.locator(".dash-card").count() == 0
    one.close()
    other.close()


def test_a_page_that_is_left_leaves_no_kernel(browser, server: Running) -> None:
    visit = Visit(browser, server, **DESKTOP)
    mine = kernels_of(visit, server)
    visit.reload()
    visit.page.wait_for_selector(".dash-drop")
    wait_for(lambda: not mine & set(server.kernels()))
    second = kernels_of(visit, server)
    visit.close()
    wait_for(lambda: not second & set(server.kernels()))


def test_a_page_whose_kernel_has_died_says_so(browser, server: Running) -> None:
    visit = Visit(browser, server, **DESKTOP)
    for pid in kernels_of(visit, server):
        os.kill(pid, signal.SIGKILL)
    visit.page.get_by_role("button", name="Reload").wait_for()
    visit.context.close()


def test_a_thousand_images_stay_usable(visit: Visit, tmp_path: Path) -> None:
    page, n = visit.page, 1000
    visit.upload([zip_many(tmp_path, n)])
    assert "1,000 " in page.inner_text(".dash-done")
    visit.open("Classification")
    until(page, "document.querySelector('.dash-card img')?.naturalWidth > 0")
    assert page.locator(".dash-card").count() < n / 2  # only what is near
    page.locator(".dash-card").last.scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('.dash-card img')].at(-1).naturalWidth > 0")
    visit.open("Visual analysis")
    click_a_point(visit)
