"""Folders, files, links and odd names: every file once, in a stable order, and none stops the rest."""

import os
from pathlib import Path

import pytest

from blood_lib.files import archives, iter_files, read_file
from blood_lib.files import paths as files
from blood_lib.images import Rejection
from tests.files.test_archives import make_zip


def write(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))
    return folder


def names(*paths: Path | str, **options) -> list[str]:
    return [name for name, _ in iter_files(paths, **options)]


def reasons(*paths: Path | str) -> dict[str, str]:
    return {name: str(found.reason) for name, found in iter_files(paths) if isinstance(found, Rejection)}


def test_folders_are_walked_in_sorted_order(tmp_path: Path) -> None:
    write(tmp_path, "b/2.jpg", "b/1.jpg", "a.jpg", "c/d/e.jpg", "b.jpg")
    assert names(tmp_path) == ["a.jpg", "b/1.jpg", "b/2.jpg", "b.jpg", "c/d/e.jpg"]
    assert dict(iter_files([tmp_path]))["c/d/e.jpg"] == b"c/d/e.jpg"


def test_a_file_is_named_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, "cells/a.jpg"))
    assert names("cells/a.jpg") == ["cells/a.jpg"]
    assert names("./cells/a.jpg") == ["./cells/a.jpg"]
    assert names("cells") == ["a.jpg"]
    assert names(".") == ["cells/a.jpg"]


def test_a_zip_is_read_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "in/a.jpg")
    (tmp_path / "in" / "Cells.ZIP").write_bytes(make_zip({"b.jpg": b"b"}))
    assert names("in") == ["Cells.ZIP/b.jpg", "a.jpg"]
    assert names("in/Cells.ZIP") == ["in/Cells.ZIP/b.jpg"]


def test_paths_that_overlap_give_each_file_once(tmp_path: Path) -> None:
    folder = write(tmp_path, "a.jpg", "sub/b.jpg")
    first = str(folder / "sub" / "b.jpg")
    assert names(first, folder, folder / "sub", folder / "sub" / ".." / "a.jpg", first) == [
        first,
        "a.jpg",
        str(folder / "sub"),  # one row that says why there is nothing new
    ]


def test_an_empty_folder_is_one_rejection(tmp_path: Path) -> None:
    write(tmp_path, "inner/.DS_Store")
    assert list(reasons(tmp_path)) == [str(tmp_path)]
    assert "holds no files" in reasons(tmp_path)[str(tmp_path)]


def test_system_clutter_is_passed_over_but_no_other_hidden_file(tmp_path: Path) -> None:
    write(tmp_path, ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/._a.jpg", ".DS_169665.jpg", "a.jpg")
    write(tmp_path, "._a.jpg", "b/._c.jpg")  # what macOS keeps beside a file on a foreign disk
    assert names(tmp_path) == [".DS_169665.jpg", "a.jpg"]


def test_excluded_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "out.csv")
    assert names(tmp_path, exclude=[tmp_path / "out.csv"]) == ["a.jpg"]


def test_case_does_not_part_a_path_where_the_system_ignores_it(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path, "a.jpg", "out.csv")
    monkeypatch.setattr(os.path, "normcase", lambda path: str(path).lower())
    assert names(tmp_path, exclude=[tmp_path / "OUT.CSV"]) == ["a.jpg"]


def test_links_cannot_loop(tmp_path: Path) -> None:
    write(tmp_path, "a/1.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    found = reasons(tmp_path)
    assert names(tmp_path) == ["a/1.jpg", "a/self"]
    assert "cannot be read" in found["a/self"]


def test_two_links_to_one_file_are_two_files(tmp_path: Path) -> None:
    write(tmp_path, "stock/x.jpg")
    (tmp_path / "set").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "stock" / "x.jpg")
    assert names(tmp_path / "set") == ["a.jpg", "b.jpg"]


def test_a_dangling_link_and_a_vanished_file_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "gone.zip").symlink_to(tmp_path / "nowhere.zip")
    assert set(reasons(tmp_path)) == {"gone.jpg", "gone.zip"}


def test_pipes_and_devices_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe.zip")
    assert all("not a regular file" in reason for reason in reasons(tmp_path, "/dev/zero").values())
    assert len(reasons(tmp_path, "/dev/zero")) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_rejected(tmp_path: Path) -> None:
    write(tmp_path, "locked/a.jpg", "secret.jpg", "b.jpg")
    (tmp_path / "locked").chmod(0)
    (tmp_path / "secret.jpg").chmod(0)
    try:
        found = reasons(tmp_path)
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert set(found) == {"locked", "secret.jpg"}
    assert all("permission denied" in reason for reason in found.values())


def test_a_refused_file_or_folder_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "locked/a.jpg", "secret.jpg", "b.jpg")
    refuse = _refuse("locked", "secret.jpg")
    monkeypatch.setattr(files.os, "listdir", refuse(os.listdir))
    monkeypatch.setattr(Path, "open", refuse(Path.open))
    found = reasons(tmp_path)
    assert set(found) == {"locked", "secret.jpg"}
    assert all("permission denied" in reason for reason in found.values())


def _refuse(*refused: str):
    """Wraps a function of a path so that it raises for these names, even when root calls it."""

    def wrap(function):
        def refusing(path, *args, **options):
            if os.path.basename(path) in refused:
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *args, **options)

        return refusing

    return wrap


def test_names_that_are_no_text_are_shown_with_escapes(tmp_path: Path) -> None:
    for name in (b"caf\xe9.jpg", b"line\nbreak.jpg", b"\x1b[31mred.jpg", "zölle 細胞.jpg".encode()):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"x")
    assert sorted(names(tmp_path)) == [
        r"\x1b[31mred.jpg",
        r"caf\xe9.jpg",
        r"line\nbreak.jpg",
        "zölle 細胞.jpg",
    ]
    assert all(content == b"x" for _, content in iter_files([tmp_path]))


def test_a_very_deep_folder_is_walked(tmp_path: Path) -> None:
    deep = [str(tmp_path) + "/d" * depth for depth in range(1, 1101)]  # more than Python may recurse
    for folder in deep:
        os.mkdir(folder)
    Path(deep[-1], "a.jpg").write_bytes(b"x")
    found = names(tmp_path)
    os.remove(deep[-1] + "/a.jpg")
    for folder in reversed(deep):  # pytest cannot tidy up a folder that deep
        os.rmdir(folder)
    assert found == ["d/" * 1100 + "a.jpg"]


def test_a_large_file_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 5)
    write(tmp_path, "12345", "123456")
    assert read_file(tmp_path / "12345") == b"12345"
    assert read_file(tmp_path / "123456") == Rejection(archives.TOO_LARGE)


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    a, b = write(tmp_path / "patient_A", "1.bmp", "2.bmp"), write(tmp_path / "patient_B", "1.bmp")
    other = write(tmp_path / "other", "3.bmp")
    found = ["patient_A/1.bmp", "patient_A/2.bmp", "patient_B/1.bmp", "3.bmp"]
    assert names(a, b, other) == names(f"{a}/", f"{b}/", other) == found
    twin = write(tmp_path / "more" / "patient_A", "1.bmp")
    assert len(set(names(a, twin))) == 3
