"""Can everybody use the page? axe-core, keyboard focus and steadiness, on every tab, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser_tools import BROWSER, DESKTOP, PHONE, TABS, Visit, expect, settle
from tests.serving import Running

pytestmark = BROWSER

MOST_STOPS = 80  # tab stops on one tab


def find_faults(page) -> list[str]:
    """What axe-core calls serious or critical, contrast at AA among it; its script comes with a package."""
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-core is missing: see extra 'test'")
    page.evaluate(axe.AXE_SCRIPT)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert found["passes"]  # it has looked at something
    return [
        f"{fault['id']} at {node['target']}: {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


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
    assert not find_faults_in_tabs(visit)


FOCUS = """() => {
    const node = document.activeElement, style = getComputedStyle(node);
    const { width, height } = node.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const name = `${node.tagName} ${node.className} ${node.textContent.slice(0, 20)}`;
    return [node === document.body ? "" : name, outlined && width > 0 && height > 0];
}"""


def test_whoever_uses_the_keyboard_sees_where_they_are(desktop: Visit, cells: list[Path]) -> None:
    page = desktop.page
    desktop.upload(cells)
    for tab in TABS:
        desktop.open(tab)
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


def test_whoever_wants_nothing_to_move_sees_nothing_move(browser, server: Running, cells: list[Path]) -> None:
    visit = Visit(browser, server, **DESKTOP, reduced_motion="reduce")
    visit.upload(cells)
    for tab in TABS:
        visit.open(tab)
        settle(visit.page)
        assert visit.page.evaluate(MOVING) == [], tab
    visit.close()


OUTLINED = "node => getComputedStyle(node).outlineStyle !== 'none'"


def test_in_high_contrast_an_outline_tells_what_a_colour_tells_elsewhere(
    desktop: Visit, cells: list[Path]
) -> None:
    page = desktop.page
    desktop.upload(cells)
    page.emulate_media(forced_colors="active")
    desktop.open("Classification")
    page.locator(".dash-card").first.click()
    button = page.get_by_role("button", name="Select", exact=True)
    assert not button.evaluate(OUTLINED)
    button.click()
    page.mouse.move(0, 0)
    page.locator(".dash-viewer:visible").get_by_role("button", name="Move to").click()
    for seen in (button, *map(page.locator, (".dash-card[aria-current=true]", ".dash-menu-item:focus"))):
        expect(seen).to_be_visible()
        assert seen.evaluate(OUTLINED)
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS)[1]


def test_the_filters_take_three_rows_on_a_phone_in_every_language(
    browser, server: Running, cells: list[Path]
) -> None:
    for language in ("en", "es"):
        visit = Visit(browser, server, **PHONE, locale=language)
        visit.upload(cells)
        visit.page.get_by_role("tab").nth(TABS.index("Classification")).click()
        settle(visit.page)
        tops = visit.page.locator(".dash-filters > *").evaluate_all("nodes => nodes.map(n => n.offsetTop)")
        assert len(set(tops)) <= 3, language
        visit.close()


SHIFTS = """() => new Promise((resolve) => {
    let sum = 0;
    const add = (shift) => (sum += shift.hadRecentInput ? 0 : shift.value);
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(add));
    observer.observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 500);
})"""


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
