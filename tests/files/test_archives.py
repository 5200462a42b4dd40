"""ZIP archives, hostile ones among them: bounded, never unpacked to disk, a reason for every bad entry."""

import io
import random
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from blood_lib.files import archives
from blood_lib.files.archives import (
    ArchiveError,
    Rejection,
    find_root,
    iter_zip,
    list_zip,
    printable,
    read_zip,
    write_zip,
)


def make_zip(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_overlapping_zip(n: int, content: bytes) -> bytes:
    """n entries in the table of contents that all share one stored content."""
    whole = make_zip({"a.jpg": content})
    end = whole.rindex(b"PK\x05\x06")
    start = whole.index(b"PK\x01\x02")
    line = whole[start:end]
    size, count = struct.pack("<I", n * len(line)), struct.pack("<HH", n, n)
    tail = whole[end : end + 8] + count + size + whole[end + 16 :]
    return whole[:start] + line * n + tail


def read(content: bytes | Path) -> dict[str, bytes | str]:
    found = iter_zip("c.zip", content)
    return {name: str(item.reason) if isinstance(item, Rejection) else item for name, item in found}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_entries_come_sorted_without_folders_and_clutter(method: int, tmp_path: Path) -> None:
    entries = {"b/": b"", "b/2.jpg": b"2", "a.jpg": b"1", "__MACOSX/._a.jpg": b"x", "b/.DS_Store": b"x"}
    entries["b/._2.jpg"] = b"what macOS keeps beside a file on a foreign disk"
    content = make_zip(entries, method)
    (tmp_path / "c.zip").write_bytes(content)
    assert list(read(content).items()) == [("c.zip/a.jpg", b"1"), ("c.zip/b/2.jpg", b"2")]
    assert read(tmp_path / "c.zip") == read(content)


def test_names_cannot_climb_out_of_the_archive() -> None:
    evil = {
        "../../etc/passwd": b"1",
        "/abs.jpg": b"2",
        "a\\..\\b.jpg": b"3",
        "..": b"4",
        "x\x1b[2J.jpg": b"5",
    }
    found = read(make_zip(evil))
    assert sorted(found) == [
        "c.zip/a/b.jpg",
        "c.zip/abs.jpg",
        "c.zip/etc/passwd",
        "c.zip/unnamed",
        r"c.zip/x\x1b[2J.jpg",
    ]


def test_the_same_name_twice_is_two_entries() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("a.jpg", b"1")
        archive.writestr("a.jpg", b"2")
    assert [content for _, content in iter_zip("c.zip", buffer.getvalue())] == [b"1", b"2"]


DAMAGED = {
    "empty": b"",
    "text": b"no archive",
    "cut": make_zip({"a": b"x" * 99})[:-40],  # it holds the time: as an id it would differ
    "no entries": b"PK\x05\x06" + b"\x07\x00" * 9,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_one_rejection(content: bytes) -> None:
    assert list(read(content)) == ["c.zip"]
    assert "damaged or incomplete" in read(content)["c.zip"]


def test_a_damaged_entry_does_not_spoil_the_others() -> None:
    content = bytearray(make_zip({"a.jpg": b"A" * 50, "b.jpg": b"B" * 50}, zipfile.ZIP_STORED))
    content[content.index(b"A" * 50) + 10] ^= 0xFF
    found = read(bytes(content))
    assert "damaged inside" in found["c.zip/a.jpg"] and found["c.zip/b.jpg"] == b"B" * 50


def test_an_encrypted_entry_is_rejected() -> None:
    content = bytearray(make_zip({"a.jpg": b"x"}))
    content[6] |= 1  # the flags of the entry itself
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and of its line in the table of contents
    assert "password" in read(bytes(content))["c.zip/a.jpg"]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_packing_is_rejected(method: int) -> None:
    assert "unusual method" in read(make_zip({"a.jpg": b"x" * 100}, method))["c.zip/a.jpg"]


def test_a_zip_in_a_zip_is_rejected_whatever_its_name() -> None:
    inner = make_zip({"a.jpg": b"x"})
    found = read(make_zip({"inner.zip": inner, "inner.jpg": inner}))
    assert all("inside a ZIP" in reason for reason in found.values()) and len(found) == 2


def test_an_empty_archive_is_one_rejection() -> None:
    assert "holds no files" in read(make_zip({"folder/": b""}))["c.zip"]


def test_a_large_entry_is_rejected_and_the_rest_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 1000)
    found = read(make_zip({"bomb.jpg": bytes(10**7), "cell.jpg": b"x" * 1000}))
    assert "larger than" in found["c.zip/bomb.jpg"] and found["c.zip/cell.jpg"] == b"x" * 1000


def test_an_overlap_bomb_is_read_up_to_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ZIP_BYTES", 10_000)
    found = [item for _, item in iter_zip("c.zip", make_overlapping_zip(500, bytes(1000)))]
    assert len(found) == 500
    assert all("GiB: split it" in str(item.reason) for item in found[10:])  # the first ten may be read


def test_what_was_read_of_a_damaged_entry_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ZIP_BYTES", 10_000)
    content = bytearray(make_zip({f"{i:02d}.jpg": bytes(2000) for i in range(20)}))
    where = -1
    while (where := content.find(b"PK\x01\x02", where + 1)) >= 0:
        content[where + 16] ^= 1  # the checksum in the table of contents
    reasons = list(read(bytes(content)).values())
    assert all("damaged inside" in reason for reason in reasons[:5])
    assert all("GiB: split it" in reason for reason in reasons[5:]) and len(reasons) == 20


def test_an_entry_that_begins_beyond_all_files_is_rejected() -> None:
    """Its place is 2**64 - 1, as the zip64 extra field says: more than a file can be sought to."""
    content = bytearray(make_zip({"a.jpg": b"x" * 50, "b.jpg": b"y"}))
    line, end = content.index(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    extra = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    content[line + 30 : line + 32] = struct.pack("<H", len(extra))
    content[line + 42 : line + 46] = b"\xff" * 4
    content[end + 12 : end + 16] = struct.pack("<I", end - line + len(extra))
    content[line + 46 + len("a.jpg") : line + 46 + len("a.jpg")] = extra
    found = read(bytes(content))
    assert "damaged inside" in found["c.zip/a.jpg"] and found["c.zip/b.jpg"] == b"y"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_random_damage_never_raises(method: int) -> None:
    rng = random.Random(method)
    sound = make_zip({f"{i}.jpg": b"cell" * 20 for i in range(3)}, method)
    for _ in range(500):
        content = bytearray(sound)
        for _ in range(rng.randint(1, 6)):
            content[rng.randrange(len(content))] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
        assert all(name.startswith("c.zip") for name in read(bytes(content)))


def test_too_many_entries_are_refused_before_and_after_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = make_zip({f"{i}.jpg": b"" for i in range(20)})
    monkeypatch.setattr(archives, "MAX_ZIP_ENTRIES", 19)
    assert "more than 19 entries" in read(content)["c.zip"]
    monkeypatch.setattr(archives, "_DIRECTORY_BYTES", 100)
    monkeypatch.setattr(zipfile, "ZipFile", None)  # never reached
    assert "more than 19 entries" in read(content)["c.zip"]


def test_a_name_on_one_line_stays_as_it_is() -> None:
    assert printable("Zelle 1 – é.jpg") == "Zelle 1 – é.jpg"
    assert printable("a\nb\udce9\u202e.jpg") == r"a\nb\xe9\u202e.jpg"


# --- archives that belong together ---

FILES = {"bundle.json": b"{}", "examples/a.png": b"A" * 500, "inner.npz": make_zip({"a.npy": b"x"})}


def test_what_is_written_is_read_again_and_is_the_same_every_time() -> None:
    content = write_zip(FILES.items())
    assert read_zip(content, most_bytes=10_000) == FILES
    assert list_zip(content) == list(FILES)
    assert write_zip(FILES.items()) == content


def test_files_that_belong_together_have_one_bound_for_all() -> None:
    read_zip(make_zip(FILES), most_bytes=sum(map(len, FILES.values())))
    with pytest.raises(ArchiveError, match="unpacks to more"):
        read_zip(make_zip(FILES), most_bytes=sum(map(len, FILES.values())) - 1)
    with pytest.raises(ArchiveError, match="unpacks to more|damaged"):  # newer Pythons see that they overlap
        read_zip(make_overlapping_zip(500, bytes(1000)), most_bytes=1_100)


def test_one_bad_file_is_enough_to_refuse_what_belongs_together() -> None:
    content = bytearray(make_zip(FILES, zipfile.ZIP_STORED))
    content[content.index(b"A" * 500) + 10] ^= 0xFF
    with pytest.raises(ArchiveError, match="examples/a.png: damaged"):
        read_zip(bytes(content), most_bytes=10_000)
    with pytest.raises(ArchiveError, match="damaged or incomplete"):
        read_zip(b"no archive", most_bytes=10_000)
    assert list_zip(b"no archive") == []


def test_the_folder_that_holds_a_file_is_found_one_deep() -> None:
    assert find_root(["a.png", "bundle.json"], "bundle.json") == ""
    assert find_root(["x/bundle.json", "x/a.png"], "bundle.json") == "x/"
    assert find_root(["x/y/bundle.json", "my_bundle.json"], "bundle.json") is None
