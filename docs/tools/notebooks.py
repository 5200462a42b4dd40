"""Committed notebooks become pages, with tables and figures as they were executed; nothing is run."""

from __future__ import annotations

import re
from pathlib import Path

from nbconvert import MarkdownExporter

__all__ = ["write_notebook"]

_STYLE = re.compile(r"<style[^>]*>.*?</style>\s*", re.S)
_SCRIPT = re.compile(r"<script[^>]*>.*?</script>\s*", re.S)
_BLANK_IN_TABLE = re.compile(r"(?<=>)\s*\n\s*(?=<)")
_TABLE = re.compile(r"<div>\s*(<table.*?</table>)(.*?)</div>", re.S)


def write_notebook(notebook: Path, page: Path) -> None:
    """Write `notebook` as the Markdown file `page`, its figures beside it."""
    exporter = MarkdownExporter(config={"NbConvertBase": {"display_data_priority": _PRIORITY}})
    body, resources = exporter.from_filename(str(notebook), {"output_files_dir": page.stem})
    page.parent.mkdir(parents=True, exist_ok=True)
    for name, content in resources["outputs"].items():
        figure = page.parent / name
        figure.parent.mkdir(exist_ok=True)
        figure.write_bytes(content)
    page.write_text(_tidy(body), encoding="utf-8")


# An interactive figure needs its script, which no page brings: its still twin stands beside it.
_PRIORITY = ["text/html", "image/png", "image/svg+xml", "text/markdown", "text/plain"]


def _tidy(body: str) -> str:
    """Tables without blank lines, which would end raw HTML in Markdown, and without the styles of pandas."""
    body = _SCRIPT.sub("", _STYLE.sub("", body))
    return _TABLE.sub(lambda found: _BLANK_IN_TABLE.sub("", found.group(0)), body)
