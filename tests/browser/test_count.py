"""The Chart tab in a real browser: ranges are edited by keys, and report and table arrive as files."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from blood_lib.bundle import SHIPPED, load_bundle
from tests.tools.browser_tools import BROWSER, Visit, expect, find_faults, on_a_phone, until, zip_many

pytestmark = BROWSER

# The first row with a reference range: its flag, and what stands in its two inputs.
ROW = "document.querySelector('.dash-shares tr:nth-child(2)')"
FLAG = f"{ROW}.dataset.flag"
A4 = 688  # px, without its margins


@pytest.fixture(scope="module")
def counted(shared: Visit, cells: list[Path]) -> Visit:
    """A page with the Chart tab open and every cell counted; one for all tests: each types its own ranges."""
    shared.upload(cells)
    shared.open("Chart")
    shared.page.wait_for_selector(".dash-differential .dash-limit")
    return shared


def type_range(visit: Visit, low: str, high: str) -> None:
    """Into the first row, by keys alone."""
    visit.page.locator(".dash-limit").first.focus()
    for key in ("ControlOrMeta+a", *low, "Tab", *high, "Enter"):
        visit.page.keyboard.press(key)


def test_an_edited_range_flips_the_flag_and_keeps_the_focus(counted: Visit) -> None:
    page = counted.page
    type_range(counted, "99.5", "100")
    until(page, f"{FLAG}.endsWith('below')")
    until(page, f"{ROW}.innerText.includes('below')")
    assert page.evaluate("document.activeElement.value") == "100"
    type_range(counted, "0", "0")
    until(page, f"{FLAG}.endsWith('above')")
    type_range(counted, "0", "100")
    until(page, f"{FLAG} === 'inside'")
    page.get_by_role("button", name="Reset the ranges").click()
    limits = [limit for limits in load_bundle(SHIPPED).ranges.values() for limit in limits]
    shown = "[...document.querySelectorAll('.dash-limit')].map((one) => Number(one.value)).join()"
    until(page, f"{shown} === {limits}.join()")


def test_a_bad_range_is_told_and_can_be_mended(counted: Visit) -> None:
    page = counted.page
    flag = page.evaluate(FLAG)
    type_range(counted, "7", "x")
    page.get_by_role("alert").filter(has_text="not a range").wait_for()
    expect(page.locator(".dash-limit[aria-invalid]")).to_have_count(2)
    assert page.evaluate(FLAG) == flag
    page.get_by_role("button", name="Report").focus()
    assert page.locator(".dash-limit").nth(1).input_value() == "x"  # to be mended, not typed anew
    type_range(counted, "0", "100")
    until(page, f"{FLAG} === 'inside'")
    expect(page.locator(".dash-limit[aria-invalid]")).to_have_count(0)


def test_report_and_table_arrive_and_say_the_same(counted: Visit, browser, cells: list[Path]) -> None:
    page = counted.page
    page.get_by_label("Reviewer").fill("Ada <b>Lovelace")
    with page.expect_download() as report:
        page.get_by_role("button", name="Report").click()
    with page.expect_download() as table:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = list(csv.DictReader(Path(table.value.path()).read_text("utf-8-sig").splitlines()))
    assert len(rows) == len(cells)
    assert {row["reviewed"] for row in rows} == {"no"}
    html = Path(report.value.path()).read_text("utf-8")
    printed, asked = browser.new_page(), []
    printed.on("request", lambda request: asked.append(request.url))
    printed.set_content(html)
    assert "Ada <b>Lovelace" in printed.inner_text("header")
    assert printed.locator("figure img").evaluate_all("all => all.filter(i => i.naturalWidth).length") == len(
        rows
    )
    for column, head in enumerate(("number", "share", "range"), start=2):
        shown = page.locator(f".dash-differential .dash-cell-{head}").all_inner_texts()
        assert printed.locator(f".numbers td:nth-child({column})").all_inner_texts() == shown
    counts = printed.locator(".numbers td:nth-child(2)").all_inner_texts()
    assert sum(map(int, counts)) == len(rows)
    sheets = printed.locator(".sheet > div")
    numbers = map(int, printed.locator(".sheet h3 span").all_inner_texts())
    assert [sheet.locator("figure").count() for sheet in sheets.all()] == list(numbers)
    charts = printed.locator(".dash-charts")
    assert sum(map(int, charts.locator(".dash-count").all_inner_texts())) == len(rows)
    for chart in (charts.locator(".dash-pie"), charts.locator(".dash-bars svg:not(.dash-mark)").first):
        expect(chart).to_be_visible()
    model = printed.locator("main > section").last.inner_text()
    assert load_bundle(SHIPPED).sha256 in model and load_bundle(SHIPPED).title["en"] in model
    assert str(date.today()) in printed.inner_text("header")
    assert "nothing it says is a diagnosis" in printed.inner_text("header")
    assert all(url.startswith("data:") for url in asked)
    assert not find_faults(printed)
    for width, media in ((page.viewport_size["width"], "screen"), (A4, "print")):
        printed.set_viewport_size({"width": width, "height": 844})
        printed.emulate_media(media=media)
        assert printed.evaluate("document.documentElement.scrollWidth") <= width, media
    pages = re.findall(rb"/Type\s*/Page\b", printed.pdf(format="A4"))
    assert len(pages) >= 3  # numbers and charts; pictures, on a new page; the model
    printed.close()


def test_few_cells_come_with_a_warning_and_each_type_is_counted_its_own_way(counted: Visit) -> None:
    page = counted.page
    expect(page.locator(".dash-caution")).to_contain_text("fewer than 100")
    heads = " ".join(page.locator(".dash-differential th[scope=rowgroup]").all_inner_texts())
    assert "Per 100" in heads and "Counted apart" in heads
    interval = page.locator(".dash-differential .dash-cell-range").first
    expect(interval).to_have_text(re.compile(r"\d–\d"))
    expect(page.locator(".dash-apart tr:has(.dash-cell-number)")).to_contain_text("platelet")
    counts = list(map(int, page.locator(".dash-shares .dash-cell-number").all_inner_texts()))
    shares = [f"{100 * n / sum(counts):.1f} %" for n in counts]
    expect(page.locator(".dash-shares .dash-cell-share")).to_have_text(shares)


def test_erythroblasts_are_told_per_hundred_white_cells(counted: Visit) -> None:
    table = counted.page.locator(".dash-differential")
    whites = sum(map(int, table.locator(".dash-shares .dash-cell-number").all_inner_texts()))
    row = table.locator(".dash-ratios tr:has(.dash-cell-number)")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("erythroblast")
    n = int(row.locator(".dash-cell-number").inner_text())
    assert n > 0 and whites > 0
    expect(row.locator(".dash-cell-share")).to_have_text(f"{100 * n / whites:.1f}")
    low, high = map(float, row.locator(".dash-cell-range").inner_text().split("–"))
    assert low < 100 * n / whites < high


def move_some(visit: Visit, cards: int | None, group: int) -> None:
    """Move the first cards of the gallery, or all (None), to the menu's place `group`, by buttons."""
    page, bar = visit.page, visit.page.locator(".dash-panel-classification")
    visit.open("Classification")
    bar.get_by_role("button", name="Select", exact=True).click()
    if cards is None:
        bar.get_by_role("button", name="Select all").click()
    for i in range(cards or 0):
        bar.locator(".dash-card").nth(i).click()
    bar.get_by_role("button", name="Move to").first.click()
    page.locator(".dash-menu-item").nth(group).click()
    bar.get_by_role("button", name="Select", exact=True).click()
    visit.open("Chart")


