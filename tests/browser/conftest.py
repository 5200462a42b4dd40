"""One server and one browser for all tests in here, and a fresh page for each.

Real cells are uploaded where there are some, and drawn ones otherwise; no screenshot is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from blood_lib.bundle import SHIPPED
from blood_lib.study.painter import draw_cells
from tests import ROOT
from tests.tools.browser_tools import CHROMIUM, DESKTOP, FLAGS, SCREENS, Visit
from tests.tools.fixtures_bundle import encode
from tests.tools.serving import Running, serving

N_FILES = 22


@pytest.fixture(scope="package")
def server(tiny_bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The shipped bundle, or the tiny one where none ships yet."""
    bundle = SHIPPED if (SHIPPED / "bundle.json").is_file() else tiny_bundle.path
    with serving(tmp_path_factory.mktemp("serve"), bundle=bundle) as running:
        yield running


@pytest.fixture(scope="package")
def browser():
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install '.[test]'"
    )
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(params=SCREENS)
def visit(browser, server: Running, request: pytest.FixtureRequest) -> Iterator[Visit]:
    visit = Visit(browser, server, **SCREENS[request.param])
    yield visit
    visit.close()


@pytest.fixture(scope="module", params=SCREENS)
def shared(browser, server: Running, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """One page for the tests of a module: to start one takes longer than most of them."""
    visit = Visit(browser, server, **SCREENS[request.param])
    yield visit
    visit.close()


@pytest.fixture
def desktop(browser, server: Running) -> Iterator[Visit]:
    visit = Visit(browser, server, **DESKTOP)
    yield visit
    visit.close()


@pytest.fixture(scope="package")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of cells: real ones where there are some, drawn ones otherwise."""
    data = Path(os.environ.get("BLOOD_DATA") or ROOT.parent / "shared" / "data")
    found = sorted(data.glob("PBC_dataset_normal_DIB/*/[!.]*.jpg"))
    if found:
        return found[:: len(found) // N_FILES][:N_FILES]
    folder = tmp_path_factory.mktemp("cells")
    for i, (name, image) in enumerate(islice(draw_cells(per_type=3), N_FILES)):
        (folder / f"{name} {i}.png").write_bytes(encode(image))
    return sorted(folder.iterdir())
