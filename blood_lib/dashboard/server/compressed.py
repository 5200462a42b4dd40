"""Script files for the page, compressed once and not anew for every visitor.

Where they are asked for is left to `server.py`.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.base.handlers import FileFindHandler
from voila.static_file_handler import MultiStaticFileHandler

__all__ = ["ExtensionFiles", "PageFiles", "compress"]

COMPRESSED = {".js", ".css"}


if TYPE_CHECKING:
    _Handler = Any  # a handler of static files: Voilà has no types
else:
    _Handler = object


class _Compressed(_Handler):
    """Over a handler of static files: gives compressed files out, and leaves the rest to it."""

    async def get(self, path: str, include_body: bool = True) -> None:
        accepted = "gzip" in self.request.headers.get("Accept-Encoding", "")
        self._compresses = (
            accepted and "Range" not in self.request.headers and Path(path).suffix in COMPRESSED
        )
        if self._compresses:
            self.set_header("Content-Encoding", "gzip")
        await super().get(path, include_body)

    def get_content_size(self) -> int:
        return len(compress_file(self.absolute_path)) if self._compresses else super().get_content_size()

    def get_content(self, abspath: str, start: int | None = None, end: int | None = None) -> Any:
        return compress_file(abspath) if self._compresses else super().get_content(abspath, start, end)

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """Tells a browser which edition it has; Tornado's own would ask for content without a request."""
        return hashlib.sha512(Path(abspath).read_bytes()).hexdigest()


class PageFiles(_Compressed, MultiStaticFileHandler):
    """Voilà's own."""


class ExtensionFiles(_Compressed, FileFindHandler):
    """Those of the extensions."""


@cache
def compress_file(path: str) -> bytes:
    """The file compressed. It is one of an installed package, and stays as it is while the server runs."""
    return compress(Path(path).read_bytes())


def compress(content: bytes) -> bytes:
    """As gzip; the same content gives the same bytes."""
    return gzip.compress(content, mtime=0)
