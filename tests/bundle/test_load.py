"""A bundle is loaded from a folder or a ZIP archive, and whatever is wrong with it is one sentence."""

import json
from pathlib import Path

import pytest

from blood_lib.bundle import (
    Bundle,
    BundleError,
    load_bundle,
    load_bundle_zip,
)
from blood_lib.bundle import load as module
from blood_lib.files.archives import write_zip
from tests.bundle.tools import change, complaint
from tests.tools.fixtures_bundle import save_tiny_bundle


def test_a_missing_bundle(tmp_path: Path) -> None:
    assert "there is no bundle" in complaint(tmp_path / "nowhere")
    assert "there is no bundle" in complaint(tmp_path)
    (tmp_path / "file").touch()
    assert "there is no bundle" in complaint(tmp_path / "file")


def test_a_bundle_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "Permission denied" in complaint(folder)


def test_without_a_path_the_shipped_bundle_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHIPPED", save_tiny_bundle(tmp_path).path)
    assert load_bundle().path == tmp_path


@pytest.mark.parametrize("name", ["model.onnx", "atlas.npz", "examples/red.png"])
def test_a_damaged_file(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert f"{name} is not what it should be" in complaint(folder)


@pytest.mark.parametrize("name", ["model.onnx", "atlas.npz", "examples/red.png"])
def test_an_incomplete_bundle(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"incomplete: {name}" in complaint(folder)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../b", "a\\b", "C:x", "", "./a", "a//b", "a\0b"]
)
def test_a_file_outside_the_bundle_is_never_opened(folder: Path, name: str) -> None:
    files = json.loads((folder / "bundle.json").read_text())["files"]
    change(folder, files=files | {name: "0" * 64})
    assert "no file name inside a bundle" in complaint(folder)


def test_a_file_that_is_not_listed_is_no_part_of_it(folder: Path) -> None:
    (folder / "notes.txt").write_text("by hand")
    assert "notes.txt" not in load_bundle(folder).files


# --- ZIP archives, which may be hostile ---


def pack(bundle: Bundle, folder: str = "", **changes: bytes) -> bytes:
    files = bundle.contents() | changes
    return write_zip((folder + name, content) for name, content in files.items())


def zip_complaint(content: bytes) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle_zip(content, Path("mine.zip"))
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and "mine.zip" in message
    return message


@pytest.mark.parametrize("folder", ["", "my bundle/"])
def test_a_zip_holds_the_same_bundle(tiny_bundle: Bundle, folder: str) -> None:
    again = load_bundle_zip(pack(tiny_bundle, folder), Path("mine.zip"))
    assert again.sha256 == tiny_bundle.sha256
    assert again.contents() == tiny_bundle.contents()
    assert [path.name for path in again.examples] == [path.name for path in tiny_bundle.examples]


def test_a_zip_is_loaded_like_a_folder(tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_bytes(pack(tiny_bundle))
    assert load_bundle(tmp_path / "mine.zip").sha256 == tiny_bundle.sha256


def test_a_zip_that_is_no_bundle_says_what_is_wrong(tiny_bundle: Bundle) -> None:
    assert "there is no bundle" in zip_complaint(write_zip([("a.png", b"x")]))
    assert "there is no bundle" in zip_complaint(pack(tiny_bundle, "a/b/"))
    assert "damaged" in zip_complaint(pack(tiny_bundle)[:1000])
    assert "model.onnx is not what it should be" in zip_complaint(pack(tiny_bundle, **{"model.onnx": b"x"}))


def test_a_zip_too_large_is_refused(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_ZIP_BYTES", 1000)
    assert "unpacks to more than" in zip_complaint(pack(tiny_bundle))


def test_a_zip_cannot_reach_files_of_the_machine(tiny_bundle: Bundle, folder: Path) -> None:
    """What the archive lists but does not hold is not looked for where its name points to."""
    files = {name: content for name, content in tiny_bundle.contents().items() if name != "model.onnx"}
    with pytest.raises(BundleError, match="model.onnx is missing"):
        load_bundle_zip(write_zip(files.items()), tiny_bundle.path)
