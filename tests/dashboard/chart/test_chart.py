"""The Chart tab without a browser: the numbers in words, ranges that a person edits, bars and pie."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from blood_lib.bundle import Bundle, ClassInfo
from blood_lib.dashboard.app import App
from blood_lib.dashboard.chart import charts
from blood_lib.dashboard.chart.charts import Bar
from blood_lib.dashboard.chart.differential_table import (
    DifferentialTable,
    Row,
    build_differential_table,
    parse_range,
    show_range,
)
from blood_lib.dashboard.state import EXCLUDED, UNIDENTIFIED, Cell
from blood_lib.dashboard.state.commands import Clear, Move
from blood_lib.dashboard.state.messages import Messages
from blood_lib.inference import Classifier, Result
from tests.tools.dashboard_tools import classify, drawn_files, listen, say
from tests.tools.fixtures_bundle import save_tiny_bundle

CLASSES = [
    ClassInfo("red", {"en": "red", "es": "rojo"}, "#d62728", reference_range=(40, 60)),
    ClassInfo("green", {"en": "green", "es": "verde"}, "#2ca02c", in_differential=False, per_hundred=True),
    ClassInfo("blue", {"en": "blue", "es": "azul"}, "#1f77b4"),
]
NOUN = {"en": "primary squares", "es": "cuadrados primarios"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Red and blue are in the differential, red has a range, and green is counted per hundred of them."""
    return save_tiny_bundle(tmp_path_factory.mktemp("counted"), classes=CLASSES, differential=NOUN)


@pytest.fixture
def app(bundle: Bundle) -> App:
    app = App(Classifier(bundle))
    classify(app, [*drawn_files(), ("text.jpg", b"no image")])
    app.state.tab = "chart"
    return app


def cells(status: str = "ok", **numbers: int) -> list[Cell]:
    """So many cells in each group; those in no class were moved there."""
    names = [name for name, n in numbers.items() for _ in range(n)]
    extra = (UNIDENTIFIED, EXCLUDED)
    return [
        Cell(
            i,
            f"{i}.png",
            Result(f"{i}.png", status, None, "red" if name in extra else name, 0.9),
            b"",
            group=name if name in extra else None,
        )
        for i, name in enumerate(names)
    ]


def table(found: list[Cell], bundle: Bundle, language: str = "en") -> DifferentialTable:
    return build_differential_table(found, 3, bundle, bundle.ranges, Messages.for_bundle(bundle, language))


def rows(found: DifferentialTable) -> dict[str, Row]:
    return {row.name: row for group in found.groups for row in group.rows}


# --- in words ---


def test_everything_that_was_uploaded_is_in_the_table_once(bundle: Bundle) -> None:
    found = table(cells(red=120, blue=80, green=4, unidentified=2, excluded=1), bundle)
    assert {name: row.n for name, row in rows(found).items()} == {
        "red": 120, "blue": 80, "green": 4, "unidentified": 2, "excluded": 1, "rejected": 3
    }  # fmt: skip
    assert [group.kind for group in found.groups] == ["shares", "ratios", "outside"]
    assert found.groups[0].title == "Primary squares: 200"
    assert found.groups[1].title == "Per 100 primary squares"


def test_shares_and_ratios_are_shown_with_their_intervals(bundle: Bundle) -> None:
    found = rows(table(cells(red=120, blue=80, green=4), bundle))
    assert (found["red"].share, found["red"].interval) == ("60.0 %", "52.9–66.8 %")
    assert (found["green"].share, found["green"].interval) == ("2.0", "0.5–5.2")
    assert found["red"].flag == "inside" and found["blue"].flag == ""


def test_numbers_are_written_as_in_the_language(bundle: Bundle) -> None:
    found = table(cells(red=120, blue=81), bundle, "es")
    assert rows(found)["red"].share == "59,7 %"
    assert found.groups[0].title == "Cuadrados primarios: 201"


def test_too_few_are_cautioned_in_plain_words(bundle: Bundle) -> None:
    assert "fewer than 100" in table(cells(red=99), bundle).caution
    few = table(cells(red=60, blue=40), bundle).caution
    assert "fewer than 200" in few and "from 50 % to 70 %" in few
    assert table(cells(red=120, blue=80), bundle).caution == ""
    assert "none" in table(cells(green=5), bundle).caution


def test_where_most_are_unfamiliar_nothing_is_assessed_and_it_says_why(bundle: Bundle) -> None:
    for unknown, is_judged in ((100, True), (101, False)):
        found = table([*cells("unfamiliar", red=unknown), *cells(red=150 - unknown, blue=50)], bundle)
        assert rows(found)["red"].flag == ("above" if is_judged else "")
        assert ("101 of the 200 primary squares" in found.unjudged) is not is_judged
        assert rows(found)["red"].n == 150 and rows(found)["red"].share == "75.0 %"
    seen = [replace(cell, group="red") for cell in cells("unfamiliar", red=150)]
    assert table(seen, bundle).unjudged == ""  # a person has decided
    accepted = [replace(cell, bulk=True) for cell in seen]
    assert table(accepted, bundle).unjudged  # nobody has


