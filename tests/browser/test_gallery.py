"""The gallery in a real browser: choosing cells and moving them by drag, frame, keys, menu and touch."""

from __future__ import annotations

import io
import re
import statistics
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.browser_tools import BROWSER, Visit, expect, on_a_desk, on_a_phone, touch, until
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode
from tests.tools.serving import serving, wait_for

pytestmark = BROWSER

EACH = 4  # cells of each colour
DULL = "#803030"  # red, but the model is not sure


@pytest.fixture(scope="module")
def server(tiny_bundle, tmp_path_factory: pytest.TempPathFactory):
    """The bundle of three colours: which group a cell comes to is known."""
    with serving(tmp_path_factory.mktemp("serve"), bundle=tiny_bundle.path) as running:
        yield running


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zip_colours(tmp_path_factory.mktemp("colours"), EACH)


def zip_colours(folder: Path, n: int) -> Path:
    """A ZIP file of n cells of each colour, all of them clear but for the last red one."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, colour in COLOURS.items():
            for i in range(n):
                dull = name == "red" and i == n - 1
                image = draw_cell(DULL if dull else colour, size=(60 + i % 5, 64))
                archive.writestr(f"{name} {i:04}.png", encode(image))
    (folder / "colours.zip").write_bytes(content.getvalue())
    return folder / "colours.zip"


# [name, number of cells] of each group, as the page has them
GROUPS = (
    "[...document.querySelectorAll('.dash-group[data-group]')].map(group =>"
    "[group.querySelector('h2').childNodes[1].data,"
    "group.hidden ? 0 : Number(group.querySelector('.dash-number').textContent.replace(',', ''))])"
)


SELECTED = '.dash-card[aria-selected="true"]'
BAR = ".dash-actions"  # what to do with the selected; the viewer has some of its buttons, too


class Review:
    """A visit to the gallery, as somebody who reviews."""

    def __init__(self, visit: Visit, files: Path):
        self.visit, self.page = visit, visit.page
        visit.upload([files])
        visit.open("Classification")
        self.page.wait_for_selector(".dash-card")

    def card(self, group: str, n: int = 0):
        return self.group(group).locator(".dash-card").nth(n)

    def group(self, name: str):
        return self.page.locator(".dash-group").filter(has=self.page.get_by_role("heading", name=name))

    def choose(self, card) -> None:
        """What the buttons are about; on a phone, what is looked at lies over them."""
        if self.visit.has_touch:
            self.select(True)
            card.tap()
        else:
            card.click()

    def select(self, on: bool) -> None:
        """A click or a touch marks from now on, or no more."""
        button = self.page.get_by_role("button", name="Select", exact=True)
        if (button.get_attribute("aria-pressed") == "true") != on:
            button.click()

    def expect(self, **counts: int) -> None:
        """Wait until the groups have these numbers; not named: EACH of each colour, none elsewhere."""
        wanted = dict.fromkeys(COLOURS, EACH) | {"unidentified": 0, "excluded": 0} | counts
        until(self.page, f"{GROUPS}.every(([name, n]) => ({wanted})[name] === n)")

    def expect_selected(self, n: int) -> None:
        expect(self.page.locator(".dash-selected")).to_have_text(f"{n} selected" if n else "")

    def end(self) -> None:
        """Leave the page as it was found, with no images."""
        self.visit.open("Classification")
        self.page.keyboard.press("Escape")
        self.select(False)
        self.visit.open("Upload")
        self.page.get_by_role("button", name="Remove all images").click()
        self.page.wait_for_selector(".dash-done", state="hidden")
        self.visit.open("Classification")  # out of sight the gallery keeps the cards of before
        expect(self.page.locator(".dash-card").locator("visible=true")).to_have_count(0)
        self.visit.open("Upload")


@pytest.fixture
def review(shared: Visit, colours: Path) -> Iterator[Review]:
    """The same cells, uploaded anew for each test: no selection and no move is left of the test before."""
    review = Review(shared, colours)
    review.expect()
    yield review
    review.end()


def test_the_most_doubtful_come_first_in_each_group(review: Review) -> None:
    expect(review.page.locator(".dash-card-uncertain")).to_have_count(1)
    expect(review.card("red")).to_have_attribute("title", re.compile(rf"red {EACH - 1:04}\.png$"))


@on_a_desk
def test_a_click_looks_and_control_and_shift_choose_several(review: Review) -> None:
    review.card("red").click()
    review.expect_selected(0)
    review.card("red", 2).click(modifiers=["Control"])
    review.expect_selected(2)
    review.card("green", 1).click(modifiers=["Shift"])
    review.expect_selected(1 + 1 + 2)
    review.page.get_by_role("button", name="Select all").click()
    review.expect_selected(3 * EACH)
    review.page.get_by_role("button", name="Select none").click()
    review.expect_selected(0)


def drag(review: Review, start, end) -> None:
    """With the mouse, in steps, as a hand does; `end` is found when the drag is under way."""
    start.hover(position={"x": 20, "y": 20})  # waits until it stands still
    box = start.bounding_box()
    review.page.mouse.down()
    review.page.mouse.move(box["x"] + 40, box["y"] + 30, steps=4)
    end().wait_for()
    goal = end().bounding_box()
    review.page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + goal["height"] / 2, steps=4)
    review.page.mouse.up()


@on_a_desk
def test_a_card_is_dragged_to_another_group_and_tells_what_the_model_said(review: Review) -> None:
    name = review.card("red").get_attribute("title")
    drag(review, review.card("red"), lambda: review.card("green", 1))
    review.expect(red=3, green=5)
    moved = review.page.locator(f'.dash-card-moved[title^="{name}"]')
    assert "model said" in moved.get_attribute("title")
    assert "red" in moved.get_attribute("aria-label")


@on_a_desk
def test_chosen_cards_are_dragged_together_to_a_group_that_was_empty(review: Review) -> None:
    review.card("red").click()
    review.card("red", 2).click(modifiers=["Control"])
    tray = review.page.locator(".dash-tray-target", has_text="excluded")
    expect(tray).to_be_hidden()
    drag(review, review.card("red"), lambda: tray)
    review.expect(red=2, excluded=2)
    expect(tray).to_be_hidden()
    review.expect_selected(0)


@on_a_desk
def test_a_frame_chooses_what_it_touches(review: Review) -> None:
    first, last = review.card("red").bounding_box(), review.card("green").bounding_box()
    review.page.mouse.move(first["x"] + first["width"] + 3, first["y"] - 4)  # between two cards, above them
    review.page.mouse.down()
    review.page.mouse.move(last["x"] + 2 * last["width"], last["y"] + 20, steps=5)
    review.page.mouse.up()
    colours = "cards => cards.map(card => card.title.split('/').pop().split(' ')[0])"
    selected = review.page.locator(SELECTED)
    wait_for(lambda: set(selected.evaluate_all(colours)) == {"red", "green"})
    assert selected.count() < 2 * EACH


@on_a_desk
def test_escape_ends_a_drag_and_moves_nothing(review: Review) -> None:
    page = review.page
    card, target = review.card("red").bounding_box(), review.group("blue").bounding_box()
    page.mouse.move(card["x"] + 30, card["y"] + 30)
    page.mouse.down()
    page.mouse.move(target["x"] + 60, target["y"] + 20, steps=5)
    page.locator(".dash-ghost").wait_for()
    page.keyboard.press("Escape")
    page.locator(".dash-ghost").wait_for(state="hidden")
    page.mouse.up()
    review.card("green").click()  # the next click counts again
    until(page, "document.querySelector('.dash-card[aria-current]').title.includes('green')")
    review.expect()


def test_the_keyboard_alone_reviews(review: Review) -> None:
    page, press = review.page, review.page.keyboard.press
    page.get_by_role("button", name="As a list").focus()
    press("Tab")
    until(page, "document.activeElement.getAttribute('role') === 'option'")
    press("ArrowRight")
    press("2")  # the second group
    review.expect(red=3, green=5)
    press("Shift+ArrowRight")
    review.expect_selected(2)
    press("u")
    review.expect(red=1, green=5, unidentified=2)
    press("x")  # the focus has gone on to the next group
    review.expect(red=1, green=4, unidentified=2, excluded=1)
    press("Control+z")
    press("Control+z")
    review.expect(red=3, green=5)
    press("Control+Shift+z")
    review.expect(red=1, green=5, unidentified=2)
    press("Control+z")
    press("Control+z")
    review.expect()
    press("Control+y")
    review.expect(red=3, green=5)


def test_keys_mark_and_confirm(review: Review) -> None:
    page, press = review.page, review.page.keyboard.press
    review.card("green").focus()
    press(" ")
    press("ArrowRight")
    press(" ")
    review.expect_selected(2)
    press("Escape")
    review.expect_selected(0)
    press("Control+a")
    review.expect_selected(EACH)
    press("Enter")
    until(page, f"document.querySelectorAll('.dash-card-confirmed').length === {EACH}")
    review.expect()
    press("End")
    press("ArrowDown")  # into the next group
    until(page, "document.activeElement.closest('.dash-group').dataset.group === '2'")


def test_after_a_move_the_focus_is_on_the_next_card(review: Review) -> None:
    review.card("blue", 1).focus()
    following = review.card("blue", 2).get_attribute("title")
    review.page.keyboard.press("1")
    review.expect(red=5, blue=3)
    until(review.page, f"document.activeElement.title === '{following}'")


def test_the_menu_moves_and_the_buttons_take_back(review: Review) -> None:
    review.choose(review.card("red"))
    review.page.locator(BAR).get_by_role("button", name="Move to").click()
    review.page.get_by_role("menuitem", name="blue").click()
    review.expect(red=3, blue=5)
    review.page.get_by_role("button", name="Undo").click()
    review.expect()
    review.page.get_by_role("button", name="Redo").click()
    review.expect(red=3, blue=5)


def test_filters_show_some_and_never_keep_marks_out_of_sight(review: Review) -> None:
    page = review.page
    review.card("red").focus()
    page.keyboard.press("x")
    review.expect(red=3, excluded=1)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Select all").click()
    page.get_by_label("Type", exact=True).select_option("green")
    expect(page.locator(".dash-card")).to_have_count(EACH)
    review.expect_selected(EACH)
    page.get_by_label("Type", exact=True).select_option("All types")
    page.get_by_label("Reviewed", exact=True).select_option("Moved by hand")
    expect(page.locator(".dash-card")).to_have_count(1)
    review.expect_selected(0)
    page.get_by_label("Reviewed", exact=True).select_option("all")
    expect(page.locator(".dash-card")).to_have_count(3 * EACH)
    page.get_by_label("Reviewed", exact=True).select_option("proposed")
    page.get_by_text("here with this filter").wait_for()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".dash-card")).to_have_count(3 * EACH)
    statuses = page.get_by_role("group", name="Show").get_by_role("button")
    statuses.filter(has_text="Uncertain").click()
    expect(page.locator(".dash-card")).to_have_count(1)
    statuses.filter(has_text="OK").click()
    expect(page.locator(".dash-card")).to_have_count(3 * EACH - 1)
    statuses.filter(has_text="All").click()
    for review_filter, n in (("reviewed", 1), ("open", 3 * EACH - 1), ("all", 3 * EACH)):
        page.get_by_label("Reviewed", exact=True).select_option(review_filter)
        expect(page.locator(".dash-card")).to_have_count(n)


def test_every_tab_follows_a_move(review: Review) -> None:
    review.card("red").focus()
    review.page.keyboard.press("x")
    review.expect(red=3, excluded=1)
    review.visit.open("Chart")
    expect(review.page.locator(".dash-count")).to_have_text(["3", "4", "4"])
    expect(review.page.locator(".dash-pie")).to_have_attribute(
        "aria-label", re.compile("red 3, green 4, blue 4")
    )
    review.visit.open("Visual analysis")
    legend = review.page.locator(".dash-legend .dash-chip:not([hidden]) .dash-number")
    expect(legend).to_have_text(["3", "4", "4", "1"])
    review.page.keyboard.press("Control+z")
    expect(legend).to_have_text(["4", "4", "4"])
    review.visit.open("Chart")
    expect(review.page.locator(".dash-count")).to_have_text(["4", "4", "4"])


LONG = 2000  # ms that a finger rests: far more than it needs, on a busy machine


@on_a_phone
def test_a_finger_that_rests_begins_to_select_and_the_menu_moves(review: Review) -> None:
    page = review.page
    review.card("red", 1).scroll_into_view_if_needed()
    box = review.card("red", 1).bounding_box()
    touch(review.visit, [(box["x"] + 30, box["y"] + 30)], rest=LONG)
    review.expect_selected(1)
    review.card("red", 2).tap()
    review.expect_selected(2)
    page.locator(BAR).get_by_role("button", name="Move to").tap()
    page.get_by_role("menuitem", name="unidentified").tap()
    review.expect(red=2, unidentified=2)
    page.get_by_role("button", name="Select all").tap()
    review.expect_selected(3 * EACH)
    page.get_by_role("button", name="Select none").tap()
    review.expect_selected(0)
    review.select(False)
    review.card("red").tap()
    page.locator(".dash-panel-classification .dash-viewer .dash-name").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_list_has_the_same_cells_with_their_names(review: Review) -> None:
    page = review.page
    review.card("red").focus()
    page.keyboard.press("x")
    review.expect(red=3, excluded=1)
    looked_at = page.locator(".dash-panel-classification .dash-viewer .dash-name")
    looked_at.wait_for()  # the next one; on a phone it lies over the cards
    page.keyboard.press("Escape")
    looked_at.wait_for(state="hidden")
    as_list = page.get_by_role("button", name="As a list")
    as_list.click()
    review.group("excluded").scroll_into_view_if_needed()
    expect(review.card("excluded")).to_contain_text("Moved here by hand")
    lefts = page.locator(".dash-card").evaluate_all(
        "all => all.map(card => card.getBoundingClientRect().left)"
    )
    assert len(set(lefts)) == 1  # one below the other
    row = review.card("green", 1)
    name = row.get_attribute("title")
    expect(row).to_contain_text(name)
    expect(row).to_contain_text("green, ")
    shown = page.locator(".dash-card-words > *").evaluate_all(
        "all => all.filter(one => one.offsetHeight).length"
    )
    assert shown == 2 * page.locator(".dash-card").count()
    row.click()
    expect(looked_at).to_have_text(name)
    page.keyboard.press("Escape")
    looked_at.wait_for(state="hidden")
    row.focus()
    page.keyboard.press("ArrowDown")
    expect(looked_at).to_have_text(review.card("green", 2).get_attribute("title"))
    page.keyboard.press("Escape")
    looked_at.wait_for(state="hidden")
    if not review.visit.has_touch:
        frame_two_rows(review)
    as_list.click()
    expect(review.card("green").locator(".dash-card-words")).to_be_hidden()


def frame_two_rows(review: Review) -> None:
    """With the mouse, from the margin beside the list."""
    mouse, boxes = review.page.mouse, [review.card("green", i).bounding_box() for i in (0, 1)]
    right = boxes[0]["x"] + boxes[0]["width"]
    mouse.move(right + 20, boxes[0]["y"] + 5)
    mouse.down()
    mouse.move(right - 20, boxes[1]["y"] + 10, steps=4)
    mouse.up()
    review.expect_selected(2)
    review.page.get_by_role("button", name="Select none").click()


# Scrolls eight screens down in four seconds: how many ms each frame took, and how many frames showed nothing
# where cards belong.
SCROLL = """async () => {
    const gaps = [];
    window.scrollTo(0, 0);
    let blank = 0, before = performance.now();
    const grid = document.querySelector(".dash-group:not([hidden]) .dash-grid");
    for (let i = 0; i < 8 * 30; i += 1) {
        window.scrollBy(0, window.innerHeight / 30);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        gaps.push(now - before);
        before = now;
        if (!grid) continue;
        const { left, top, bottom } = grid.getBoundingClientRect();
        const y = window.innerHeight / 2;
        const isCard = (dy) => document.elementFromPoint(left + 40, y + dy)?.closest(".dash-card");
        const seen = [0, 30].some(isCard);
        if (top < y && y + 30 < bottom && !seen) blank += 1;
    }
    return [gaps, blank];
}"""


def test_the_gallery_scrolls_smoothly(visit: Visit, tmp_path: Path) -> None:
    review = Review(visit, zip_colours(tmp_path, 1000))
    page, kind = visit.page, visit.page.get_by_label("Type", exact=True)
    until(page, f"{GROUPS}.slice(0, 3).every(([_, n]) => n === 1000)")

    def scrolls_as_without_cells() -> bool:
        """As quick, that is, as this machine can do at that moment: others work on it, too."""
        kind.select_option("excluded")
        expect(page.locator(".dash-card")).to_have_count(0)
        none, _ = page.evaluate(SCROLL)
        kind.select_option("red")
        review.card("red").wait_for()
        gaps, blank = page.evaluate(SCROLL)
        assert page.evaluate("window.scrollY") > 3 * page.viewport_size["height"]
        assert blank == 0
        return statistics.median(gaps) < 2 * statistics.median(none) + 10

    wait_for(
        lambda: sum(scrolls_as_without_cells() for _ in range(3)) >= 2,
        what="the gallery to scroll as quickly as a page without cells, in two of three tries",
    )
    until(page, "[...document.querySelectorAll('.dash-card img')].every((one) => one.naturalWidth > 0)")


def test_five_thousand_cells_stay_light(visit: Visit, tmp_path: Path) -> None:
    review = Review(visit, zip_colours(tmp_path, 5001 // 3))
    page = visit.page
    until(page, f"{GROUPS}.slice(0, 3).every(([_, n]) => n === 1667)")
    assert page.locator(".dash-card").count() < 200  # only what is near
    review.card("green").focus()
    page.keyboard.press("End")
    until(page, "document.activeElement.getAttribute('aria-posinset') === '1667'")
    until(page, "document.activeElement.querySelector('img').naturalWidth > 0")
    page.keyboard.press("Control+a")
    page.keyboard.press("3")
    until(page, f"{GROUPS}.some(([name, n]) => name === 'blue' && n === 3334)")
