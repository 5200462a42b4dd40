"""The map in a browser: looked at, moved, clicked, and cells selected on it, by mouse, finger and keys."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.tools.browser_tools import (
    BROWSER,
    POINTS,
    Visit,
    click_a_point,
    expect,
    find_a_point,
    on_a_desk,
    on_a_phone,
    ring_is_at,
    time_a_click,
    touch,
    until,
)
from tests.tools.fixtures_bundle import draw_cell, encode
from tests.tools.serving import wait_for

pytestmark = BROWSER

EVIL = "<img src=x onerror=window.pwned=1>.png"
CANVAS = ".dash-map canvas"
VIEWER = ".dash-panel-map .dash-viewer"


@pytest.fixture(scope="module")
def opened(shared: Visit, cells: list[Path]) -> Visit:
    """A page with all cells on its map, for all tests that only look at them."""
    shared.upload(cells)
    return shared


@pytest.fixture
def map_page(opened: Visit) -> Visit:
    """The whole map, nothing looked at, all types shown."""
    opened.open("Visual analysis")
    find_a_point(opened)
    opened.page.keyboard.press("Escape")
    opened.page.locator(f"{VIEWER} .dash-name").wait_for(state="hidden")
    opened.page.get_by_role("button", name="Whole map").click()
    opened.page.mouse.move(1, 1)
    opened.page.evaluate("document.activeElement.blur()")
    return opened


def points(visit: Visit) -> list[dict]:
    return visit.page.evaluate(POINTS)


def near_middle(visit: Visit) -> tuple[int, int]:
    """The ids of two cells that a closer look leaves in sight."""
    box = visit.page.locator(".dash-map").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    first, *rest = sorted(points(visit), key=lambda point: math.dist(at(point), middle))
    return first["id"], next(point["id"] for point in rest if math.dist(at(point), at(first)) > 20)


def at(point: dict) -> tuple[float, float]:
    return point["x"], point["y"]


def apart(visit: Visit, pair: tuple[int, int]) -> float:
    """How many px lie between two cells; 0 if one is out of sight."""
    places = [at(point) for point in points(visit) if point["id"] in pair]
    return math.dist(*places) if len(places) == 2 else 0


def corners(visit: Visit, inset: float = 6) -> tuple[tuple[float, float], ...]:
    """Of the map, clockwise from the left upper one; no cell is there."""
    box = visit.page.locator(".dash-map").bounding_box()
    left, top = box["x"] + inset, box["y"] + inset
    right, bottom = box["x"] + box["width"] - inset, box["y"] + box["height"] - inset
    return (left, top), (right, top), (right, bottom), (left, bottom)


def draw_around(visit: Visit, places) -> None:
    first, *rest = places
    if visit.has_touch:
        return touch(visit, *([place] for place in (first, *rest, first)))
    visit.page.mouse.move(*first)
    visit.page.mouse.down()
    for place in (*rest, first):
        visit.page.mouse.move(*place, steps=4)
    visit.page.mouse.up()


def selected(visit: Visit) -> set[int]:
    return {point["id"] for point in points(visit) if point["selected"]}


# --- looking ---


def test_a_cell_under_the_pointer_tells_type_confidence_and_file(map_page: Visit) -> None:
    point = points(map_page)[-1]
    find_a_point(map_page)
    tip = map_page.page.locator(".dash-tip")
    expect(tip).to_contain_text(point["name"])
    told = re.search(r"(\d+) %", tip.inner_text())
    assert int(told[1]) < 100 and abs(int(told[1]) - 100 * point["confidence"]) <= 1
    box, frame = tip.bounding_box(), map_page.page.locator(".dash-map").bounding_box()
    assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]
    map_page.page.mouse.move(1, 1)
    expect(tip).to_be_hidden()


def test_a_file_name_on_the_map_is_text(desktop: Visit) -> None:
    evil = {"name": EVIL, "mimeType": "image/png", "buffer": encode(draw_cell())}
    desktop.page.set_input_files(".dash-file", [evil])
    desktop.page.wait_for_selector(".dash-done")
    desktop.open("Visual analysis")
    find_a_point(desktop)
    expect(desktop.page.locator(".dash-tip")).to_contain_text(EVIL)
    expect(desktop.page.locator(".dash-tip")).to_contain_text(
        "%, un"
    )  # uncertain or unfamiliar: it is no cell
    assert desktop.page.locator(".dash-map img").count() == 0
    assert desktop.page.evaluate("window.pwned") is None


def test_a_click_shows_the_cell_and_arrow_keys_go_on_from_it(map_page: Visit) -> None:
    page = map_page.page
    name = click_a_point(map_page)
    expect(page.locator(f"{VIEWER} .dash-name")).to_have_text(name)
    page.locator(CANVAS).focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f"{VIEWER} .dash-name")).not_to_have_text(name)
    other = page.locator(f"{VIEWER} .dash-name").inner_text()
    page.mouse.move(1, 1)
    expect(page.locator(".dash-tip")).to_contain_text(other[-40:])  # the focus tells what the pointer would
    point = next(point for point in points(map_page) if point["name"] == other)
    ring_is_at(map_page, point)
    page.keyboard.press(" ")
    assert selected(map_page) == {point["id"]}
    page.keyboard.press(" ")
    assert not selected(map_page)
    page.keyboard.press("Escape")
    page.locator(".dash-ring").wait_for(state="hidden")


def test_what_the_map_shows_is_also_told_in_words(map_page: Visit) -> None:
    label = map_page.page.locator(CANVAS).get_attribute("aria-label")
    shown = points(map_page)
    assert sum(map(int, re.findall(r" (\d+)[,.]", label))) == len(shown)
    assert map_page.page.get_by_role("img", name=label).count() == 1


def test_the_legend_counts_types_and_switches_them_off_and_on(map_page: Visit) -> None:
    page, before = map_page.page, points(map_page)
    group = before[0]["group"]
    n = sum(point["group"] == group for point in before)
    chip = page.locator(".dash-legend .dash-chip").nth(group)
    expect(chip.locator(".dash-number")).to_have_text(str(n))
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    until(page, f"{POINTS}.length === {len(before) - n}")
    chip.click()
    until(page, f"{POINTS}.length === {len(before)}")


def test_the_picture_is_sharp_and_follows_theme_and_size(map_page: Visit) -> None:
    page, size = map_page.page, map_page.page.viewport_size
    sharp = f"(({{ width, clientWidth }}) => width / clientWidth)(document.querySelector('{CANVAS}'))"
    assert page.evaluate(sharp) == pytest.approx(page.evaluate("devicePixelRatio"), rel=0.01)
    ink = f"document.querySelector('{CANVAS}').toDataURL().length"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    until(page, f"{ink} !== {light}")
    page.emulate_media(color_scheme="light")
    until(page, f"{ink} === {light}")
    pair = near_middle(map_page)
    before = apart(map_page, pair)
    map_page.open("Chart")
    page.set_viewport_size({"width": size["width"] - 60, "height": size["height"] - 300})
    map_page.open("Visual analysis")
    wait_for(lambda: 0 < apart(map_page, pair) < before)
    page.set_viewport_size(size)
    wait_for(lambda: apart(map_page, pair) == pytest.approx(before, abs=1))


# --- moving ---


def test_buttons_and_keys_zoom_and_move_the_map(map_page: Visit) -> None:
    page, pair = map_page.page, near_middle(map_page)
    before, left = apart(map_page, pair), points(map_page)[0]["x"]

    def shows(scale: float) -> None:
        wait_for(lambda: apart(map_page, pair) == pytest.approx(scale * before, rel=0.01))

    signs = page.locator(".dash-map-signs")
    signs.get_by_role("button", name="Zoom in").click()
    shows(1.5)
    signs.get_by_role("button", name="Zoom out").click()
    shows(1)
    page.locator(CANVAS).focus()
    page.keyboard.press("Shift+ArrowLeft")
    wait_for(lambda: points(map_page)[0]["x"] == pytest.approx(left + 60, abs=1))
    page.keyboard.press("0")
    wait_for(lambda: points(map_page)[0]["x"] == pytest.approx(left, abs=1))
    page.keyboard.press("+")
    shows(1.5)
    page.keyboard.press("-")
    shows(1)


@on_a_desk
def test_a_wheel_zooms_once_the_map_has_the_focus_and_scrolls_the_page_before(map_page: Visit) -> None:
    page, pair = map_page.page, near_middle(map_page)
    before = apart(map_page, pair)
    page.evaluate("window.scrollTo(0, 0)")
    page.mouse.move(*at(points(map_page)[-1]))
    page.mouse.wheel(0, 40)
    until(page, "window.scrollY > 0")
    assert apart(map_page, pair) == pytest.approx(before)
    rest(map_page)
    page.locator(CANVAS).focus()
    page.evaluate("window.scrollTo(0, 0)")
    until(page, "window.scrollY === 0")
    point = next(point for point in points(map_page) if point["id"] == pair[0])
    page.mouse.move(*at(point))
    page.mouse.wheel(0, -100)
    wait_for(lambda: apart(map_page, pair) > 1.2 * before)
    after = next(point for point in points(map_page) if point["id"] == pair[0])
    assert at(after) == pytest.approx(at(point), abs=1.5)  # what is under the pointer stays there
    assert page.evaluate("window.scrollY") == 0
    page.mouse.dblclick(*corners(map_page)[0])
    wait_for(lambda: apart(map_page, pair) == pytest.approx(before, rel=0.01))


@on_a_desk
def test_the_ring_goes_where_the_map_is_dragged(map_page: Visit) -> None:
    page = map_page.page
    click_a_point(map_page)
    point = points(map_page)[-1]
    ring_is_at(map_page, point)
    left, top = corners(map_page)[0]
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 40, top + 30, steps=4)
    page.mouse.up()
    ring_is_at(map_page, {"x": point["x"] + 40, "y": point["y"] + 30})
    expect(page.locator(f"{VIEWER} .dash-name")).to_have_text(point["name"])  # a drag is no click


def rest(visit: Visit) -> float:
    """How far down the page is, once it has stood still for some frames."""
    seen: list[float] = []

    def stands_still() -> bool:
        seen.append(visit.page.evaluate("new Promise(requestAnimationFrame).then(() => window.scrollY)"))
        return len(seen) > 9 and len(set(seen[-9:])) == 1

    wait_for(stands_still)
    return seen[-1]


@on_a_phone
def test_one_finger_scrolls_the_page_and_two_look_closer(map_page: Visit) -> None:
    page, pair = map_page.page, near_middle(map_page)
    before = apart(map_page, pair)
    page.evaluate("window.scrollTo(0, 0)")
    until(page, "window.scrollY === 0")
    box = page.locator(".dash-map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(map_page, *([(x, y - 10 * step)] for step in range(12)))
    until(page, "window.scrollY > 50")
    assert apart(map_page, pair) == pytest.approx(before)
    scrolled = rest(map_page)
    y = page.locator(".dash-map").bounding_box()["y"] + box["height"] / 2
    touch(map_page, [(x - 30, y)], *([(x - 30 - 5 * i, y), (x + 30 + 5 * i, y)] for i in range(7)))
    wait_for(lambda: apart(map_page, pair) == pytest.approx(2 * before, rel=0.05))
    assert rest(map_page) == scrolled


# --- choosing ---


def test_a_cell_is_moved_with_the_menu_and_the_map_shows_it(visit: Visit, cells: list[Path]) -> None:
    page = visit.page
    visit.upload(cells)
    visit.open("Visual analysis")
    click_a_point(visit)
    viewer = page.locator(VIEWER)
    expect(viewer.locator(".dash-plane-near path")).to_have_count(10)
    expect(viewer.locator(".dash-plane")).to_have_attribute("aria-label", re.compile(r"\d"))
    excluded = page.locator(".dash-legend .dash-chip").last
    expect(excluded).to_be_hidden()
    said = viewer.locator(".dash-said").inner_text()
    viewer.locator("[aria-haspopup=menu]").click()
    page.get_by_role("menuitem").last.click()
    viewer.locator(".dash-badge-moved").wait_for()
    expect(viewer.locator(".dash-said")).to_contain_text(said)  # what the model said is kept
    until(page, f"{POINTS}.filter(({{ review }}) => review === 2).length === 1")
    expect(excluded).to_contain_text("1")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    viewer.get_by_role("button", name="Back to the model").click()
    viewer.locator(".dash-badge-moved").wait_for(state="hidden")
    until(page, f"{POINTS}.every(({{ review }}) => review === 0)")
    expect(excluded).to_be_hidden()
    page.keyboard.press("Escape")
    move_all_on_the_map(visit)


def move_all_on_the_map(visit: Visit) -> None:
    """Draw around all cells and move them to the first type: the other tabs know both."""
    page = visit.page
    find_a_point(visit)
    page.get_by_role("button", name="Select several").click()
    draw_around(visit, corners(visit))
    wait_for(lambda: selected(visit))
    n = len(selected(visit))
    visit.open("Classification")
    expect(page.locator(".dash-selected")).to_have_text(f"{n} selected")
    visit.open("Visual analysis")
    page.locator(".dash-selection [aria-haspopup=menu]").click()
    page.get_by_role("menuitem").first.click()
    visit.open("Chart")
    expect(page.locator(".dash-count").first).to_have_text(str(n))
    visit.open("Classification")
    expect(page.locator(".dash-group[data-group='0'] .dash-number")).to_have_text(str(n))


def test_a_lasso_chooses_cells_that_are_moved_from_the_bar(desktop: Visit, cells: list[Path]) -> None:
    page = desktop.page
    desktop.upload(cells)
    desktop.open("Visual analysis")
    assert time_a_click(desktop) > 0  # a click shows the cell; benchmarks/dashboard tells how soon
    page.get_by_role("button", name="Select several").click()
    draw_around(desktop, corners(desktop))
    everything = {point["id"] for point in points(desktop)}
    assert selected(desktop) == everything
    point = points(desktop)[-1]
    around = [(point["x"] + dx, point["y"] + dy) for dx, dy in ((-5, -5), (5, -5), (5, 5), (-5, 5))]
    page.keyboard.down("Alt")  # takes away
    draw_around(desktop, around)
    page.keyboard.up("Alt")
    assert point["id"] not in selected(desktop)
    assert selected(desktop)
    page.keyboard.down("Shift")  # adds
    draw_around(desktop, around)
    page.keyboard.up("Shift")
    assert selected(desktop) == everything
    page.mouse.click(*at(point))  # one alone, without a lasso
    assert len(selected(desktop)) == len(everything) - 1
    draw_around(desktop, corners(desktop))
    expect(page.locator(".dash-selection [role=status]")).to_have_text(f"{len(everything)} selected")
    page.locator(".dash-selection [aria-haspopup=menu]").click()
    page.get_by_role("menuitem").first.click()
    expect(page.locator(".dash-selection [role=status]")).to_have_text("")
    until(page, f"{POINTS}.every(({{ group, review }}) => group === 0 && review > 0)")


def test_a_selection_can_be_cleared(map_page: Visit) -> None:
    page = map_page.page
    page.get_by_role("button", name="Select several").click()
    for clear in (
        lambda: page.locator(".dash-selection").get_by_role("button", name="Select none").click(),
        lambda: page.mouse.dblclick(*corners(map_page)[0]),
        lambda: page.locator(CANVAS).press("Escape"),
    ):
        draw_around(map_page, corners(map_page))
        wait_for(lambda: selected(map_page))
        clear()
        wait_for(lambda: not selected(map_page))
    page.get_by_role("button", name="Select several").click()


# --- taking along ---


def test_another_language_leaves_the_map_as_it_is(map_page: Visit) -> None:
    page = map_page.page
    pair = near_middle(map_page)
    before = apart(map_page, pair)
    page.locator(".dash-map-signs").get_by_role("button", name="Zoom in").click()
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Mapa entero").wait_for()
    wait_for(lambda: apart(map_page, pair) == pytest.approx(1.5 * before, rel=0.01))
    page.get_by_label("Idioma").select_option("en")
    page.get_by_role("button", name="Whole map").wait_for()


def test_the_map_is_saved_as_a_picture(map_page: Visit) -> None:
    with map_page.page.expect_download() as download:
        map_page.page.get_by_role("button", name="Save as a picture").click()
    assert download.value.suggested_filename == "map.png"
    with Image.open(download.value.path()) as picture:
        assert picture.width > 600
        assert picture.getpixel((1, 1))[:3] == (255, 255, 255)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 50
