"""ZIP archives that may be hostile: each entry becomes a name and its bytes, or a `Rejection`, in memory.

The limits hold for what is really read, whatever the archive says of itself. Whether an entry is an image is
for `images`, whether all of them are a bundle for `bundle`.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from blood_lib.files.errors import BloodError
from blood_lib.files.reasons import Reason

__all__ = [
    "CLUTTER",
    "MAX_FILE_BYTES",
    "TOO_LARGE",
    "ArchiveError",
    "Rejection",
    "find_root",
    "is_clutter",
    "iter_whole",
    "iter_zip",
    "list_zip",
    "printable",
    "read_zip",
    "write_zip",
]

MAX_FILE_BYTES = 64 * 2**20
MAX_ZIP_ENTRIES = 100_000
MAX_ZIP_BYTES = 4 * 2**30  # read from one archive in all: entries may overlap (CVE-2024-0450)
TOO_LARGE = Reason("too_large", {"limit": MAX_FILE_BYTES // 2**20})

CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"})
_DIRECTORY_BYTES = 256 * MAX_ZIP_ENTRIES  # an archive's table of contents is parsed whole: bound it first
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # an LZMA entry may demand gigabytes for its dictionary
_ENCRYPTED = 0x1  # bit of an entry's flags
_WHEN = (1980, 1, 1, 0, 0, 0)  # the oldest time that ZIP knows: equal files make equal archives


class ArchiveError(BloodError):
    """A ZIP archive whose files belong together cannot be read whole."""


@dataclass(frozen=True)
class Rejection:
    """What stands in the place of a file that cannot be read as an image."""

    reason: Reason


def is_clutter(name: str) -> bool:
    """Whether Windows or macOS made a file or folder of this name for itself, such as `.DS_Store`."""
    return name in CLUTTER or name.startswith("._")


def printable(name: str) -> str:
    """`name` as valid text on one line: an undecodable byte or a control character shows as its escape."""
    if name.isprintable():
        return name
    name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def iter_zip(name: str, content: bytes | Path) -> Iterator[tuple[str, bytes | Rejection]]:
    """Yield (`name/entry`, content or Rejection) for every file in a ZIP archive, sorted by name.

    Reads at most MAX_FILE_BYTES from an entry and MAX_ZIP_BYTES in all. An archive that cannot be opened is
    one Rejection under its own name. Entry names lose what could climb out of a folder (`..`, a leading `/`).
    """
    name = printable(name)
    archive = _open_zip(content)
    if isinstance(archive, Rejection):
        yield name, archive
        return
    left = MAX_ZIP_BYTES
    with archive:
        entries = sorted(_list_entries(archive), key=lambda item: item[0])
        if not entries:
            yield name, Rejection(Reason("zip_empty"))
        for inner, entry in entries:
            yield f"{name}/{inner}", _read_image(archive, entry, left)
            left -= min(entry.file_size, MAX_FILE_BYTES)  # zipfile never reads more, whatever is in there


def list_zip(content: bytes) -> list[str]:
    """The names of the files in a ZIP archive, without unpacking it; [] when it cannot be opened."""
    archive = _open_zip(content)
    if isinstance(archive, Rejection):
        return []
    with archive:
        return [name for name, _ in _list_entries(archive)]


def find_root(names: Iterable[str], index: str) -> str | None:
    """The folder of the file `index` among `names`, "" or "folder/"; None where it is missing or deeper."""
    roots = {name.removesuffix(index) for name in names if name.endswith(index)}
    return next((root for root in sorted(roots) if re.fullmatch(r"([^/]+/)?", root)), None)


def iter_whole(content: bytes, *, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each file in a ZIP archive of which all files are needed.

    Reads at most `most_bytes` in all. Raises ArchiveError when a file is bad or the archive holds more.
    """
    archive = _open_zip(content)
    if isinstance(archive, Rejection):
        raise ArchiveError(str(archive.reason))
    left = most_bytes
    with archive:
        for name, entry in _list_entries(archive):
            file = _read_entry(archive, entry, left)
            if file is None:
                raise ArchiveError(f"it unpacks to more than {most_bytes // 2**20} MiB: make it smaller.")
            if isinstance(file, Rejection):
                raise ArchiveError(f"{name}: {file.reason}")
            yield name, file
            left -= len(file)


def read_zip(content: bytes, *, most_bytes: int) -> dict[str, bytes]:
    """name -> content of `iter_whole`; of two files with the same name the last one counts."""
    return dict(iter_whole(content, most_bytes=most_bytes))


def write_zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP archive of (name, content), not compressed: images and arrays are compressed already."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, _WHEN), content)
    return buffer.getvalue()


def _open_zip(content: bytes | Path) -> zipfile.ZipFile | Rejection:
    too_many = Rejection(Reason("zip_entries", {"limit": MAX_ZIP_ENTRIES}))
    try:
        if isinstance(content, Path) and not content.is_file():
            return Rejection(Reason("not_regular"))
        with BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            # how ZipFile itself finds the table of contents
            end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[zipfile._ECD_SIZE] > _DIRECTORY_BYTES:  # type: ignore[attr-defined]
            return too_many
        archive = zipfile.ZipFile(BytesIO(content) if isinstance(content, bytes) else content)
    except PermissionError:
        return Rejection(Reason("unreadable", {"problem": "permission denied"}))
    except Exception:  # a hostile archive can make zipfile raise anything
        return Rejection(Reason("zip_damaged"))
    if len(archive.infolist()) > MAX_ZIP_ENTRIES:
        archive.close()
        return too_many
    return archive


def _list_entries(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    for entry in archive.infolist():
        parts = [part for part in entry.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if not entry.filename.endswith("/") and not any(map(is_clutter, parts)):
            yield printable("/".join(parts) or "unnamed"), entry


def _read_image(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes | Rejection:
    """`left`: the bytes that may still be read from the archive."""
    if left <= 0:
        return Rejection(Reason("zip_bytes", {"limit": MAX_ZIP_BYTES // 2**30}))
    content = _read_entry(archive, entry, MAX_FILE_BYTES)
    if content is None:
        return Rejection(TOO_LARGE)
    if isinstance(content, bytes) and content.startswith(b"PK\x03\x04"):
        return Rejection(Reason("zip_inside"))
    return content


def _read_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most_bytes: int
) -> bytes | Rejection | None:
    """The content of an entry; None when it has more than `most_bytes`."""
    if entry.flag_bits & _ENCRYPTED:
        return Rejection(Reason("entry_encrypted"))
    if entry.compress_type not in _METHODS:
        return Rejection(Reason("entry_method"))
    try:
        with archive.open(entry) as file:
            content = file.read(most_bytes + 1)
    except Exception:  # as above
        return Rejection(Reason("entry_damaged"))
    return content if len(content) <= most_bytes else None
