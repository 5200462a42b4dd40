"""What the browser tests share: a visitor's page, and how to wait and click in it.

Server, browser and pages as fixtures are in browser/conftest.py.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from urllib.parse import urlparse

import pytest

from tests.tools.fixtures_bundle import draw_cell, encode
from tests.tools.serving import Running, wait_for

CHROMIUM = next(
    (path for path in ("/usr/bin/chromium", shutil.which("chromium") or "") if os.path.exists(path)), None
)
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SCREENS = {"desktop": DESKTOP, "phone": PHONE}
PATIENCE = 120_000  # ms, on a busy machine
TABS = ("Upload", "Help", "Chart", "Classification", "Visual analysis")

# Every file of browser tests begins with `pytestmark = BROWSER`.
BROWSER = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium in /usr/bin: apt-get install chromium"),
]

# For a test of the page that a module shares, where it makes no sense on the other kind of screen.
on_a_desk = pytest.mark.parametrize("shared", ["desktop"], indirect=True)
on_a_phone = pytest.mark.parametrize("shared", ["phone"], indirect=True)


class Visit:
    """A visitor's page, and all that it asked for and complained about."""

    def __init__(self, browser, server: Running, **options) -> None:
        self.context = browser.new_context(accept_downloads=True, **options)
        self.has_touch = options.get("has_touch", False)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", self._on_socket)
        self.asked: list[str] = []  # by dialogs
        self.goes_on = True  # the visitor's answer
        self.page.on("dialog", self._on_dialog)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._on_console)
        self.page.goto(server.address)
        self.page.wait_for_selector(".dash-drop")
        self.page.wait_for_selector(".dash-preparing", state="hidden")

    def _on_socket(self, socket) -> None:
        self.requests.append(socket.url)

    def _on_console(self, message) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _on_dialog(self, dialog) -> None:
        self.asked.append(dialog.message or dialog.type)
        if self.goes_on:
            dialog.accept()
        else:
            dialog.dismiss()

    def upload(self, files: list, answer: str = "Replace") -> None:
        self.give(files, answer)
        self.page.wait_for_selector(".dash-done")

    def give(self, files: list, answer: str = "Replace") -> None:
        """Choose images; `answer`: to what becomes of cells that are on the page."""
        there = self.page.locator(".dash-done").count() > 0
        self.page.set_input_files(".dash-file", files)
        if there:
            self.page.locator(".dash-ask").get_by_role("button", name=answer).click()

    def open(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab).click()

    def reload(self) -> None:
        """Load the page anew, and forget what it complained of when it was left in the middle of its work."""
        self.page.reload(wait_until="commit")
        self.complaints.clear()

    def foreign(self) -> list[str]:
        """What it asked another host for."""
        return [url for url in self.requests if urlparse(url).hostname not in {"localhost", None, ""}]

    def close(self) -> None:
        """Leave the page, and hold what every page must keep to."""
        other = self.foreign()
        complaints = self.complaints.copy()
        self.page.goto("about:blank")
        if "beforeunload" in self.asked:  # then its farewell is on its way only now
            self.page.wait_for_timeout(300)
        self.context.close()
        assert not other, other
        assert not complaints, complaints


def kernels_of(visit: Visit, server: Running) -> set[int]:
    """The process of the page's kernel, found by the name of its connection file."""
    name = visit.page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    )
    return {pid for pid, command in server.list_kernels().items() if name in command}


def until(page, expression: str) -> None:
    """Wait for a JavaScript expression to be true (the page's policy forbids Playwright's own way).

    While an element that it asks about is not there, it is not true.
    """
    missing = "catch (error) { if (error instanceof TypeError) return false; throw error; }"
    look = f"() => {{ try {{ return Boolean({expression}); }} {missing} }}"
    wait_for(lambda: page.evaluate(look), PATIENCE / 1000, expression)


def expect(locator):
    """Playwright's assertions, which wait; imported here, since tests skip where there is no Playwright."""
    from playwright import sync_api

    sync_api.expect.set_options(timeout=PATIENCE)
    return sync_api.expect(locator)


_SETTLED = """() => new Promise((resolve) => {
    let timer = null;
    const observer = new MutationObserver(wait);
    function wait() {
        clearTimeout(timer);
        timer = setTimeout(() => (moves() ? wait() : resolve(observer.disconnect())), 300);
    }
    function moves() {  // but for what turns for ever
        return document.getAnimations().some((one) => one.effect.getComputedTiming().endTime < Infinity);
    }
    const all = { attributes: true, characterData: true, childList: true, subtree: true };
    observer.observe(document.body, all);
    wait();
})"""


def settle(page) -> None:
    """Wait until nothing on the page has changed or moved for a moment: what tabs show comes from Python."""
    page.evaluate(_SETTLED)


# All that is to be read on the open tab, hints and labels included, in small letters.
SHOWN = """() => {
    const hints = [...document.querySelectorAll(".dash-app [aria-label], .dash-app [title]")];
    const words = hints.map((node) => `${node.ariaLabel} ${node.title}`);
    return [document.title, document.querySelector(".dash-app").innerText, ...words].join(" ").toLowerCase();
}"""


