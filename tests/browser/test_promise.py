"""In a browser: from the doubtful cells to a report, a saved review and a model that has learnt."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from blood_lib.bundle import SHIPPED, load_bundle
from blood_lib.files.archives import list_zip
from tests.tools.browser_tools import BROWSER, DESKTOP, Visit, drawn, expect, kernels_of, until
from tests.tools.serving import Running, wait_for

pytestmark = BROWSER

N = 12
CARDS = ".dash-panel-classification .dash-card"
FOCUS_IS_LOOKED_AT = "document.activeElement?.getAttribute('aria-current') === 'true'"


def look_at_doubtful(visit: Visit, folder: Path) -> None:
    """Upload drawings that are like no cell, and come to them from the Chart tab."""
    visit.upload(drawn(folder, N))
    visit.open("Chart")
    visit.page.get_by_role("button", name="Look at them").click()
    expect(visit.page.locator(CARDS)).to_have_count(N)
    expect(visit.page.get_by_label("Reviewed", exact=True)).to_have_value("doubtful")


def move_all_but(visit: Visit, n: int) -> None:
    """To the first type, by buttons; under this filter only those that nobody has reviewed stay."""
    page = visit.page
    bar = page.locator(".dash-panel-classification")
    bar.get_by_role("button", name="Select", exact=True).click()
    bar.get_by_role("button", name="Select all").click()
    for i in range(n):
        page.locator(CARDS).nth(i).click()
    bar.get_by_role("button", name="Move to").first.click()
    page.locator(".dash-menu-item").first.click()
    expect(page.locator(CARDS)).to_have_count(n)
    bar.get_by_role("button", name="Select", exact=True).click()


def expect_of_first_type(visit: Visit, n: int) -> None:
    visit.open("Chart")
    number = visit.page.locator(".dash-differential .dash-cell-number").first
    expect(number).to_have_text(str(n))


def look_at_a_proposal(visit: Visit):
    """Its part of the viewer; on a phone the viewer lies over the gallery until it is closed."""
    visit.page.keyboard.press("Escape")
    visit.page.locator(CARDS).first.click()
    proposed = visit.page.locator(".dash-panel-classification .dash-proposed")
    proposed.get_by_text("After your corrections the model says").wait_for()
    return proposed


def test_the_model_proposes_and_changes_what_is_accepted(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    (tmp_path / "cells").mkdir()
    look_at_doubtful(visit, tmp_path / "cells")
    expect(page.get_by_role("button", name="Adapt the model")).to_be_disabled()
    move_all_but(visit, 3)
    page.get_by_role("button", name="Adapt the model").click()
    page.get_by_text("a new name for 3 cells").wait_for()
    expect_of_first_type(visit, N - 3)
    visit.open("Classification")
    page.get_by_role("button", name="Look at them").click()
    expect(page.locator(CARDS)).to_have_count(3)
    look_at_a_proposal(visit).get_by_role("button", name="Keep as is").click()
    expect(page.locator(CARDS)).to_have_count(2)
    look_at_a_proposal(visit)
    page.keyboard.press("a")
    expect(page.locator(CARDS)).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_text("has learnt from your corrections").wait_for()
    page.get_by_role("button", name="Accept all").click()
    expect_of_first_type(visit, N - 1)
    take_the_model_along(visit, tmp_path / "learnt.zip")
    visit.upload(sorted((tmp_path / "cells").iterdir()))
    expect_of_first_type(visit, N)


def test_proposals_are_answered_type_by_type_and_what_was_learnt_is_forgotten(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    look_at_doubtful(visit, tmp_path)
    move_all_but(visit, 3)
    learn, pairs = page.get_by_role("button", name="Adapt the model"), page.locator(".dash-pairs li")
    learn.click()
    pairs.first.wait_for()
    counts = list(map(int, pairs.locator(".dash-number").all_inner_texts()))
    assert sum(counts) == 3
    pairs.first.get_by_role("button", name="Keep as is").click()
    expect(pairs).to_have_count(len(counts) - 1)
    learn.click()  # what was left alone is proposed anew
    expect(pairs).to_have_count(len(counts))
    page.get_by_role("button", name="Keep all as they are").click()
    expect(pairs).to_have_count(0)
    expect_of_first_type(visit, N - 3)
    visit.open("Classification")
    learn.click()
    expect(pairs).to_have_count(len(counts))
    pairs.first.get_by_role("button", name="Accept").click()
    expect(pairs).to_have_count(len(counts) - 1)
    learnt = page.get_by_text("has learnt from your corrections")
    learnt.wait_for()
    page.get_by_role("button", name="Forget what was learnt").click()
    learnt.wait_for(state="hidden")
    expect(pairs).to_have_count(0)
    expect_of_first_type(visit, N - 3 + counts[0])  # somebody has said so


def take_the_model_along(visit: Visit, path: Path) -> None:
    """Download what has learnt, and load it as somebody does elsewhere."""
    visit.open("Classification")
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download the adapted model").click()
    download.value.save_as(path)
    visit.open("Upload")
    visit.page.set_input_files(".dash-file", [path])
    visit.page.get_by_text("The model in use is now").wait_for()


ON_CARDS = "all => all.map(({ item }) => [item.name, item.group, item.decided])"


def test_report_table_and_review_tell_of_a_move(
    visit: Visit, browser, server: Running, tmp_path: Path
) -> None:
    page = visit.page
    (tmp_path / "cells").mkdir()
    look_at_doubtful(visit, tmp_path / "cells")
    move_all_but(visit, 1)
    visit.open("Chart")
    with page.expect_download() as report:
        page.get_by_role("button", name="Report").click()
    html = Path(report.value.path()).read_text("utf-8")
    assert f"{N - 1} cells were moved" in html and load_bundle(SHIPPED).sha256 in html
    with page.expect_download() as table:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = list(csv.DictReader(Path(table.value.path()).read_text("utf-8-sig").splitlines()))
    labels = {info.name: info.label["en"] for info in load_bundle(SHIPPED).classes}
    told = Counter(labels[row["group"]] for row in rows)
    assert told == Counter({label: n for label, n in read_tally(page).items() if n})
    assert Counter(row["reviewed"] for row in rows) == {"person": N - 1, "no": 1}
    visit.open("Classification")
    page.get_by_label("Reviewed", exact=True).select_option("all")
    expect(page.locator(CARDS)).to_have_count(N)
    names = [*load_bundle(SHIPPED).names, "unidentified", "excluded"]
    seen = {(file, names[group], done) for file, group, done in page.locator(CARDS).evaluate_all(ON_CARDS)}
    assert {(row["file"], row["group"], row["reviewed"]) for row in rows} == seen
    visit.open("Chart")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save review without images").click()
    saved = tmp_path / "saved.zip"
    download.value.save_as(saved)
    assert not any(name.startswith("images/") for name in list_zip(saved.read_bytes()))
    elsewhere = Visit(browser, server, **DESKTOP)
    elsewhere.page.set_input_files(".dash-file", [saved])
    elsewhere.page.get_by_text(f"is open: {N}").wait_for()
    expect_of_first_type(elsewhere, N - 1)
    assert read_tally(elsewhere.page) == read_tally(page)
    elsewhere.open("Classification")
    expect(elsewhere.page.locator(f"{CARDS}-moved")).to_have_count(N - 1)
    elsewhere.close()


def read_tally(page) -> dict[str, int]:
    """How many of each type the Chart tab shows."""
    rows = page.locator(".dash-differential tr:has(.dash-cell-number)")
    names = rows.locator("th[scope=row]").all_inner_texts()
    numbers = rows.locator(".dash-cell-number").all_inner_texts()
    return {name.strip(): int(number) for name, number in zip(names, numbers, strict=True)}


def test_what_no_file_has_is_not_lost_unasked(visit: Visit, server: Running, tmp_path: Path) -> None:
    page = visit.page
    (tmp_path / "cells").mkdir()
    look_at_doubtful(visit, tmp_path / "cells")
    move_all_but(visit, 1)
    visit.goes_on = False
    visit.open("Upload")
    page.get_by_role("button", name="Remove all images").click()
    page.set_input_files(".dash-file", sorted((tmp_path / "cells").iterdir())[:2])
    question = page.locator(".dash-ask")
    expect(question).to_contain_text(f"reviewed or accepted {N - 1} of them")
    question.get_by_role("button", name="Cancel").click()
    page.evaluate("location.reload()")
    wait_for(lambda: visit.asked[1:], what="two questions")
    assert f"reviewed or accepted {N - 1} cells" in visit.asked[0]
    assert visit.asked[1] == "beforeunload"
    expect_of_first_type(visit, N - 1)  # the kernel has not been told farewell
    with page.expect_download() as download:
        page.get_by_role("button", name="Save review without images").click()
    download.value.save_as(tmp_path / "saved.zip")
    visit.goes_on = True
    visit.open("Upload")
    until(page, MAY_LEAVE)  # the page has heard that the file has arrived
    visit.upload(sorted((tmp_path / "cells").iterdir())[:2])
    assert len(visit.asked) == 2  # a file has it
    move_first_away(visit)
    mine = kernels_of(visit, server)
    visit.reload()
    page.wait_for_selector(".dash-drop")
    assert visit.asked[2:] == ["beforeunload"]
    wait_for(lambda: not mine & set(server.kernels()), what="the kernel of the page that was left to end")


# The page prevents this event while something is in no file.
MAY_LEAVE = "window.dispatchEvent(new Event('dash:leave', { cancelable: true }))"


def move_first_away(visit: Visit) -> None:
    visit.open("Classification")
    expect(visit.page.locator(CARDS)).to_have_count(2)  # not those of before
    visit.page.locator(CARDS).first.focus()
    visit.page.keyboard.press("x")
    expect(visit.page.locator(CARDS)).to_have_count(1)  # of two; what somebody has put away is not doubtful


def test_the_focus_goes_where_the_viewers_keys_go(desktop: Visit, tmp_path: Path) -> None:
    page = desktop.page
    look_at_doubtful(desktop, tmp_path)
    page.locator(CARDS).first.click()
    until(page, FOCUS_IS_LOOKED_AT)
    before = page.evaluate("document.activeElement.title")
    page.keyboard.press("n")
    until(page, f"document.activeElement.title !== {before!r} && {FOCUS_IS_LOOKED_AT}")