def test_the_warning_follows_the_number_of_white_cells(visit: Visit, tmp_path: Path) -> None:
    caution = visit.page.locator(".dash-caution")
    visit.upload([zip_many(tmp_path, 201)])
    move_some(visit, None, 0)  # the first type is a white cell
    expect(visit.page.locator(".dash-differential .dash-cell-number").first).to_have_text("201")
    expect(caution).to_be_hidden()
    ranges = visit.page.locator(".dash-differential .dash-cell-range")
    expect(ranges.first).to_contain_text("98.2")  # of 201 of 201: 0.025 ** (1 / 201)
    expect(ranges.nth(1)).to_contain_text("1.8")  # of none of 201
    move_some(visit, 1, -1)
    expect(visit.page.locator(".dash-differential .dash-cell-number").first).to_have_text("200")
    move_some(visit, 1, -2)  # neither of the last two groups counts
    expect(caution).to_contain_text("199, fewer than 200")
    visit.open("Classification")
    visit.page.get_by_role("button", name="Undo").click()
    visit.open("Chart")
    expect(caution).to_be_hidden()
    visit.open("Upload")
    visit.page.get_by_role("button", name="Remove all images").click()
    visit.upload([zip_many(tmp_path, 99)])
    move_some(visit, None, 0)
    expect(caution).to_contain_text("99, fewer than 100")


@on_a_phone
def test_the_numbers_fit_on_a_phone(counted: Visit) -> None:
    page = counted.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = "all => all.filter(e => e.offsetParent).map(e => e.offsetHeight)"
    assert min(page.locator(".dash-numbers :is(input, button)").evaluate_all(heights)) >= 44
