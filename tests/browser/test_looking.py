"""One cell, looked at closely and reviewed: with the mouse, with fingers, and with the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser_tools import (
    BROWSER,
    DESKTOP,
    PHONE,
    Visit,
    click_a_point,
    expect,
    find_a_point,
    time_a_click,
    until,
)
from tests.serving import Running, wait_for

pytestmark = BROWSER

VIEWER = ".dash-panel-classification .dash-viewer"
SCALE = f"new DOMMatrix(getComputedStyle(document.querySelector('{VIEWER} .dash-picture-inner')).transform).a"


@pytest.fixture(scope="module", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def three(browser, server: Running, cells: list[Path], request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page with three cells in its gallery, for all tests that only look at them."""
    visit = Visit(browser, server, **request.param)
    visit.upload(cells[:3])
    visit.open("Classification")
    yield visit
    visit.close()


@pytest.fixture
def looking(three: Visit) -> Visit:
    """The first of three cells is open, its heat map, which comes last, as well."""
    three.page.locator(".dash-card").first.click()
    expect_at(three, "1 of 3")
    three.page.locator(f"{VIEWER} .dash-heat").wait_for()
    return three


on_a_desk = pytest.mark.parametrize("three", [DESKTOP], ids=["desktop"], indirect=True)
on_a_phone = pytest.mark.parametrize("three", [PHONE], ids=["phone"], indirect=True)


def expect_at(visit: Visit, place: str) -> None:
    expect(visit.page.locator(f"{VIEWER} .dash-viewer-bar .dash-number")).to_have_text(place)


def group(visit: Visit) -> str:
    return visit.page.inner_text(f"{VIEWER} h2")


def test_three_cells_are_reviewed_with_the_keyboard_alone(desktop: Visit, cells: list[Path]) -> None:
    page, keys = desktop.page, desktop.page.keyboard
    desktop.upload(cells[:6])
    page.get_by_role("tab", name="Upload").focus()
    for _ in range(3):
        keys.press("ArrowRight")
    page.wait_for_selector(".dash-card")
    keys.press("j")  # from the tabs, whose arrow keys change tabs; from here on they are for the cells
    expect_at(desktop, "1 of 6")
    keys.press("c")
    page.locator(f"{VIEWER} .dash-badge-confirmed").wait_for()
    keys.press("ArrowRight")
    expect_at(desktop, "2 of 6")
    said = group(desktop)
    other = page.evaluate(f"document.querySelectorAll('{VIEWER} .dash-bar-name')[1].textContent")
    keys.press("m")
    page.get_by_role("menuitem", name=other).focus()
    keys.press("Enter")
    page.locator(f"{VIEWER} .dash-badge-moved").wait_for()
    expect(page.locator(f"{VIEWER} h2")).to_have_text(other)
    assert other != said
    keys.press("ArrowDown")
    expect_at(desktop, "3 of 6")
    keys.press("x")
    page.locator(f"{VIEWER} .dash-badge-moved").wait_for()
    expect(page.locator(f"{VIEWER} h2")).to_have_text("excluded")
    keys.press("Control+z")
    page.locator(f"{VIEWER} .dash-badge-moved").wait_for(state="hidden")
    keys.press("Escape")
    page.locator(f"{VIEWER} .dash-empty").wait_for()


@on_a_desk
def test_keys_are_left_alone_where_somebody_writes(looking: Visit) -> None:
    page = looking.page
    page.locator(f"{VIEWER} input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.locator(f"{VIEWER} .dash-decide .dash-primary").click()  # Python would hear of the keys before this
    page.locator(f"{VIEWER} .dash-badge-confirmed").wait_for()
    expect_at(looking, "1 of 3")


@on_a_desk
def test_all_keys_are_listed_behind_a_question_mark(looking: Visit) -> None:
    page = looking.page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    expect(dialog.locator("tr")).to_have_count(15)
    assert all(row.strip() for row in dialog.locator("td").all_inner_texts())
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


@on_a_desk
def test_one_looks_closer_without_the_page_moving(looking: Visit) -> None:
    page = looking.page
    box, scrolled = page.locator(f"{VIEWER} .dash-picture").bounding_box(), page.evaluate("window.scrollY")
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.mouse.wheel(0, -300)
    until(page, f"{SCALE} > 1.3")
    assert page.evaluate("window.scrollY") == scrolled
    page.keyboard.press("0")
    until(page, f"{SCALE} === 1")
    page.locator(f"{VIEWER} [aria-label='Zoom in']").click()
    until(page, f"{SCALE} === 1.5")
    heat = page.locator(f"{VIEWER} .dash-heat").bounding_box()
    image = page.locator(f"{VIEWER} .dash-image").bounding_box()
    assert image["width"] == pytest.approx(1.5 * box["width"], rel=0.02)
    assert heat["width"] < image["width"]  # it lies over the frame and grows with it
    left = image["x"]
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 100, steps=4)
    page.mouse.up()
    moved = page.locator(f"{VIEWER} .dash-image")
    wait_for(lambda: moved.bounding_box()["x"] == pytest.approx(left + 40, abs=2))
    page.locator(f"{VIEWER} .dash-picture").dblclick()
    until(page, f"{SCALE} === 1")


