"""In a browser: fields are dropped; boxes are opened, drawn, moved, removed, and saved with a review."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.browser_tools import (
    BROWSER,
    DESKTOP,
    PHONE,
    Visit,
    drawn,
    expect,
    find_faults,
    settle,
    until,
)
from tests.tools.fixtures_bundle import encode
from tests.tools.serving import Running, serving
from tests.tools.tiny_detector import draw_discs, save_finding_bundle

pytestmark = BROWSER

HERE = ".dash-panel-fields"
BOXES = f"{HERE} .dash-box"


@pytest.fixture(scope="module")
def finding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose bundle finds cells in whole fields."""
    bundle = save_finding_bundle(tmp_path_factory.mktemp("bundle") / "discs")
    with serving(tmp_path_factory.mktemp("serve"), bundle=bundle.path) as running:
        yield running


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two fields, of three cells and of two."""
    for i, n in enumerate((3, 2)):
        (tmp_path / f"field {i}.png").write_bytes(encode(draw_discs(n, seed=i)))
    return sorted(tmp_path.glob("field*"))


@pytest.fixture
def desk(browser, finding: Running) -> Iterator[Visit]:
    visit = Visit(browser, finding, **DESKTOP)
    yield visit
    visit.close()


@pytest.fixture
def phone(browser, finding: Running) -> Iterator[Visit]:
    visit = Visit(browser, finding, **PHONE)
    yield visit
    visit.close()


def middle_of(visit: Visit, selector: str, nth: int = 0) -> tuple[float, float]:
    box = visit.page.locator(selector).nth(nth).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(visit: Visit, start: tuple[float, float], end: tuple[float, float]) -> None:
    visit.page.mouse.move(*start)
    visit.page.mouse.down()
    visit.page.mouse.move(*end, steps=5)
    visit.page.mouse.up()


def point_in(visit: Visit, x: float, y: float) -> tuple[float, float]:
    """Shares of the open field as a point of the window."""
    stage = visit.page.locator(".dash-stage").bounding_box()
    return stage["x"] + x * stage["width"], stage["y"] + y * stage["height"]


def test_the_tab_is_there_once_a_field_was_dropped(desk: Visit, files: list[Path], tmp_path: Path) -> None:
    page, tabs = desk.page, desk.page.get_by_role("tab")
    (tmp_path / "cells").mkdir()
    desk.upload(drawn(tmp_path / "cells", 2))
    expect(tabs).to_have_count(5)
    desk.upload(files)
    expect(tabs).to_have_count(6)
    assert "5 squares classified in 2 fields" in page.inner_text(".dash-done")
    tabs.nth(1).click()
    page.keyboard.press("ArrowRight")
    expect(page.locator(HERE)).to_be_visible()
    expect(page.locator(BOXES)).to_have_count(3)
    expect(page.locator(f"{HERE} [role=option]")).to_have_count(2)
    desk.open("Upload")
    page.get_by_role("button", name="Remove all images").click()
    expect(tabs).to_have_count(5)


def test_a_box_opens_its_cell_everywhere_and_a_cell_its_field(desk: Visit, files: list[Path]) -> None:
    page = desk.page
    desk.upload(files)
    desk.open("Fields")
    expect(page.locator(BOXES)).to_have_count(3)
    page.mouse.click(*middle_of(desk, BOXES, 1))
    expect(page.locator(f"{HERE} .dash-viewer .dash-name")).to_have_text("field 0.png · 2")
    expect(page.locator(f"{HERE} .dash-viewer")).to_contain_text("Diameter: 12.9 µm")
    desk.open("Classification")
    expect(page.locator(".dash-card[aria-current=true]")).to_have_attribute("title", "field 0.png · 2")
    page.locator(".dash-card[title='field 1.png · 1']").click()
    page.locator(".dash-panel-classification .dash-in-field").click()
    expect(page.locator(f"{HERE} h2.dash-name")).to_have_text("field 1.png")
    expect(page.locator(f"{HERE} .dash-here")).to_have_count(1)
    expect(page.locator(f"{HERE} .dash-stage > .dash-scale")).to_be_visible()


def test_boxes_are_drawn_moved_and_removed_with_undo_and_saved(
    desk: Visit, files: list[Path], tmp_path: Path
) -> None:
    page, boxes = desk.page, desk.page.locator(BOXES)
    desk.upload(files)
    desk.open("Fields")
    expect(boxes).to_have_count(3)
    page.get_by_role("button", name="Edit boxes").click()
    drag(desk, point_in(desk, 0.02, 0.02), point_in(desk, 0.1, 0.12))
    expect(boxes).to_have_count(4)
    expect(page.locator(f"{HERE} .dash-viewer .dash-name")).to_have_text("field 0.png · 4")
    before = page.locator(".dash-here .dash-box-line").get_attribute("x")
    drag(desk, point_in(desk, 0.06, 0.07), point_in(desk, 0.16, 0.07))
    until(page, f"document.querySelector('.dash-here .dash-box-line').getAttribute('x') !== '{before}'")
    page.locator(f"{HERE} .dash-here").focus()
    page.keyboard.press("Delete")
    expect(boxes).to_have_count(3)
    page.keyboard.press("Control+z")
    expect(boxes).to_have_count(4)
    page.keyboard.press("Control+z")
    until(page, "document.querySelector('[data-id]:last-child .dash-box-line') !== null")
    page.keyboard.press("Control+z")
    expect(boxes).to_have_count(3)
    page.keyboard.press("Control+y")
    expect(boxes).to_have_count(4)
    desk.open("Chart")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save review with images").click()
    download.value.save_as(tmp_path / "review.zip")
    desk.open("Upload")
    page.get_by_role("button", name="Remove all images").click()
    page.wait_for_selector(".dash-done", state="hidden")
    page.set_input_files(".dash-file", [tmp_path / "review.zip"])
    page.get_by_text("is open: 6").wait_for()
    desk.open("Fields")
    expect(boxes).to_have_count(4)
    expect(page.locator(f"{HERE} .dash-stage > .dash-picture-inner > img")).to_be_visible()


def test_a_box_is_added_with_the_keyboard_alone(desk: Visit, files: list[Path]) -> None:
    page = desk.page
    desk.upload(files)
    desk.open("Fields")
    expect(page.locator(BOXES)).to_have_count(3)
    page.get_by_role("button", name="Edit boxes").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add", exact=True).focus()
    page.keyboard.press("Enter")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    expect(page.locator(f"{HERE} .dash-draft rect")).to_have_count(0)
    page.get_by_role("button", name="Add", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(BOXES)).to_have_count(4)


def test_what_is_counted_can_be_hidden_and_zoom_keeps_lines_thin(desk: Visit, files: list[Path]) -> None:
    page = desk.page
    desk.upload(files)
    desk.open("Fields")
    red = page.locator(f"{HERE} .dash-found[data-class='1']")
    switch = page.get_by_role("button", name="red discs")
    expect(switch).to_contain_text("12")
    expect(red).to_be_visible()
    switch.click()
    expect(red).to_be_hidden()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.mouse.move(*point_in(desk, 0.5, 0.5))
    page.mouse.wheel(0, -800)
    until(page, "document.querySelector('.dash-stage').classList.contains('dash-zoomed')")
    width = "parseFloat(getComputedStyle(document.querySelector('.dash-box-line')).strokeWidth)"
    until(page, f"{width} < 2")


def test_on_a_phone_a_field_is_used_with_a_finger_and_nothing_sticks_out(
    phone: Visit, files: list[Path]
) -> None:
    page, boxes = phone.page, phone.page.locator(BOXES)
    phone.upload(files)
    phone.open("Fields")
    expect(boxes).to_have_count(3)
    page.locator(f"{HERE} [role=option]").nth(1).tap()
    expect(boxes).to_have_count(2)
    page.touchscreen.tap(*middle_of(phone, BOXES))
    expect(page.locator(f"{HERE} .dash-viewer .dash-name")).to_have_text("field 1.png · 1")
    settle(page)
    box, side = (page.locator(at).bounding_box() for at in (f"{HERE} .dash-here", f"{HERE} .dash-viewer"))
    assert box["y"] + box["height"] < side["y"]  # the viewer does not cover what it shows
    page.locator(f"{HERE} .dash-close").tap()
    page.get_by_role("button", name="Edit boxes").tap()
    page.get_by_role("button", name="Add", exact=True).tap()
    page.get_by_role("button", name="Keep", exact=True).tap()
    expect(boxes).to_have_count(3)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not find_faults(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_field(desk: Visit, files: list[Path], theme: str) -> None:
    page = desk.page
    page.get_by_label("Brightness of the page").select_option(theme)
    page.locator(".dash-photographs summary").click()
    page.get_by_label("Pixel size in µm").fill("99")
    page.get_by_label("Pixel size in µm").press("Tab")
    expect(page.locator(".dash-photographs [role=alert]")).to_contain_text("“99” is no pixel size")
    assert not find_faults(page)
    desk.upload(files)
    desk.open("Fields")
    page.mouse.click(*middle_of(desk, BOXES))
    page.get_by_role("button", name="Edit boxes").click()
    settle(page)
    assert not find_faults(page)
