"""Measures the page in a real browser and prints each figure with its spread, n and the bar beside it.

    python -m benchmarks.dashboard [--quick] [--only warm cold few thousand many bytes memory]

Only drawn cells are uploaded, 15 kB each. Every repeat is a fresh page, after one that is not counted. Needs
what the browser tests need.
"""

import argparse
import os
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.dashboard.measures import MEASURES, Bench, draw_files
from benchmarks.dashboard.rows import describe
from blood_lib.inference import count_cores
from tests.tools.browser_tools import CHROMIUM, FLAGS

REPEATS, QUICK_REPEATS = 5, 2


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_REPEATS} repeats, not {REPEATS}")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), metavar="NAME")
    args = parser.parse_args()
    print(f"{count_cores()} cores; median (lowest to highest) of the repeats\n", flush=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        scratch = Path(folder)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        repeats = QUICK_REPEATS if args.quick else REPEATS
        bench = Bench(browser, draw_files(scratch / "cells"), scratch, repeats, args.quick)
        for name in args.only:
            found = MEASURES[name](bench)
            print(*(describe(row, values) for row, values in found.items()), sep="\n")
            print(f"{'':4}(load of the machine: {os.getloadavg()[0]:.1f})", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