def find_faults(page) -> list[str]:
    """What axe-core calls serious or critical, contrast at AA among it; its script comes with a package."""
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-core is missing: see extra 'test'")
    page.evaluate(axe.AXE_SCRIPT)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert found["passes"]  # it has looked at something
    return [
        f"{fault['id']} at {node['target']}: {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


def drawn(folder: Path, n: int) -> list[Path]:
    """n small drawn images."""
    colours = ["#d62728", "#2ca02c", "#1f77b4"]
    for i in range(n):
        image = draw_cell(colours[i % 3], size=(60 + i % 7, 64))
        (folder / f"cell {i}.png").write_bytes(encode(image))
    return sorted(folder.iterdir())


def zip_many(folder: Path, n: int) -> Path:
    """A ZIP of n drawn images."""
    path = folder / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(n):
            archive.writestr(f"{i:04}.png", encode(draw_cell("#2ca02c" if i % 2 else "#1f77b4")))
    return path


POINTS = "document.querySelector('.dash-map canvas').points()"  # of the items that the map has drawn


def find_a_point(visit: Visit) -> tuple[float, float]:
    """Where an uploaded cell lies on the map, in pixels of the page's window."""
    page = visit.page
    until(page, f"{POINTS}.length > 0")
    page.locator(".dash-map").scroll_into_view_if_needed()
    point = page.evaluate(f"{POINTS}.at(-1)")
    page.mouse.move(point["x"], point["y"])
    return point["x"], point["y"]


def click_a_point(visit: Visit) -> str:
    """Click an uploaded cell on the map; the file name that the page then shows."""
    visit.page.mouse.click(*find_a_point(visit))
    name = visit.page.locator(".dash-panel-map .dash-viewer .dash-name")
    name.wait_for()
    return name.inner_text()


def ring_is_at(visit: Visit, point: dict) -> None:
    """Wait until the map's ring is around this point."""
    until(
        visit.page,
        f"""(({{ left, top, width, height }}) =>
            Math.hypot(left + width / 2 - {point["x"]}, top + height / 2 - {point["y"]}) < 1.5
        )(document.querySelector(".dash-ring").getBoundingClientRect())""",
    )


def touch(visit: Visit, *steps: list[tuple[float, float]], rest: float = 0) -> None:
    """Fingers, as many as each step has places, go from step to step and are lifted after `rest` ms."""
    send = visit.context.new_cdp_session(visit.page).send
    before = 0
    for fingers in (*steps, []):
        kind = "touchMove" if len(fingers) == before else "touchStart" if fingers else "touchEnd"
        places = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(fingers)]
        if not fingers:
            visit.page.wait_for_timeout(rest)
        send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
        before = len(fingers)


# Presses a group's key and opens the other tabs; ms until each of them has the cells where they are put.
_MOVE = """async ([group, key, wanted]) => {
    const section = document.querySelector(`.dash-group[data-group="${group}"]`);
    const drawn = () => document.querySelector(".dash-map canvas").points();
    const shown = () => drawn().filter((one) => one.group === group);
    const counted = () => document.querySelectorAll(".dash-panel-chart .dash-count")[group];
    const right = {
        classification: () => section.querySelector(".dash-number").textContent === String(wanted),
        chart: () => counted().innerText === String(wanted),
        map: () => shown().length === wanted,
    };
    const took = {};
    for (const [tab, isRight] of Object.entries(right)) {
        const began = performance.now();
        if (tab === "classification")
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        else document.querySelector(`[role=tab][id$="-${tab}"]`).click();
        while (!isRight()) {
            if (performance.now() - began > 30000) throw new Error(`${tab} is not right after half a minute`);
            await new Promise(requestAnimationFrame);
        }
        took[tab] = performance.now() - began;
    }
    return took;
}"""


def time_move(visit: Visit, n: int) -> dict[str, float]:
    """Move the first n cells of the gallery's first group to its second; ms until each tab shows it.

    Every tab must have been open before, and the first group have so many cells.
    """
    visit.open("Classification")
    section = visit.page.locator(".dash-group").nth(1)
    before = int(section.locator(".dash-number").inner_text().replace(",", ""))
    visit.page.locator(".dash-card").first.click()
    for _ in range(n - 1):
        visit.page.keyboard.press("Shift+ArrowRight")
    expect(visit.page.locator(".dash-selected")).to_have_text(f"{n} selected")
    return visit.page.evaluate(_MOVE, [1, "2", before + n])


WATCH = """() => {
    const image = document.querySelector(".dash-panel-map .dash-image"), before = image.src;
    window.shownAfter = null;
    const look = (clicked) => {
        const shown = image.src !== before && image.complete && image.naturalWidth > 0;
        const tell = () => (window.shownAfter = performance.now() - clicked);
        requestAnimationFrame(() => (shown ? tell() : look(clicked)));
    };
    document.addEventListener("mouseup", () => look(performance.now()), { capture: true, once: true });
}"""


def time_a_click(visit: Visit) -> float:
    """Milliseconds from a click on a cell of the map until the page has drawn its image; none may be open."""
    x, y = find_a_point(visit)
    visit.page.evaluate(WATCH)
    visit.page.mouse.click(x, y)
    until(visit.page, "window.shownAfter !== null")
    return visit.page.evaluate("window.shownAfter")
