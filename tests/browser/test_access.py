"""Can everybody use the page? axe-core, keyboard focus and steadiness, on every tab, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.browser_tools import BROWSER, PHONE, TABS, Visit, expect, find_faults, settle, zip_many
from tests.tools.serving import Running

pytestmark = BROWSER

MOST_STOPS = 80  # tab stops on one tab


def find_faults_in_tabs(visit: Visit) -> list[str]:
    """On every tab, light and dark."""
    faults = []
    for tab in TABS:
        visit.open(tab)
        for theme in ("light", "dark"):
            visit.page.emulate_media(color_scheme=theme)
            settle(visit.page)
            faults += [f"{tab}, {theme}: {fault}" for fault in find_faults(visit.page)]
    return faults


def test_axe_finds_nothing_serious(visit: Visit, cells: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("I am a text.")
    assert not find_faults_in_tabs(visit)
    visit.open("Upload")
    visit.upload([*cells, tmp_path / "text.jpg"])
    visit.open("Classification")
    visit.page.locator(".dash-card").first.click()
    visit.page.keyboard.press("c")
    assert not find_faults_in_tabs(visit)
    visit.open("Classification")
    for key, role in (("m", "menu"), ("?", "dialog")):
        visit.page.keyboard.press(key)
        visit.page.get_by_role(role).wait_for()
        assert not find_faults(visit.page), role
        visit.page.keyboard.press("Escape")
    show_what_comes_and_goes(visit)


def show_what_comes_and_goes(visit: Visit) -> None:
    """A list, proposals or what came of learning, a range that is none, a map to choose on."""
    page = visit.page
    page.keyboard.press("Escape")
    page.get_by_role("button", name="As a list").click()
    page.get_by_role("button", name="Adapt the model").click()  # from the cell that is confirmed
    page.locator(".dash-notice, .dash-pairs li").locator("visible=true").first.wait_for()
    assert not find_faults(page)
    visit.open("Chart")
    page.locator(".dash-limit").first.fill("x")
    page.keyboard.press("Enter")
    expect(page.locator(".dash-limit[aria-invalid]")).to_have_count(2)
    assert not find_faults(page)
    visit.open("Visual analysis")
    page.get_by_role("button", name="Select several").click()
    assert not find_faults(page)


@pytest.fixture(scope="module")
def filled(shared: Visit, cells: list[Path]) -> Visit:
    """A page with cells, for tests that look at all of it."""
    shared.upload(cells)
    return shared


FOCUS = """() => {
    const node = document.activeElement, style = getComputedStyle(node);
    const { width, height } = node.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const name = `${node.tagName} ${node.className} ${node.textContent.slice(0, 20)}`;
    return [node === document.body ? "" : name, outlined && width > 0 && height > 0];
}"""


def test_whoever_uses_the_keyboard_sees_where_they_are(filled: Visit) -> None:
    page = filled.page
    for tab in TABS:
        filled.open(tab)
        settle(page)
        page.get_by_role("tab", name=tab).focus()
        stops = []
        for _ in range(MOST_STOPS):
            page.keyboard.press("Tab")
            name, seen = page.evaluate(FOCUS)
            if not name:
                break
            assert seen, f"{tab}: {name}"
            stops.append(name)
        assert len(stops) < MOST_STOPS, "the keyboard is caught"


MOVING = """[document.body, ...document.body.querySelectorAll("*")].filter((node) => {
    const style = getComputedStyle(node);
    const times = style.transitionDuration.split(", ");
    return style.animationName !== "none" || times.some((time) => time !== "0s");
}).map((node) => node.className)"""


def test_whoever_wants_nothing_to_move_sees_nothing_move(filled: Visit) -> None:
    page = filled.page
    assert page.evaluate(MOVING)
    page.emulate_media(reduced_motion="reduce")
    for tab in TABS:
        filled.open(tab)
        settle(page)
        assert page.evaluate(MOVING) == [], tab
    page.emulate_media(reduced_motion="no-preference")


TYPES = {  # where each type has a mark
    "Chart": (".dash-bars .dash-mark path", ".dash-pie .dash-shape"),
    "Classification": (".dash-group:not([hidden]) h2 .dash-mark path",),
    "Visual analysis": (".dash-legend .dash-mark path",),
}


def test_each_type_has_a_shape_of_its_own_beside_its_colour(filled: Visit) -> None:
    for tab, places in TYPES.items():
        filled.open(tab)
        settle(filled.page)
        for where in places:
            filled.page.locator(where).first.wait_for()
            shapes = filled.page.locator(where).evaluate_all("all => all.map(one => one.getAttribute('d'))")
            assert len(shapes) == len(set(shapes)) > 2, where


# The colours of the line under the open tab, and of what it lies on.
TAB_LINE = """[["[role=tab][aria-selected=true]", "::after"], [".dash-top"]].map(([where, part]) =>
    getComputedStyle(document.querySelector(where), part).backgroundColor)"""
OUTLINED = "nodes => nodes.map(node => getComputedStyle(node).outlineStyle !== 'none')"


def test_in_high_contrast_an_outline_tells_what_a_colour_tells_elsewhere(filled: Visit) -> None:
    page = filled.page
    page.emulate_media(forced_colors="active")
    filled.open("Classification")
    line, ground = page.evaluate(TAB_LINE)
    assert line != ground
    select = page.get_by_role("button", name="Select", exact=True)
    select.wait_for()
    assert select.evaluate_all(OUTLINED) == [False]
    select.click()
    page.mouse.move(0, 0)
    pressed = page.locator("[aria-pressed=true]").locator("visible=true")
    assert pressed.evaluate_all(OUTLINED) == [True, True]  # this button, and a filter
    select.click()
    page.locator(".dash-card").first.click()
    page.locator(".dash-viewer:visible").get_by_role("button", name="Move to").click()
    for seen in map(page.locator, (".dash-card[aria-current=true]", ".dash-menu-item:focus")):
        expect(seen).to_be_visible()
        assert seen.evaluate_all(OUTLINED) == [True]
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS)[1]
    page.emulate_media(forced_colors="none")


WIDER = "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth).map(node => node.innerText)"


def test_filters_and_ranges_fit_on_a_phone_in_every_language(
    browser, server: Running, cells: list[Path]
) -> None:
    for language in ("en", "es"):
        visit = Visit(browser, server, **PHONE, locale=language)
        visit.upload(cells)
        visit.page.get_by_role("tab").nth(TABS.index("Classification")).click()
        settle(visit.page)
        tops = visit.page.locator(".dash-filters > *").evaluate_all("nodes => nodes.map(n => n.offsetTop)")
        assert len(set(tops)) <= 3, language
        visit.page.get_by_role("tab").nth(TABS.index("Chart")).click()
        visit.page.locator(".dash-limit").first.wait_for()
        assert visit.page.locator(".dash-cell-reference").evaluate_all(WIDER) == [], language
        visit.close()


SHIFTS = """() => new Promise((resolve) => {
    let sum = 0;
    const add = (shift) => (sum += shift.hadRecentInput ? 0 : shift.value);
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(add));
    observer.observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 500);
})"""


@pytest.mark.parametrize("tab", ["Classification", "Chart", "Visual analysis"])
def test_nothing_jumps_while_results_come_in(visit: Visit, tmp_path: Path, tab: str) -> None:
    page = visit.page
    visit.upload([zip_many(tmp_path, 20)])
    visit.open(tab)
    settle(page)
    before = page.evaluate(SHIFTS)
    visit.open("Upload")
    visit.give([zip_many(tmp_path, 600)])
    visit.open(tab)
    strip, panel = page.locator(".dash-working"), page.get_by_role("tabpanel")
    strip.wait_for()
    box, top = strip.bounding_box(), panel.bounding_box()["y"]
    assert box["x"] > 0 and 300 < box["width"] < page.viewport_size["width"] - box["x"]
    strip.wait_for(state="hidden")
    settle(page)
    assert panel.bounding_box()["y"] == top
    if tab != "Classification":  # where a group that grows moves those below it
        assert page.evaluate(SHIFTS) - before < 0.1


SMALL = """[...document.querySelectorAll("button")].filter(b => b.offsetParent && b.offsetHeight < 43)
    .map(b => b.textContent)"""


def test_nothing_jumps_or_sticks_out_from_load_to_the_end_of_an_upload(
    visit: Visit, cells: list[Path]
) -> None:
    page = visit.page
    visit.upload(cells)
    assert page.evaluate(SHIFTS) < 0.1  # "good" by https://web.dev/articles/cls
    for tab in TABS:
        visit.open(tab)
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], tab
        if visit.has_touch:
            assert not page.evaluate(SMALL), tab
