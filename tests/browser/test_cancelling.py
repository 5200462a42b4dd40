"""In a browser: whatever takes long tells how far it is and can be cancelled, and then all is as it was."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blood_lib.bundle import SHIPPED, load_bundle
from blood_lib.files.archives import write_zip
from tests.tools.browser_tools import BROWSER, Visit, expect, kernels_of, settle, zip_many
from tests.tools.serving import Running

pytestmark = BROWSER

N = 1000  # cells: work on all of them takes a while


@pytest.mark.parametrize(("tab", "place"), [("Upload", ".dash-running"), ("Chart", ".dash-working")])
def test_an_upload_is_counted_and_can_be_cancelled(
    shared: Visit, tmp_path: Path, tab: str, place: str
) -> None:
    page, n = shared.page, 2000
    shared.open("Upload")
    shared.give([zip_many(tmp_path, n)])
    shared.open(tab)
    strip = page.locator(place)
    strip.wait_for()  # until then it tells of the upload before
    expect(strip).to_contain_text(re.compile(r"\d\d+ of 2,000"))
    assert 0 < strip.locator("progress").last.evaluate("bar => bar.position") < 1
    strip.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled. What was classified until then is shown.").wait_for()
    expect(strip).to_be_hidden()
    shared.open("Upload")
    done = page.locator(".dash-done").inner_text()
    assert 0 < int(re.search(r"([\d,]+) ", done)[1].replace(",", "")) < n


@pytest.fixture(scope="module")
def many(shared: Visit, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """A page with N cells that somebody has moved to the first type: corrections to learn from."""
    page = shared.page
    shared.open("Upload")
    shared.upload([zip_many(tmp_path_factory.mktemp("many"), N)])
    expect(page.locator(".dash-done")).to_contain_text(f"{N:,}")  # not what was there before
    shared.open("Classification")
    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_role("button", name="Select all").click()
    page.locator(".dash-panel-classification").get_by_role("button", name="Move to").first.click()
    page.locator(".dash-menu-item").first.click()
    shared.open("Chart")
    expect(page.locator(".dash-differential .dash-cell-number").first).to_have_text(f"{N:,}")
    return shared


# Presses "Cancel" in the moment in which the page shows it for work with these words.
CANCEL_AT_ONCE = """(words) => {
    const observer = new MutationObserver(() => {
        const places = [...document.querySelectorAll(".dash-working, .dash-running")];
        const place = places.find((one) => one.offsetParent && one.innerText.includes(words));
        if (!place) return;
        observer.disconnect();
        window.told = place.innerText;
        place.querySelector("button").click();
    });
    const all = { attributes: true, characterData: true, childList: true, subtree: true };
    observer.observe(document.body, all);
}"""


def expect_cancelled(visit: Visit) -> None:
    """Wait until the page says so and does no more, and take the notice away."""
    notice = visit.page.get_by_text("Cancelled. Nothing was changed.")
    notice.wait_for()
    for place in (".dash-working", ".dash-running"):
        expect(visit.page.locator(place)).to_be_hidden()
    settle(visit.page)
    visit.page.get_by_role("button", name="Close").click()
    notice.wait_for(state="hidden")


@pytest.mark.parametrize(
    ("tab", "button", "words"),
    [
        ("Chart", "Report", "Writing the report"),
        ("Chart", "Save review with images", "Working on the saved review"),
        ("Classification", "Adapt the model", "Learning"),
    ],
)
def test_other_work_can_be_cancelled_and_leaves_all_as_it_was(
    many: Visit, tab: str, button: str, words: str
) -> None:
    page, downloads = many.page, []
    page.on("download", lambda download: downloads.append(download))
    many.open(tab)
    page.evaluate(CANCEL_AT_ONCE, words)
    page.get_by_role("button", name=button).click()
    expect_cancelled(many)
    assert re.search(r"\d of 1,0\d\d", page.evaluate("window.told"))
    assert not downloads and not page.get_by_role("button", name="Accept all").is_visible()


@contextmanager
def slowed(processes: set[int]) -> Iterator[None]:
    """These processes work a tenth of the time: what they do takes longer than a busy page needs."""
    done = threading.Event()

    def hold() -> None:
        while not done.is_set():
            for sent, seconds in ((signal.SIGSTOP, 0.045), (signal.SIGCONT, 0.005)):
                for process in processes:
                    os.kill(process, sent)
                time.sleep(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_what_is_opened_can_be_cancelled_and_the_cells_stay(
    many: Visit, server: Running, tmp_path: Path
) -> None:
    page = many.page
    many.open("Chart")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save review with images").click()
    download.value.save_as(tmp_path / "review.zip")
    (tmp_path / "model.zip").write_bytes(write_zip(load_bundle(SHIPPED).contents().items()))
    works = {"review.zip": "Working on the saved review", "model.zip": "Working on the model"}
    for name, words in works.items():
        many.open("Upload")
        page.evaluate(CANCEL_AT_ONCE, words)
        with slowed(kernels_of(many, server)):
            page.set_input_files(".dash-file", [tmp_path / name])
            page.get_by_text("Cancelled. Nothing was changed.").wait_for()
        expect_cancelled(many)
        many.open("Chart")
        expect(page.locator(".dash-differential .dash-cell-number").first).to_have_text(f"{N:,}")
