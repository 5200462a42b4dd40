"""How long a visitor waits in a real browser: for the page, for 22 images in every tab, and for a click.

    python -m benchmarks.dashboard [--repeats 5]

Every repeat is a fresh page of a warm server. Needs what the browser tests need.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from blood_lib.study.painter import save_examples
from tests.browser_tools import CHROMIUM, DESKTOP, FLAGS, Visit, time_a_click
from tests.serving import Running, serving, wait_for

N_IMAGES = 22
STEPS = (
    "page asked for to ready",
    "22 images given to classified",
    "and to the last tab complete",
    "click on the map to cell shown",
)

_PLACED = """() => {
  const figure = document.querySelector('.dash-panel-map .js-plotly-plot');
  const cells = figure?.calcdata?.[0];
  return cells && cells[0].x !== undefined && cells[0].x !== false ? cells.length : 0;
}"""
_PICTURES = "[...document.querySelectorAll('.dash-card img')].filter(image => image.naturalWidth > 0).length"


def _visit(browser, server: Running, files: list[Path]) -> list[float]:
    """Seconds of each of STEPS on one fresh page."""
    started = time.perf_counter()
    visit = Visit(browser, server, **DESKTOP)
    ready = time.perf_counter() - started
    time.sleep(2)  # a person looks at the page before giving it anything
    started = time.perf_counter()
    visit.upload(files)
    classified = time.perf_counter() - started
    visit.open("Classification")
    wait_for(lambda: visit.page.evaluate(_PICTURES) >= 12)  # as many as the window shows
    visit.open("Visual analysis")
    wait_for(lambda: visit.page.evaluate(_PLACED) == N_IMAGES)
    complete = time.perf_counter() - started
    clicked = time_a_click(visit) / 1000
    visit.close()
    return [ready, classified, complete, clicked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving(Path(scratch)) as server,
        sync_playwright() as playwright,
    ):
        files = save_examples(Path(scratch) / "cells")[:N_IMAGES]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        times = [_visit(browser, server, files) for _ in range(1 + args.repeats)][1:]
        browser.close()
    for step, seconds in zip(STEPS, zip(*times, strict=True), strict=True):
        low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
        print(f"{step:32} {middle:5.2f} s ({low:.2f} to {high:.2f}), n = {len(seconds)}")


if __name__ == "__main__":
    main()
