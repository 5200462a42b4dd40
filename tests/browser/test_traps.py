"""In a browser: nothing that a person has decided is lost, and nothing that nobody decided is invented."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import islice
from pathlib import Path

from PIL import ImageOps

from blood_lib.study.painter import draw_cells
from tests.browser.test_promise import CARDS, N, look_at_doubtful, move_all_but
from tests.tools.browser_tools import BROWSER, Visit, expect
from tests.tools.fixtures_bundle import encode

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


def take(visit: Visit, button: str, path: Path) -> Path:
    """Have the page give a file."""
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name=button).click()
    download.value.save_as(path)
    return path


def test_every_file_that_the_page_gives_is_taken_back(desktop: Visit, tmp_path: Path) -> None:
    page = desktop.page
    (tmp_path / "cells").mkdir()
    learn(desktop, tmp_path / "cells")
    reviews = []
    for state in ("as it was", "adapted"):
        desktop.open("Chart")
        for images in ("with", "without"):
            path = tmp_path / f"{state}, {images} images.zip"
            reviews.append(take(desktop, f"Save review {images} images", path))
        desktop.open("Classification")
        if state == "as it was":
            page.get_by_role("button", name="Accept all").click()
            page.get_by_text("has learnt from your corrections").wait_for()
    model = take(desktop, "Download the adapted model", tmp_path / "model.zip")
    desktop.open("Chart")
    others = [
        take(desktop, "Table (CSV)", tmp_path / "table.csv"),
        take(desktop, "Report", tmp_path / "report.html"),
    ]
    desktop.open("Upload")
    for path in others:
        page.set_input_files(".dash-file", [path])
        page.locator(".dash-ask").get_by_role("button", name="Replace").click()
        page.get_by_text(
            "A table or a report cannot be opened again. Open the saved review instead."
        ).wait_for()
        page.locator(".dash-status").get_by_role("button", name="Close").click()
    for path in reviews:
        page.set_input_files(".dash-file", [path])
        page.get_by_text(f"is open: {N} cells").wait_for()
        page.locator(".dash-status .dash-notice button").click()
        adapted, bulk = "adapted" in path.name, N_OPEN if "adapted" in path.name else 0
        desktop.open("Classification")
        expect(page.get_by_text("has learnt from your corrections")).to_be_visible(visible=adapted)
        desktop.open("Chart")
        expect(page.locator(".dash-numbers")).to_contain_text(
            f"Decided by a person: {N - N_OPEN} of {N} ({N - N_OPEN} moved). Accepted in bulk: {bulk}."
        )
        desktop.open("Upload")
    page.set_input_files(".dash-file", [model])
    page.get_by_text("The model in use is now").wait_for()
    assert not desktop.asked  # a file had each of them


def test_more_images_are_added_or_replace_and_nothing_goes_unasked(desktop: Visit, tmp_path: Path) -> None:
    page = desktop.page
    (tmp_path / "cells").mkdir()
    look_at_doubtful(desktop, tmp_path / "cells")
    move_all_but(desktop, N_OPEN)
    desktop.open("Upload")
    more, done = sorted((tmp_path / "cells").iterdir())[:2], page.locator(".dash-done")
    question = page.locator(".dash-ask")
    desktop.upload(more, "Cancel")
    expect(done).to_contain_text(f"{N} cells")
    desktop.upload(more, "Add")
    expect(done).to_contain_text(f"{N + 2} cells")
    assert who_decided(desktop) == {"person": N - N_OPEN, "no": N_OPEN + 2}
    desktop.open("Upload")
    page.get_by_role("button", name="example").click()
    expect(question).to_contain_text(
        f"You have reviewed or accepted {N - N_OPEN} of them, and no file has this review yet."
    )
    question.get_by_role("button", name="Cancel").click()
    desktop.upload(more, "Replace")
    expect(done).to_contain_text("2 cells")
    assert who_decided(desktop) == {"no": 2}


def test_a_review_is_kept_in_the_browser_if_wanted_and_restored_after_a_reload(
    desktop: Visit, tmp_path: Path
) -> None:
    page = desktop.page
    keep, kept = page.get_by_label("Keep the review in this browser"), page.locator(".dash-kept-state")
    expect(keep).not_to_be_checked()
    (tmp_path / "cells").mkdir()
    look_at_doubtful(desktop, tmp_path / "cells")
    desktop.open("Upload")
    keep.check()
    expect(kept).to_contain_text(f"{N} cells, 0 of them decided")
    desktop.open("Classification")
    move_all_but(desktop, N_OPEN)
    desktop.open("Upload")
    expect(kept).to_contain_text(f"{N - N_OPEN} of them decided")
    desktop.reload()
    page.get_by_text(f"with {N} cells. Restore it").wait_for()
    expect(keep).to_be_checked()
    desktop.upload(sorted((tmp_path / "cells").iterdir())[:2])  # does not overwrite what is kept
    expect(kept).to_contain_text("Nothing new is kept before that")
    page.get_by_role("button", name="Restore it").click()
    page.get_by_text(f"is open: {N} cells").wait_for()
    expect(kept).to_contain_text("Kept in this browser")
    assert who_decided(desktop) == {"person": N - N_OPEN, "no": N_OPEN}
    desktop.open("Upload")
    keep.uncheck()
    expect(page.get_by_role("button", name="Delete it from this browser")).to_be_hidden()
    desktop.reload()
    page.wait_for_selector(".dash-drop")
    expect(keep).not_to_be_checked()
    expect(kept).to_be_hidden()


def draw_inverted(folder: Path, n: int) -> list[Path]:
    """Drawn cells in colours that the model does not know."""
    for i, (name, image) in enumerate(islice(draw_cells(per_type=2), n)):
        (folder / f"{name} {i}.png").write_bytes(encode(ImageOps.invert(image)))
    return sorted(folder.iterdir())


def test_where_most_cells_are_unfamiliar_nothing_is_called_above_or_below(
    desktop: Visit, tmp_path: Path
) -> None:
    page, n = desktop.page, 16
    page.locator(".dash-photographs summary").click()  # inverted, some seem to be fields of several cells
    page.get_by_label("What images show").first.select_option("cells")
    desktop.upload(draw_inverted(tmp_path, n))
    desktop.open("Chart")
    table = page.locator(".dash-differential")
    expect(page.locator(".dash-unjudged")).to_contain_text("unfamiliar to the model, more than half")
    assert not any(page.locator(".dash-cell-verdict").all_inner_texts())
    numbers = table.locator(".dash-cell-number").all_inner_texts()
    assert sum(map(int, numbers)) == n
    report = take(desktop, "Report", tmp_path / "report.html").read_text("utf-8")
    assert "unfamiliar to the model, more than half" in report and "▲ above" not in report
    desktop.open("Classification")
    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_role("button", name="Select all").click()
    left = page.locator(".dash-panel-classification .dash-left")
    expect(left).to_contain_text(f"{n} doubtful cells left to decide")
    page.keyboard.press("c")  # a person has looked at them
    expect(left).to_contain_text("No doubtful cell left")
    desktop.open("Chart")
    expect(page.locator(".dash-unjudged")).to_be_hidden()
    assert any(page.locator(".dash-cell-verdict").all_inner_texts())


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
