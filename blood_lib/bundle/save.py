"""Writes a bundle into a folder, which takes the place of an older bundle only when all is in it.

What a bundle is made of is for `record.py`.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blood_lib.bundle.index import BUNDLE_INDEX
from blood_lib.bundle.record import Bundle, build_bundle
from blood_lib.files.errors import BloodError
from blood_lib.files.output import writing

__all__ = ["check_out", "open_folder", "save_bundle"]


def save_bundle(folder: Path | str, **described: Any) -> Bundle:
    """Write a bundle into `folder`; described: as `build_bundle` takes it. Raises BundleError."""
    return build_bundle(folder, **described).save(folder)


def check_out(out: Path) -> None:
    """BloodError when a bundle must not be written to `out`, since it holds something else."""
    if out.exists() and not (out / BUNDLE_INDEX).exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BloodError(f"{out} holds something else than a bundle: name another folder.")


@contextmanager
def open_folder(out: Path) -> Iterator[Path]:
    """A new folder that takes the place of `out` when all is in it; raises BloodError."""
    check_out(out)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-")
    with scratch:
        new = Path(scratch.name) / "bundle"
        yield new
        with writing(out):
            shutil.rmtree(out, ignore_errors=True)
            new.rename(out)