def test_no_type_without_cells_is_warned_about_and_no_interval_that_says_nothing_is_shown(
    bundle: Bundle,
) -> None:
    found = table(cells(blue=1, green=1), bundle)
    assert "share of blue" in found.caution
    assert rows(found)["green"].interval == "too few to tell"


def test_with_nothing_to_relate_to_no_share_is_told(bundle: Bundle) -> None:
    found = rows(table(cells(green=5), bundle))
    assert found["red"].share == found["red"].interval == found["green"].share == found["red"].flag == ""


def test_a_bundle_without_a_differential_is_not_judged(tiny_bundle: Bundle) -> None:
    found = table(cells(red=3, blue=1), tiny_bundle)
    assert found.caution == ""
    assert {row.flag for row in rows(found).values()} == {""}
    assert found.groups[0].title == "Squares: 4"


def test_a_review_is_summed_up(bundle: Bundle) -> None:
    found = table(cells("uncertain", red=2, blue=1, excluded=4), bundle)
    assert found.doubtful == 3
    assert found.decided.startswith("Decided by a person: 4 of 7 (4 moved). Accepted in bulk: 0.")


@pytest.mark.parametrize(
    ("low", "high", "limits"),
    [("0", "100", (0, 100)), (" 2,5", "10.25 ", (2.5, 10.25)), ("7", "7", (7, 7)), ("", " ", None)],
)
def test_a_range_is_read_as_people_type_it(low: str, high: str, limits: object) -> None:
    assert parse_range(low, high) == limits


@pytest.mark.parametrize("low", ["5", "", "-1", "a", "nan", "1e0", "1 0", 1, None])
def test_what_is_no_range_is_refused(low: object) -> None:
    for limits in ((low, "4"), ("100.1", low)):
        with pytest.raises(ValueError, match="range"):
            parse_range(*limits)


def test_a_range_is_shown_with_the_decimals_it_has() -> None:
    assert show_range((0, 0.9), Messages("en")) == "0–0.9 %"
    assert show_range((2.25, 40), Messages("es")) == "2,25–40 %"
    assert show_range(None, Messages("en")) == ""


# --- the tab ---


def shown(app: App) -> dict[str, dict]:
    """The table's rows by their labels."""
    return {row["label"]: row for group in app.chart.differential.table["groups"] for row in group["rows"]}


def test_the_table_follows_a_move(app: App) -> None:
    assert shown(app)["red"]["n"] == "1" and shown(app)["red"]["share"] == "50.0 %"
    app.state.command = Move((app.state.cells[0].id,), "blue")
    assert shown(app)["red"]["n"] == "0" and shown(app)["blue"]["share"] == "100.0 %"
    app.state.command = Move((app.state.cells[0].id,), EXCLUDED)
    assert shown(app)["blue"]["n"] == shown(app)["excluded"]["n"] == "1"
    assert shown(app)["rejected files"]["n"] == "1"


def test_a_tab_that_is_not_open_is_not_drawn(bundle: Bundle) -> None:
    app = App(Classifier(bundle))
    classify(app, drawn_files())
    assert app.chart.differential.table == {}


def test_an_edited_range_flips_the_flag_and_a_reset_flips_it_back(app: App) -> None:
    assert (shown(app)["red"]["low"], shown(app)["red"]["high"], shown(app)["red"]["flag"]) == (
        "40",
        "60",
        "inside",
    )
    heard = listen(app.chart.differential)
    say(app.chart.differential, kind="range", index=0, low="99,5", high="100")
    assert app.state.ranges == {"red": (99.5, 100)}
    assert shown(app)["red"]["flag"] == "below" or shown(app)["red"]["flag"] == "maybe_below"
    assert shown(app)["red"]["verdict"] and shown(app)["red"]["sign"]
    assert heard[-1].content == {"kind": "range", "index": 0, "fits": True}
    assert app.chart.differential.table["edited"]
    say(app.chart.differential, kind="reset")
    assert app.state.ranges == app.state.bundle.ranges and not app.chart.differential.table["edited"]


def test_the_buttons_that_save_come_once_the_numbers_stand_and_go_with_the_cells(bundle: Bundle) -> None:
    app, numbers_stood = App(Classifier(bundle)), []
    app.chart.save_buttons.observe(
        lambda change: numbers_stood.append(app.chart.differential.table != {}), "some"
    )
    app.state.tab = "chart"
    assert not app.chart.save_buttons.some
    classify(app, drawn_files())
    assert app.chart.save_buttons.some and numbers_stood == [True]
    app.state.command = Clear()
    assert not app.chart.save_buttons.some


def test_a_range_can_be_given_and_taken_away(app: App) -> None:
    say(app.chart.differential, kind="range", index=2, low="10", high="20")
    say(app.chart.differential, kind="range", index=0, low="", high="")
    assert app.state.ranges == {"blue": (10, 20)}
    assert shown(app)["blue"]["flag"] and not shown(app)["red"]["flag"]


