"""The many small scripts that every page asks for, as one compressed file.

Voilà and its extensions are built in pieces, which a page asks for one by one: seventy requests where one
will do. Which pieces those are is a list, `jupyter/chunks.txt`; a piece that is not in it, or that another
version of Voilà no longer has, comes as it always did. When to give the file out is left to `server.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tornado.web
from voila.paths import collect_static_paths
from voila.utils import get_voila_labextensions_path

from blood_lib.dashboard.server.compressed import compress

__all__ = [
    "ScriptBundleHandler",
    "join_scripts",
    "list_chunks",
    "name_script_bundle",
    "compress_script_bundle",
]

CHUNKS = Path(__file__).parent / "jupyter" / "chunks.txt"
FOREVER = 365 * 24 * 3600  # seconds: other scripts have another name


def list_chunks() -> dict[str, Path | None]:
    """The address of each piece, seen from the server's root, and its file; None where there is none."""
    roots = {
        "voila/static/": collect_static_paths(["voila", "nbconvert"], "base"),
        "voila/labextensions/": get_voila_labextensions_path(),
    }
    return {address: _find(address, roots) for address in CHUNKS.read_text(encoding="utf-8").split()}


def _find(address: str, roots: dict[str, list[str]]) -> Path | None:
    prefix = next(prefix for prefix in roots if address.startswith(prefix))
    places = (Path(root) / address.removeprefix(prefix) for root in roots[prefix])
    return next((place for place in places if place.is_file()), None)


@cache
def join_scripts() -> bytes:
    """All pieces, each in a function of its own: so a "use strict" in one is not one for the others."""
    return "".join(_wrapped()).encode()


def _wrapped() -> Iterator[str]:
    for path in list_chunks().values():
        if path is not None:
            yield f"(function () {{{path.read_text(encoding='utf-8')}\n}}).call(this);\n"


@cache
def name_script_bundle() -> str:
    """The file's name, which follows from its content."""
    return f"{hashlib.sha256(join_scripts()).hexdigest()[:20]}.js"


@cache
def compress_script_bundle() -> bytes:
    """The file compressed: a quarter of a second's work, so better done before anyone waits for it."""
    return compress(join_scripts())


class ScriptBundleHandler(tornado.web.RequestHandler):
    """Gives the file out, and lets a browser keep it."""

    def get(self, name: str) -> None:
        if name != name_script_bundle():
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"public, max-age={FOREVER}, immutable")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" not in self.request.headers.get("Accept-Encoding", ""):
            self.finish(join_scripts())
            return
        self.set_header("Content-Encoding", "gzip")
        self.finish(compress_script_bundle())
