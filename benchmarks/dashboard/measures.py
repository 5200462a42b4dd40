"""The measurements: each on a server of its own, and what was found there by the names in `rows`."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.dashboard.watching import ScriptCounter, time_tabs, time_upload
from blood_lib.study.painter import draw_cells
from tests.tools.browser_tools import DESKTOP, Visit, time_a_click, time_move
from tests.tools.serving import Running, serving, wait_for

__all__ = ["MEASURES", "Bench", "Found", "draw_files"]

FEW, THOUSAND, MANY, MOVED = 22, 1_000, 5_000, 50
UPLOADS, QUICK_UPLOADS = 20, 3
MB = 1e6
Found = dict[str, list[float]]


@dataclass(frozen=True)
class Bench:
    """What all measurements work with."""

    browser: object  # Playwright's
    files: list[Path]
    scratch: Path
    repeats: int
    quick: bool

    @contextmanager
    def server(self, *options: str) -> Iterator[Running]:
        with serving(self.scratch, *options) as running:
            yield running

    def visits(self, server: Running) -> Iterator[Visit]:
        """A fresh page for each repeat, after one that warms up the server's and the browser's caches."""
        used: list[int] = []
        for turn in range(1 + self.repeats):
            used += _settle(server, used=used)
            visit = Visit(self.browser, server, **DESKTOP)
            if turn:
                yield visit
            visit.close()


def draw_files(folder: Path) -> list[Path]:
    """MANY JPEG files of 15 kB each: drawn cells of every type, the same few again under other names."""
    folder.mkdir()
    contents = []
    for _, image in draw_cells(per_type=4):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=84)
        contents.append(buffer.getvalue())
    for i, content in zip(range(MANY), itertools.cycle(contents), strict=False):
        (folder / f"{i:05d}.jpg").write_bytes(content)
    return sorted(folder.iterdir())


def _settle(server: Running, n_ready: int = 1, used: Collection[int] = ()) -> list[int]:
    """Wait until `n_ready` kernels have done all that they do ahead of their visitors; their process ids.

    A kernel in `used` has had its visitor: until another one is there, a page would start cold.
    """
    spent = -1.0

    def rests() -> bool:
        nonlocal spent
        time.sleep(1)
        waiting = server.kernels()
        if len(waiting) != n_ready or set(waiting) & set(used):
            return False
        before, spent = spent, sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in waiting)
        return spent - before < 0.05

    wait_for(rests, what=f"{n_ready} kernels that wait for a visitor")
    return server.kernels()


def _time_ready(bench: Bench, n_ready: int) -> list[float]:
    """Seconds from asking for the page until it takes a drop."""
    took: list[float] = []
    used: list[int] = []
    with bench.server("--ready", str(n_ready)) as server:
        for _ in range(1 + bench.repeats):
            used += _settle(server, n_ready, used)
            started = time.perf_counter()
            visit = Visit(bench.browser, server, **DESKTOP)
            took.append(time.perf_counter() - started)
            visit.close()
    return took[1:]


def measure_warm(bench: Bench) -> Found:
    return {"warm": _time_ready(bench, 1)}


def measure_cold(bench: Bench) -> Found:
    return {"cold": _time_ready(bench, 0)}


def measure_few(bench: Bench) -> Found:
    found: Found = {"few": [], "click_few": []}
    with bench.server() as server:
        for visit in bench.visits(server):
            time.sleep(2)  # a person looks at the page before giving it anything
            found["few"].append(time_upload(visit, bench.files[:FEW])["shown"])
            found["click_few"].append(time_a_click(visit))
    return found


def measure_thousand(bench: Bench) -> Found:
    found: Found = {"first": [], "thousand": [], "click_thousand": [], "move": [], "move_here": []}
    with bench.server() as server:
        for visit in bench.visits(server):
            time.sleep(2)
            took = time_upload(visit, bench.files[:THOUSAND])
            found["first"].append(took["first"])
            found["thousand"].append(took["shown"])
            found["click_thousand"].append(time_a_click(visit))
            took = time_move(visit, MOVED)
            found["move_here"].append(took["classification"])
            found["move"].append(sum(took.values()))
    return found


def measure_many(bench: Bench) -> Found:
    found: Found = {"many": [], "tab_meanwhile": [], "tab_after": []}
    with bench.server() as server:
        visit = Visit(bench.browser, server, **DESKTOP)
        found["many"].append(time_upload(visit, bench.files, meanwhile=found["tab_meanwhile"])["shown"])
        for _ in range(bench.repeats):
            found["tab_after"] += time_tabs(visit)
        visit.close()
    return found


def measure_bytes(bench: Bench) -> Found:
    with bench.server() as server:
        visit = ScriptCounter(bench.browser, server, **DESKTOP)
        loaded, travelled = (size / MB for size in visit.loaded())
        sent, foreign = visit.sent / MB, len(visit.foreign())
        visit.close()
    sizes = {"loaded": loaded, "sent": sent, "both": loaded + sent, "travelled": travelled + sent}
    return {name: [value] for name, value in (sizes | {"foreign": foreign}).items()}


def measure_memory(bench: Bench) -> Found:
    """One visitor, who gives a thousand images again and again."""
    found: Found = {"idle_rss": [], "idle_uss": [], "full_rss": [], "full_uss": []}
    with bench.server() as server:
        (kernel,) = _settle(server)  # it waits for the visitor
        visit = Visit(bench.browser, server, **DESKTOP)
        _weigh(kernel, found, "idle")
        for _ in range(QUICK_UPLOADS if bench.quick else UPLOADS):
            time_upload(visit, bench.files[:THOUSAND])
            _weigh(kernel, found, "full")
            visit.open("Upload")
            visit.page.get_by_role("button", name="Remove all images").click()
            visit.page.wait_for_selector(".dash-done", state="detached")
        visit.close()
    return found | {"growth": [100 * (max(found["full_rss"]) / found["full_rss"][0] - 1)]}


def _weigh(pid: int, found: Found, state: str) -> None:
    """The memory of a process that has come to rest, in MB: all of it, and what it shares with no other."""
    time.sleep(3)
    memory = psutil.Process(pid).memory_full_info()
    found[f"{state}_rss"].append(memory.rss / MB)
    found[f"{state}_uss"].append(memory.uss / MB)


MEASURES: Mapping[str, Callable[[Bench], Found]] = {
    "warm": measure_warm,
    "cold": measure_cold,
    "few": measure_few,
    "thousand": measure_thousand,
    "many": measure_many,
    "bytes": measure_bytes,
    "memory": measure_memory,
}
