"""In a browser: nothing that a person has decided is lost, and nothing that nobody decided is invented."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from tests.browser.test_promise import CARDS, N, look_at_doubtful, move_all_but
from tests.tools.browser_tools import BROWSER, Visit, expect

pytestmark = BROWSER

N_OPEN = 3


def learn(visit: Visit, folder: Path) -> None:
    """A person has moved all but three of the cells, and the model proposes a new name for these."""
    look_at_doubtful(visit, folder)
    move_all_but(visit, N_OPEN)
    visit.page.get_by_role("button", name="Adapt the model").click()
    visit.page.get_by_text(f"a new name for {N_OPEN} cells").wait_for()


def who_decided(visit: Visit) -> Counter[str]:
    """Of the rows of the exported table."""
    visit.open("Chart")
    with visit.page.expect_download() as table:
        visit.page.get_by_role("button", name="Table (CSV)").click()
    rows = csv.DictReader(Path(table.value.path()).read_text("utf-8-sig").splitlines())
    return Counter(row["reviewed"] for row in rows)


def test_accept_all_is_no_review_and_undo_leads_back_to_what_was(desktop: Visit, tmp_path: Path) -> None:
    page = desktop.page
    learn(desktop, tmp_path)
    before = page.locator(".dash-pairs").inner_text()
    page.get_by_role("button", name="Accept all").click()
    expect(page.locator(".dash-learning")).to_contain_text("has learnt from your corrections")
    page.get_by_label("Reviewed", exact=True).select_option("bulk")
    expect(page.locator(f"{CARDS} .dash-badge-bulk")).to_have_count(N_OPEN)
    assert who_decided(desktop) == {"person": N - N_OPEN, "bulk": N_OPEN}
    expect(page.locator(".dash-numbers")).to_contain_text(
        f"Decided by a person: {N - N_OPEN} of {N} ({N - N_OPEN} moved). Accepted in bulk: {N_OPEN}."
    )
    desktop.open("Classification")
    expect(page.locator(".dash-learning")).to_contain_text(f"{N - N_OPEN} reviewed cells")  # it learns from
    page.keyboard.press("Control+z")
    expect(page.locator(".dash-pairs")).to_have_text(before, use_inner_text=True)
    expect(page.get_by_text("has learnt from your corrections")).to_be_hidden()
    assert who_decided(desktop) == {"person": N - N_OPEN, "no": N_OPEN}
