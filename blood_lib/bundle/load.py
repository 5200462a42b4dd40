"""Finds a bundle in a folder, a ZIP archive or memory, and checks every file of it before anything uses it.

What its files mean is for `inference` and `atlas`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from blood_lib.bundle.index import BUNDLE_INDEX, MAX_INDEX_BYTES, BundleError
from blood_lib.bundle.record import Bundle
from blood_lib.files.archives import ArchiveError, find_root, iter_whole, list_zip

__all__ = ["SHIPPED", "load_bundle", "load_bundle_files", "load_bundle_zip"]

SHIPPED = Path(__file__).parents[1] / "bundles" / "pbc"

Files: TypeAlias = Iterator[tuple[str, bytes]]
Watch: TypeAlias = Callable[[Files, int], Iterable[tuple[str, bytes]]]

_MAX_ZIP_BYTES = 512 * 2**20  # of a bundle that is unpacked in memory


def load_bundle(path: Path | str | None = None) -> Bundle:
    """Load and check the bundle in `path`, a folder or a ZIP archive of one; None: the bundle that ships.

    Raises BundleError where it is missing, damaged, or made by a newer version.
    """
    path = SHIPPED if path is None else Path(path)
    if path.suffix == ".zip" and path.is_file():
        return load_bundle_zip(_read_whole(path), path)
    bundle = Bundle.from_index(path, _read_index(path))
    for name in bundle.files:
        bundle.read(name)
    return bundle


def load_bundle_zip(content: bytes, path: Path, *, watch: Watch = lambda files, _n: files) -> Bundle:
    """Load a bundle from a ZIP archive, which may be hostile; all of it stays in memory.

    path: its name in messages. watch(files, n): goes through the n files that are read, to show progress or
    to stop. Raises BundleError.
    """
    try:
        unpacked = iter_whole(content, most_bytes=_MAX_ZIP_BYTES)
        files = dict(watch(unpacked, len(list_zip(content))))
    except ArchiveError as error:
        raise BundleError(f"the bundle in {path} cannot be read: {error}") from None
    root = find_root(files, BUNDLE_INDEX) or ""
    inner = {file.removeprefix(root): files[file] for file in files if file.startswith(root)}
    return load_bundle_files(inner, path)


def load_bundle_files(files: Mapping[str, bytes], path: Path) -> Bundle:
    """The bundle made of these files (name -> content), in memory. path: its name in messages only."""
    if BUNDLE_INDEX not in files:
        raise BundleError(f"there is no bundle in {path}: give one that holds a {BUNDLE_INDEX}.")
    bundle = Bundle.from_index(path, files[BUNDLE_INDEX])
    for name in bundle.files:
        if name not in files:
            raise BundleError(f"the bundle in {path} is incomplete: {name} is missing; get it again.")
        bundle.check(name, files[name])
    return replace(bundle, held={name: files[name] for name in bundle.files})


def _read_whole(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"the bundle in {path} cannot be read ({error.strerror}): get the bundle again."
        ) from None


def _read_index(path: Path) -> bytes:
    try:
        with (path / BUNDLE_INDEX).open("rb") as file:
            return file.read(MAX_INDEX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"there is no bundle in {path}: give a folder that holds a bundle.json.") from None
    except OSError as error:
        raise BundleError(
            f"the bundle in {path} cannot be read ({error.strerror}): get the bundle again."
        ) from None