def test_a_bad_range_is_told_and_changes_nothing(app: App) -> None:
    heard = listen(app.chart.differential)
    say(app.chart.differential, kind="range", index=0, low="60", high="40")
    assert heard[-1].content == {"kind": "range", "index": 0, "fits": False}
    assert app.state.ranges == app.state.bundle.ranges


@pytest.mark.parametrize("index", [1, 3, -1, True, "0", None, [0]])
def test_a_range_of_what_is_in_no_differential_is_not_taken(app: App, index: object) -> None:
    say(app.chart.differential, kind="range", index=index, low="1", high="2")
    assert app.state.ranges == app.state.bundle.ranges
    assert not app.state.error


def test_a_target_is_told_once_when_it_is_reached(app: App) -> None:
    state, widget = app.state, app.chart.differential
    for n, target in ((7, 0), (100, 100)):
        say(widget, kind="target", n=n)
        assert state.target == target
    assert widget.table["target"]["sentence"] == "2 of 100 primary squares, 98 to go"
    state.cells = tuple(cells(red=60, blue=39, green=9))
    assert state.notice is None
    state.cells += tuple(replace(cell, id=1000) for cell in cells(red=1))
    assert app.status.notice == "100 primary squares are counted."
    assert widget.table["target"] == {"n": 100, "of": 100, "sentence": "100 primary squares are counted."}
    state.notice = None
    state.cells += tuple(replace(cell, id=1001) for cell in cells(red=1))
    assert state.notice is None


def test_the_reviewers_name_is_kept_short_and_printable(app: App) -> None:
    say(app.chart.differential, kind="reviewer", name="  Ada\n" + "x" * 500)
    assert app.state.reviewer.startswith("Ada") and app.state.reviewer.isprintable()
    assert len(app.state.reviewer) <= 210 and app.chart.differential.reviewer == app.state.reviewer
    say(app.chart.differential, kind="reviewer", name=5)
    assert app.state.reviewer.startswith("Ada")


def test_the_table_is_in_the_language_of_the_page(app: App) -> None:
    app.state.language = "es"
    assert {"rojo", "verde", "azul"} <= shown(app).keys()
    assert app.chart.differential.text["report"] == app.state.messages("chart.report")


def test_a_bundle_that_replaces_another_brings_its_ranges(app: App, tiny_classifier: Classifier) -> None:
    app.controller.use(tiny_classifier)
    assert app.chart.differential.table == {} and app.state.ranges == {}


# --- bars and pie ---


def bars(*counts: int) -> list[Bar]:
    return [Bar(i, f"<b>{i}", "#123456", n, n // 2, f"{n}") for i, n in enumerate(counts)]


def test_the_bars_are_of_all_types_and_the_pie_of_the_differential(app: App) -> None:
    html = app.chart.page.value
    assert re.findall(r'class="dash-count">(\d+)<', html) == ["1", "1", "1"]
    assert html.count("dash-slice") == 2
    assert "primary squares" in html


def test_only_what_nobody_has_looked_at_is_striped(app: App) -> None:
    doubtful = [cell for cell in app.state.cells if cell.doubtful]
    assert bool(doubtful) == ("url(#dash-stripes-" in app.chart.page.value)
    for cell in app.state.cells:
        app.state.command = Move((cell.id,), cell.label)
    assert "url(#dash-stripes-" not in app.chart.page.value


def test_bars_are_as_long_as_their_numbers_and_striped_where_to_check() -> None:
    html = charts.draw_bars(bars(8, 4, 0), ("type", "number"))
    lengths = re.findall(r'width="([\d.]+)%" height="100%" rx="3" fill="#123456"', html)
    assert lengths == ["100.00", "50.00", "0.00"]
    assert html.count("url(#dash-stripes-") == 2


def test_a_pie_of_one_type_is_a_whole_ring_and_parts_add_up() -> None:
    assert charts.draw_pie(bars(5), "t", "5", "cells").count("dash-slice") == 1
    svg = charts.draw_pie(bars(1, 2, 1), "t", "4", "cells")
    assert svg.count("dash-slice") == 3
    assert all(f"{share} %" in svg for share in (25, 50))


def test_charts_escape_what_the_bundle_says() -> None:
    html = charts.draw_bars(bars(1), ("<i>", "<i>")) + charts.draw_pie(bars(1), "<i>", "<i>", "<i>")
    assert "<b>" not in html
    assert "<i>" not in html


def test_the_shipped_bundle_says_what_is_counted_where() -> None:
    from blood_lib.bundle import load_bundle

    shipped = load_bundle()
    found = build_differential_table([], 0, shipped, shipped.ranges, Messages.for_bundle(shipped, "en"))
    assert [group.kind for group in found.groups] == ["shares", "ratios", "apart", "outside"]
    assert found.groups[0].title == "White cells: 0" and len(found.groups[0].rows) == 6
    assert math.isinf(found.differential.ratios[0].high)
