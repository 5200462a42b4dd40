"""Script files for the page, compressed once and not anew for every visitor.

Where they are asked for is left to `server.py`.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import FileFindHandler
from voila.static_file_handler import MultiStaticFileHandler

__all__ = ["ExtensionFiles", "PageFiles", "compress"]

PACKED = {".js", ".css"}


class _Packed:
    """Over a handler of static files: hands on what lies ready, and leaves the rest to it."""

    async def get(self, path: str, include_body: bool = True) -> None:
        accepted = "gzip" in self.request.headers.get("Accept-Encoding", "")
        self._packs = accepted and "Range" not in self.request.headers and Path(path).suffix in PACKED
        if self._packs:
            self.set_header("Content-Encoding", "gzip")
        await super().get(path, include_body)

    def get_content_size(self) -> int:
        return len(pack(self.absolute_path)) if self._packs else super().get_content_size()

    def get_content(self, abspath: str, start: int | None = None, end: int | None = None) -> Any:
        return pack(abspath) if self._packs else super().get_content(abspath, start, end)

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """Tells a browser which edition it has; Tornado's own would ask for content without a request."""
        return hashlib.sha512(Path(abspath).read_bytes()).hexdigest()


class PageFiles(_Packed, MultiStaticFileHandler):
    """Voilà's own."""


class ExtensionFiles(_Packed, FileFindHandler):
    """Those of the extensions."""


@cache
def pack(path: str) -> bytes:
    """The file compressed. It is one of an installed package, and stays as it is while the server runs."""
    return compress(Path(path).read_bytes())


def compress(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
