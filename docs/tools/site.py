"""Builds the site: the pages of `docs/`, the reference from the program itself, and the committed notebooks.

Zensical turns Markdown into HTML; fonts, scripts and search come from its package, so no other host is asked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.tools import reference
from docs.tools.notebooks import write_notebook

__all__ = ["SITE", "build_site"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SITE = ROOT / "build" / "docs"

# What stands in a page as `<!-- generated: NAME -->` and is written when the site is built.
GENERATED = {
    "commands": reference.describe_commands,
    "imports": reference.describe_imports,
    "modules": reference.describe_rooms,
    "core": lambda: reference.describe_modules(reference.list_core()),
    "study": lambda: reference.describe_modules(reference.list_study()),
}
# Files beside `docs/` that are pages of the site, too.
BORROWED = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "MODEL_CARD.md": "project/model-card.md",
    "README.md": "index.md",
    "binder/README.md": "project/binder.md",
}

_MARKER = re.compile(r"<!-- generated: (\w+) -->")
_LINK = re.compile(r"(\[[^\]]*\]\()([^)#\s]+)(#[^)\s]*)?\)")


def build_site(out: Path = SITE) -> None:
    """Build the site into the folder `out`; raises CalledProcessError where a link is dead."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        _write_pages(stage / "docs")
        shutil.copy(DOCS / "zensical.toml", stage)
        subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=stage, check=True)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(stage / "site", out)


def _write_pages(stage: Path) -> None:
    """All pages as Markdown, below `stage`."""
    targets = _list_targets()
    for source, target in targets.items():
        page = stage / target
        page.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".ipynb":
            write_notebook(source, page)
        elif source.suffix == ".md":
            page.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        else:
            shutil.copy(source, page)
            continue
        text = _MARKER.sub(lambda found: GENERATED[found[1]](), page.read_text(encoding="utf-8"))
        page.write_text(_relink(text, source, targets), encoding="utf-8")


def _list_targets() -> dict[Path, str]:
    """File of the checkout -> where it stands in the site."""
    pages = [*DOCS.rglob("*.md"), *DOCS.rglob("*.png"), *DOCS.rglob("*.css")]
    targets = {path: path.relative_to(DOCS).as_posix() for path in pages}
    targets |= {path: f"notebooks/{path.stem}.md" for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    return targets | {ROOT / name: target for name, target in BORROWED.items() if name != "README.md"}


def _relink(text: str, source: Path, targets: dict[Path, str]) -> str:
    """Links between files of the checkout become links between pages; one to another file becomes text."""
    page = Path(targets[source])

    def replace(found: re.Match[str]) -> str:
        start, link, anchor = found[1], found[2], found[3] or ""
        if "://" in link or link.startswith("mailto:"):
            return found[0]
        file = Path(os.path.normpath(source.parent / link))
        target = BORROWED.get("README.md") if file == ROOT / "README.md" else targets.get(file)
        if target is not None:
            return f"{start}{os.path.relpath(target, page.parent)}{anchor})"
        return found[0] if not file.is_file() else start[1:-2]

    return _LINK.sub(replace, text)