PINCH = """([x, y]) => {
    const box = [...document.querySelectorAll(".dash-picture")].find((found) => found.offsetParent);
    const touch = { pointerType: "touch", clientY: y, bubbles: true };
    const tell = (kind, pointerId, dx) =>
        box.dispatchEvent(new PointerEvent(kind, { ...touch, pointerId, clientX: x + dx }));
    box.setPointerCapture = () => {};  // these fingers are none
    tell("pointerdown", 11, -20), tell("pointerdown", 12, 20);
    tell("pointermove", 11, -40), tell("pointermove", 12, 40);
    tell("pointerup", 11, -40), tell("pointerup", 12, 40);
}"""


@on_a_phone
def test_two_fingers_zoom_on_a_phone(looking: Visit) -> None:
    page = looking.page
    box = page.locator(f"{VIEWER} .dash-picture").bounding_box()
    page.evaluate(PINCH, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    until(page, f"Math.abs({SCALE} - 2) < 0.05")
    page.keyboard.press("0")
    until(page, f"{SCALE} === 1")


def test_the_overlay_stays_as_it_was_from_cell_to_cell(looking: Visit) -> None:
    page = looking.page
    page.locator(f"{VIEWER} input[type=range]").fill("80")
    page.locator(f"{VIEWER} [aria-label=Next]").click()
    expect_at(looking, "2 of 3")
    expect(page.locator(f"{VIEWER} input[type=range]")).to_have_value("80")
    expect(page.locator(f"{VIEWER} .dash-heat")).to_have_css("opacity", "0.8")


def test_a_cell_is_moved_with_the_menu_and_the_map_shows_it(visit: Visit, cells: list[Path]) -> None:
    page = visit.page
    visit.upload(cells)
    visit.open("Visual analysis")
    click_a_point(visit)
    viewer = page.locator(".dash-panel-map .dash-viewer")
    expect(viewer.locator(".dash-plane-near path")).to_have_count(10)
    expect(viewer.locator(".dash-plane")).to_have_attribute("aria-label", re.compile(r"\d"))
    viewer.locator("[aria-haspopup=menu]").click()
    page.get_by_role("menuitem").last.click()
    viewer.locator(".dash-badge-moved").wait_for()
    figure = "document.querySelector('.js-plotly-plot').data[0].marker"
    until(page, f"[...{figure}.opacity].filter(opacity => opacity < 1).length === 1")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_a_lasso_chooses_cells_that_are_moved_from_the_bar(desktop: Visit, cells: list[Path]) -> None:
    page = desktop.page
    desktop.upload(cells)
    desktop.open("Visual analysis")
    assert time_a_click(desktop) > 0  # a click shows the cell; benchmarks/dashboard tells how soon
    page.get_by_role("button", name="Select several").click()
    until(page, "document.querySelector('.js-plotly-plot')._fullLayout.dragmode === 'lasso'")
    box = page.locator(".dash-map .nsewdrag").first.bounding_box()  # where plotly takes drags
    left, top = box["x"] + 5, box["y"] + 5
    right, bottom = box["x"] + box["width"] - 5, box["y"] + box["height"] - 5
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    chosen = page.locator(".dash-marked [role=status]")
    until(page, "document.querySelector('.dash-marked [role=status]').textContent !== ''")
    n = int(chosen.inner_text().split()[0])
    assert n > 5
    page.locator(".dash-marked [aria-haspopup=menu]").click()
    page.get_by_role("menuitem").first.click()
    until(page, "document.querySelector('.dash-marked [role=status]').textContent === ''")
    colours = "new Set([...document.querySelector('.js-plotly-plot').data[0].marker.color]).size"
    until(page, f"{colours} <= {len(cells) - n + 1}")


RING = """() => {
    const { left, top, width, height } = document.querySelector(".dash-ring").getBoundingClientRect();
    return [left + width / 2, top + height / 2];
}"""


def test_the_ring_goes_where_the_map_is_dragged(desktop: Visit, cells: list[Path]) -> None:
    desktop.upload(cells)
    desktop.open("Visual analysis")
    page = desktop.page
    x, y = find_a_point(desktop)
    page.mouse.click(x, y)
    page.locator(".dash-ring").wait_for()
    assert page.evaluate(RING) == pytest.approx([x, y], abs=1)
    box = page.locator(".dash-map .nsewdrag").first.bounding_box()
    left, top = box["x"] + 8, box["y"] + 8  # no cell is there
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 40, top + 30, steps=4)
    page.mouse.up()
    until(page, f"Math.abs(({RING})()[0] - {x + 40}) < 1 && Math.abs(({RING})()[1] - {y + 30}) < 1")
    page.keyboard.press("Escape")
    page.locator(".dash-ring").wait_for(state="hidden")
