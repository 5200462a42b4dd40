"""Times taken inside the page, frame by frame, so that no waiting of the driver is in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.tools.browser_tools import Visit

__all__ = ["ScriptCounter", "time_tabs", "time_upload"]

_TOOLS = """
const frame = () => new Promise(requestAnimationFrame);
// A tab draws itself once it is seen: for a frame it may show what was there before.
const open = async (tab) => {
    document.querySelector(`[role=tab][id$="-${tab}"]`).click();
    await frame();
    await frame();
};
const until = async (isRight, what) => {
    const end = performance.now() + 120_000;
    while (!isRight()) {
        if (performance.now() > end) throw Error(`${what}: not right after two minutes`);
        await frame();
    }
};
"""
# Armed before the files are given: it looks at one tab after another until each shows all n images.
_ARM = f"""(n) => {{
    {_TOOLS}
    const number = (node) => Number(node.textContent.replace(/\\D/g, ""));
    const total = (of) => [...document.querySelectorAll(of)].reduce((sum, node) => sum + number(node), 0);
    const pictures = () => [...document.querySelectorAll(".dash-panel-classification .dash-card img")];
    const loaded = (image) => image.complete && image.naturalWidth > 0;
    const right = {{
        classification: () => total(".dash-group .dash-number") === n && pictures().every(loaded),
        chart: () => total(".dash-panel-chart .dash-count") === n,
        map: () => document.querySelector(".dash-map canvas").points().length === n,
    }};
    const watch = async () => {{
        const began = performance.now(), since = () => (performance.now() - began) / 1000;
        await open("classification");
        await until(() => pictures().some(loaded), "first results");
        const first = since();
        for (const tab of ["classification", "chart", "map"]) {{
            await open(tab);
            await until(right[tab], tab);
        }}
        await frame();
        return {{ first, shown: since() }};
    }};
    const input = document.querySelector(".dash-file");
    window.watched = new Promise((tell) => {{
        input.addEventListener("change", () => tell(watch()), {{ once: true, capture: true }});
    }});
}}"""

# Every tab once, ending with the gallery; ms from each click until a frame with that tab has been drawn.
_TABS = f"""async () => {{
    {_TOOLS}
    const took = [];
    for (const tab of ["upload", "chart", "map", "help", "classification"]) {{
        const began = performance.now();
        await open(tab);
        await until(() => document.querySelector(`.dash-panel-${{tab}}`).offsetParent !== null, tab);
        took.push(performance.now() - began);
        await new Promise((go) => setTimeout(go, 300));
    }}
    return took;
}}"""

_LOADED = """performance.getEntriesByType("resource")
    .filter((one) => /\\.(js|css)$/.test(new URL(one.name).pathname))
    .reduce(([whole, packed], one) => [whole + one.decodedBodySize, packed + one.transferSize], [0, 0])"""


def time_upload(visit: Visit, files: list[Path], *, meanwhile: list[float] | None = None) -> dict[str, float]:
    """Seconds from `files` being given until the first results (`first`) and all in every tab (`shown`).

    With a list for `meanwhile`, tabs are clicked until the last result is there; their ms go into it.
    """
    visit.page.evaluate(_ARM, len(files))
    visit.page.set_input_files(".dash-file", files)
    while meanwhile is not None and not visit.page.locator(".dash-done").count():
        meanwhile += time_tabs(visit)
    return visit.page.evaluate("window.watched")


def time_tabs(visit: Visit) -> list[float]:
    """Milliseconds of one click on each tab."""
    return visit.page.evaluate(_TABS)


class ScriptCounter(Visit):
    """A visit that adds up the scripts and styles which widgets send, in bytes."""

    sent = 0
    _TEXT = re.compile(rb'"_(?:esm|css)": ?("(?:[^"\\]|\\.)*")')

    def _on_socket(self, socket) -> None:
        super()._on_socket(socket)
        socket.on("framereceived", self._count)

    def _count(self, frame: bytes | str) -> None:
        content = frame.encode() if isinstance(frame, str) else frame
        self.sent += sum(len(json.loads(text).encode()) for text in self._TEXT.findall(content))

    def loaded(self) -> tuple[int, int]:
        """Bytes of the script and style files of the page, unpacked and as they travelled."""
        return tuple(self.page.evaluate(_LOADED))
