"""One cell, looked at closely and reviewed: with the mouse, with fingers, and with the keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.browser_tools import (
    BROWSER,
    POINTS,
    Visit,
    expect,
    on_a_desk,
    on_a_phone,
    ring_is_at,
    settle,
    touch,
    until,
)
from tests.tools.serving import wait_for

pytestmark = BROWSER

VIEWER = ".dash-panel-classification .dash-viewer"
SCALE = f"new DOMMatrix(getComputedStyle(document.querySelector('{VIEWER} .dash-picture-inner')).transform).a"


@pytest.fixture(scope="module")
def three(shared: Visit, cells: list[Path]) -> Visit:
    """A page with three cells, for all tests that only look at them."""
    shared.upload(cells[:3])
    return shared


@pytest.fixture
def looking(three: Visit) -> Visit:
    """The first of three cells is open, its heat map, which comes last, as well."""
    three.open("Classification")
    three.page.keyboard.press("Escape")  # or, on a phone, what was open lies over the cards
    three.page.locator(f"{VIEWER} .dash-name").wait_for(state="hidden")
    three.page.locator(".dash-card").first.click()
    expect_at(three, "1 of 3")
    three.page.locator(f"{VIEWER} .dash-heat").wait_for()
    return three


def expect_at(visit: Visit, place: str) -> None:
    expect(visit.page.locator(f"{VIEWER} .dash-viewer-bar .dash-number")).to_have_text(place)


def group(visit: Visit) -> str:
    return visit.page.inner_text(f"{VIEWER} h2")


def test_three_cells_are_reviewed_with_the_keyboard_alone(visit: Visit, cells: list[Path]) -> None:
    page, keys = visit.page, visit.page.keyboard
    visit.upload(cells[:6])
    page.get_by_role("tab", name="Upload").focus()
    for _ in range(3):
        keys.press("ArrowRight")
    page.wait_for_selector(".dash-card")
    keys.press("j")  # from the tabs, whose arrow keys change tabs; from here on they are for the cells
    expect_at(visit, "1 of 6")
    keys.press("c")
    page.locator(f"{VIEWER} .dash-badge-confirmed").wait_for()
    keys.press("ArrowRight")
    expect_at(visit, "2 of 6")
    said = group(visit)
    other = page.evaluate(f"document.querySelectorAll('{VIEWER} .dash-bar-name')[1].textContent")
    keys.press("m")
    page.get_by_role("menuitem", name=other).focus()
    keys.press("Enter")
    page.locator(f"{VIEWER} .dash-badge-moved").wait_for()
    expect(page.locator(f"{VIEWER} h2")).to_have_text(other)
    assert other != said
    keys.press("ArrowDown")
    expect_at(visit, "3 of 6")
    keys.press("x")
    page.locator(f"{VIEWER} .dash-badge-moved").wait_for()
    expect(page.locator(f"{VIEWER} h2")).to_have_text("excluded")
    keys.press("Control+z")
    page.locator(f"{VIEWER} .dash-badge-moved").wait_for(state="hidden")
    keys.press("Escape")
    page.locator(f"{VIEWER} .dash-name").wait_for(state="hidden")


@on_a_desk
def test_keys_are_left_alone_where_somebody_writes(looking: Visit) -> None:
    page = looking.page
    page.locator(f"{VIEWER} input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.locator(f"{VIEWER} .dash-decide .dash-primary").click()  # Python would hear of the keys before this
    page.locator(f"{VIEWER} .dash-badge-confirmed").wait_for()
    expect_at(looking, "1 of 3")
    page.keyboard.press("Control+z")
    page.locator(f"{VIEWER} .dash-badge-confirmed").wait_for(state="hidden")


# No time passes between the keys, less than any timer needs.
PRESS_AT_ONCE = """keys => {
    const press = (key) => new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    for (const key of keys) document.activeElement.dispatchEvent(press(key));
}"""


def test_a_key_is_about_the_cell_that_has_the_focus_however_quick_it_comes(looking: Visit) -> None:
    page = looking.page
    confirmed = page.locator(".dash-card-confirmed")
    page.locator(".dash-card").first.focus()
    page.evaluate(PRESS_AT_ONCE, ["ArrowRight", "c"])
    expect_at(looking, "2 of 3")
    expect(page.locator(".dash-card-confirmed[aria-current=true]")).to_have_count(1)
    page.evaluate(PRESS_AT_ONCE, [" ", "ArrowLeft", "c"])  # about the selected one, confirmed already
    expect_at(looking, "1 of 3")
    expect(confirmed).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(confirmed).to_have_count(0)


@on_a_desk
def test_all_keys_are_listed_behind_a_question_mark(looking: Visit) -> None:
    page = looking.page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    expect(dialog.locator("tr")).to_have_count(17)
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


@on_a_phone
def test_two_fingers_zoom_on_a_phone(looking: Visit) -> None:
    page = looking.page
    page.locator(f"{VIEWER} [aria-label='Zoom in']").tap()
    until(page, f"{SCALE} === 1.5")
    page.locator(f"{VIEWER} [aria-label='Zoom out']").tap()
    until(page, f"{SCALE} === 1")
    box = page.locator(f"{VIEWER} .dash-picture").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(looking, [(x - 30, y)], *([(x - 30 - 5 * i, y), (x + 30 + 5 * i, y)] for i in range(7)))
    until(page, f"Math.abs({SCALE} - 2) < 0.1")
    page.keyboard.press("0")
    until(page, f"{SCALE} === 1")


# Of the cells on the map the one that is farthest from the one of this name: two may lie on each other.
FARTHEST = """(name) => {
    const points = document.querySelector(".dash-map canvas").points();
    const from = points.find((one) => one.name === name);
    const far = ({ x, y }) => Math.hypot(x - from.x, y - from.y);
    return points.reduce((one, other) => (far(other) > far(one) ? other : one));
}"""


# Of each probability its type, and in per cent how long its bar is and what is written beside it.
SEEN_BARS = """all => all.map((row) => {
    const wide = (part) => row.querySelector(part).getBoundingClientRect().width;
    const told = parseFloat(row.querySelector(".dash-number").innerText.replace(/[<>]/, ""));
    const share = (100 * wide(".dash-bar-fill")) / wide(".dash-bar-track");
    return [row.querySelector(".dash-bar-name").innerText.trim(), share, told];
})"""


def test_a_click_anywhere_opens_the_same_cell_everywhere(looking: Visit) -> None:
    page = looking.page
    in_gallery = page.locator(".dash-card[aria-current=true]")
    on_map = page.locator(".dash-panel-map .dash-viewer .dash-name")
    name = in_gallery.get_attribute("title")
    looking.open("Visual analysis")
    expect(on_map).to_have_text(name)
    others = f"{POINTS}.filter(({{ name }}) => name !== '{name}')"
    until(page, f"{others}.length === 2")
    page.locator(".dash-map").scroll_into_view_if_needed()
    ring_is_at(looking, page.evaluate(f"{POINTS}.find(({{ name }}) => name === '{name}')"))
    page.keyboard.press("Escape")
    on_map.wait_for(state="hidden")  # on a phone it lies over the map until Python has closed it
    settle(page)
    page.locator(".dash-map").scroll_into_view_if_needed()
    other = page.evaluate(FARTHEST, name)
    page.mouse.click(other["x"], other["y"])
    expect(on_map).to_have_text(other["name"])
    looking.open("Classification")
    expect(in_gallery).to_have_attribute("title", other["name"])
    expect(page.locator(f"{VIEWER} .dash-name")).to_have_text(other["name"])
    bars = page.locator(f"{VIEWER} .dash-probabilities li").evaluate_all(SEEN_BARS)
    assert all(abs(wide - told) < 2 for _, wide, told in bars)
    assert [told for *_, told in bars] == sorted((told for *_, told in bars), reverse=True)
    expect(page.locator(f"{VIEWER} .dash-facts")).to_contain_text(f"Second choice: {bars[1][0]}")
    page.locator(f"{VIEWER} .dash-heat").wait_for()  # with it comes the place on the small map
    here = page.locator(f"{VIEWER} .dash-plane-here")
    place = here.get_attribute("d")
    assert place
    page.locator(f"{VIEWER} [aria-label=Next], {VIEWER} [aria-label=Previous]").first.click()
    expect(here).not_to_have_attribute("d", place)


def test_the_overlay_stays_as_it_was_from_cell_to_cell(looking: Visit) -> None:
    page = looking.page
    page.locator(f"{VIEWER} input[type=range]").fill("80")
    page.locator(f"{VIEWER} [aria-label=Next]").click()
    expect_at(looking, "2 of 3")
    expect(page.locator(f"{VIEWER} input[type=range]")).to_have_value("80")
    heat, press = page.locator(f"{VIEWER} .dash-heat"), page.keyboard.press
    heat.wait_for()  # it comes after the cell
    expect(heat).to_have_css("opacity", "0.8")
    press("h")
    expect(heat).to_have_css("opacity", "0")
    press("h")
    expect(heat).to_have_css("opacity", "0.8")
    press("+")
    until(page, f"{SCALE} === 1.5")
    left = heat.bounding_box()["x"]
    press("Shift+ArrowRight")
    wait_for(lambda: heat.bounding_box()["x"] < left)
    press("-")
    until(page, f"{SCALE} === 1")
    press("k")
    expect_at(looking, "1 of 3")
