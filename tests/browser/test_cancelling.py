"""In a browser: whatever takes long tells how far it is and can be cancelled, and then all is as it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser_tools import BROWSER, Visit, expect, settle, zip_many

pytestmark = BROWSER

N = 1000  # cells: work on all of them takes a while


@pytest.mark.parametrize(("tab", "place"), [("Upload", ".dash-running"), ("Chart", ".dash-working")])
def test_an_upload_is_counted_and_can_be_cancelled(
    shared: Visit, tmp_path: Path, tab: str, place: str
) -> None:
    page, n = shared.page, 2000
    shared.open("Upload")
    page.set_input_files(".dash-file", [zip_many(tmp_path, n)])
    shared.open(tab)
    strip = page.locator(place)
    expect(strip).to_contain_text(re.compile(r"[1-9]\d* of 2,000"))
    strip.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled. What was classified until then is shown.").wait_for()
    expect(strip).to_be_hidden()
    shared.open("Upload")
    done = page.locator(".dash-done").inner_text()
    assert 0 < int(re.search(r"([\d,]+) ", done)[1].replace(",", "")) < n


@pytest.fixture(scope="module")
def many(shared: Visit, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """A page with N cells that somebody has moved to the first type: lessons to learn from."""
    page = shared.page
    shared.open("Upload")
    shared.upload([zip_many(tmp_path_factory.mktemp("many"), N)])
    shared.open("Classification")
    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_role("button", name="Select all").click()
    page.locator(".dash-panel-classification").get_by_role("button", name="Move to").first.click()
    page.locator(".dash-menu-item").first.click()
    shared.open("Chart")
    expect(page.locator(".dash-tally .dash-cell-number").first).to_have_text(f"{N:,}")
    return shared


# Presses "Cancel" in the moment in which the page shows it.
CANCEL_AT_ONCE = """() => {
    const cancel = document.querySelector(".dash-working button");
    const look = () => (cancel.offsetParent ? cancel.click() : requestAnimationFrame(look));
    look();
}"""


@pytest.mark.parametrize(
    ("tab", "button"),
    [("Chart", "Report"), ("Chart", "Save review with images"), ("Classification", "Adapt the model")],
)
def test_other_work_can_be_cancelled_and_leaves_all_as_it_was(many: Visit, tab: str, button: str) -> None:
    page, downloads = many.page, []
    page.on("download", lambda download: downloads.append(download))
    many.open(tab)
    page.evaluate(CANCEL_AT_ONCE)
    page.get_by_role("button", name=button).click()
    notice = page.get_by_text("Cancelled. Nothing was changed.")
    notice.wait_for()
    expect(page.locator(".dash-working")).to_be_hidden()
    settle(page)
    assert not downloads and not page.get_by_role("button", name="Accept all").is_visible()
    page.get_by_role("button", name="Close").click()
    notice.wait_for(state="hidden")
