"""Paths become names and contents: files are read, folders walked, ZIP archives opened, in a stable order.

A file that cannot be read becomes a `Rejection` and never stops the others. The inside of an archive is for
`archives`; whether a content is an image, for `images`.
"""

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from blood_lib.files.archives import MAX_FILE_BYTES, TOO_LARGE, Rejection, is_clutter, iter_zip, printable
from blood_lib.files.reasons import Reason

__all__ = ["iter_files", "read_file"]


def iter_files(
    paths: Iterable[Path | str], *, exclude: Collection[Path | str] = ()
) -> Iterator[tuple[str, bytes | Rejection]]:
    """Yield (name, content or Rejection) for every file in `paths`, in their order, folders sorted.

    A name is the path as given, or the path below the folder given, with `/`; `cells.zip/a.jpg` inside a ZIP.
    Where two would be alike, the folder stands before it.
    A file or folder that several of the paths lead to comes once, under its first name, so links cannot loop.
    System clutter such as `.DS_Store` is passed over, and so are the absolute paths in `exclude`. An empty
    folder is one Rejection under its own name.
    """
    all_given, left_out = list(map(str, paths)), {os.path.normcase(path) for path in exclude}
    seen, before = set(left_out), _tell_apart(all_given, left_out) if len(all_given) > 1 else {}
    for given in all_given:
        is_empty = os.path.isdir(given)
        for name, path in _walk(given, seen):
            is_empty = False
            yield from _read(before.get(given, "") + name, path)
        if is_empty:
            yield printable(given), Rejection(Reason("folder_empty"))


def _tell_apart(all_given: list[str], left_out: Collection[str]) -> dict[str, str]:
    """What stands before the names of a folder in which a file has the name of another folder's."""
    first: dict[str, str] = {}
    alike: set[str] = set()
    seen = set(left_out)
    for given in all_given:
        for name, _ in _walk(given, seen):
            if (other := first.setdefault(name, given)) != given:
                alike |= {given, other}
    folders = {given: os.path.basename(os.path.abspath(given)) for given in alike if os.path.isdir(given)}
    counts = Counter(folders.values())
    return {
        given: f"{folder if counts[folder] == 1 else given.rstrip('/')}/" for given, folder in folders.items()
    }


def _walk(given: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, path) for all at or below `given` that is no folder, or a folder that cannot be opened."""
    parent, base = os.path.split(given)
    stack = [(given, given, os.path.join(os.path.realpath(parent), base))]
    while stack:
        name, path, place = stack.pop()  # place: where it really is; a link to a file is a file of its own
        if os.path.isdir(path) and (os.path.islink(path) or path == given):
            place = os.path.realpath(path)
        if os.path.normcase(place) in seen:
            continue
        seen.add(os.path.normcase(place))
        try:
            children = sorted((child for child in os.listdir(path) if not is_clutter(child)), reverse=True)
        except OSError:
            yield name, path
            continue
        prefix = "" if path == given else f"{name}/"
        stack += [
            (prefix + child, os.path.join(path, child), os.path.join(place, child)) for child in children
        ]


def _read(name: str, path: str) -> Iterator[tuple[str, bytes | Rejection]]:
    if path.lower().endswith(".zip") and not os.path.isdir(path):
        yield from iter_zip(name, Path(path))
    else:
        yield printable(name), read_file(Path(path))


def read_file(path: Path) -> bytes | Rejection:
    """The content of a regular file of at most MAX_FILE_BYTES; pipes and devices are never opened."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Rejection(Reason("folder_closed"))
        if not stat.S_ISREG(mode):
            return Rejection(Reason("not_regular"))
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return Rejection(Reason("unreadable", {"problem": _explain(error)}))
    return content if len(content) <= MAX_FILE_BYTES else Rejection(TOO_LARGE)


def _explain(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
