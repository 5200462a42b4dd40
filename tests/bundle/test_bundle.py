"""What is saved is what is loaded, and whatever is wrong with a bundle is one sentence."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from blood_lib.bundle import (
    BUNDLE_FORMAT,
    Bundle,
    BundleError,
    ClassInfo,
    Thresholds,
    load_bundle,
    load_bundle_zip,
)
from blood_lib.bundle import load as module
from blood_lib.bundle.index import MAX_INDEX_BYTES
from blood_lib.files.archives import write_zip
from tests.fixtures_bundle import save_tiny_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_tiny_bundle(tmp_path / "b")
    return tmp_path / "b"


def change(folder: Path, **values) -> None:
    data = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(data | values))


PLAIN = {"image_size": 32, "crop": 1, "mean": [0, 0, 0], "std": [1, 1, 1]}


def complaint(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(path)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and str(path) in message
    assert re.search("get it again|get the bundle again|give a folder|update blood", message)  # what to do
    return message


def test_what_is_saved_is_loaded(tiny_bundle: Bundle) -> None:
    again = load_bundle(tiny_bundle.path)
    for name in ("title", "items", "classes", "preprocessing", "thresholds", "temperature", "card", "sha256"):
        assert getattr(again, name) == getattr(tiny_bundle, name)
    assert again.names == ["red", "green", "blue"]
    assert again.colours["blue"] == "#1f77b4"
    assert [path.name for path in again.examples] == ["blue.png", "green.png", "red.png"]


def test_all_that_is_known_of_a_class_survives(tmp_path: Path) -> None:
    first = ClassInfo("a", {"en": "A", "es": "Á"}, "#010203", ("x", "y"), False, (0.5, 12.0))
    second = ClassInfo("b", {"en": "B"}, "#abcdef")
    saved = save_tiny_bundle(tmp_path, classes=[first, second, ClassInfo("c", {"en": "C"}, "#000000")])
    assert load_bundle(tmp_path).classes[:2] == saved.classes[:2] == (first, second)


def test_the_keys_of_older_bundles_are_read_and_those_of_today_written(folder: Path, tmp_path: Path) -> None:
    older = PLAIN | {"further_crops": [0.5, 1], "doubtful_below": 0.9}
    change(folder, preprocessing=older, thresholds={"confidence": 0.5, "distance": 0.2})
    bundle = load_bundle(folder)
    assert bundle.thresholds == Thresholds(confidence=0.5, ood_score=0.2)
    assert (bundle.preprocessing.tta_crops, bundle.preprocessing.tta_below) == ((0.5, 1), 0.9)
    written = json.loads(bundle.change(files={}).save(tmp_path / "new").index)
    assert written["thresholds"] == {"confidence": 0.5, "ood_score": 0.2}
    assert written["preprocessing"].keys() == PLAIN.keys() | {"tta_crops", "tta_below"}


def test_a_bundle_without_test_time_augmentation_has_none(folder: Path) -> None:
    change(folder, preprocessing=PLAIN)
    assert (load_bundle(folder).preprocessing.tta_crops, load_bundle(folder).temperature) == ((), 1.5)


@pytest.mark.parametrize("name", ["unidentified", "excluded"])
def test_a_class_may_not_be_called_like_what_is_no_class(tmp_path: Path, name: str) -> None:
    classes = [ClassInfo(each, {"en": each}, "#000000") for each in (name, "b", "c")]
    with pytest.raises(BundleError, match=name):
        save_tiny_bundle(tmp_path, classes=classes)


def test_what_is_counted_survives(tmp_path: Path) -> None:
    classes = [ClassInfo(name, {"en": name}, "#000000") for name in "ab"]
    classes.append(ClassInfo("c", {"en": "c"}, "#000000", in_differential=False, per_hundred=True))
    save_tiny_bundle(tmp_path, classes=classes, differential={"en": "big ones", "es": "grandes"})
    found = load_bundle(tmp_path)
    assert found.differential == {"en": "big ones", "es": "grandes"}
    assert [info.per_hundred for info in found.classes] == [False, False, True]
    assert found.change(files={}).save(tmp_path / "again").differential == found.differential


def test_a_bundle_of_before_there_were_differentials_counts_all_alike(folder: Path) -> None:
    data = json.loads((folder / "bundle.json").read_text())
    assert "differential" not in data
    for info in data["classes"]:
        del info["per_hundred"]
    change(folder, classes=data["classes"])
    found = load_bundle(folder)
    assert found.differential is None
    assert not any(info.per_hundred for info in found.classes)


def test_the_same_bundle_has_the_same_identity(tmp_path: Path) -> None:
    a, b = (save_tiny_bundle(tmp_path / name) for name in "ab")
    c = save_tiny_bundle(tmp_path / "c", temperature=2)
    assert a.sha256 == b.sha256 != c.sha256
    assert a.sha256 == hashlib.sha256((tmp_path / "a" / "bundle.json").read_bytes()).hexdigest()


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


def test_a_newer_format_asks_for_an_update(folder: Path) -> None:
    change(folder, format=BUNDLE_FORMAT + 1, classes="all is different there")
    assert "newer version" in complaint(folder) and "update" in complaint(folder)


@pytest.mark.parametrize("number", [None, 0, -1, "1", True, 1.5])
def test_an_unknown_format(folder: Path, number) -> None:
    change(folder, format=number)
    assert "no bundle format" in complaint(folder)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["empty", "cut", "bytes", "deep"]
)
def test_no_json(folder: Path, content: bytes) -> None:
    (folder / "bundle.json").write_bytes(content)
    assert "no valid JSON" in complaint(folder)


@pytest.mark.parametrize("content", [b"[]", b"1", b"null"])
def test_json_of_something_else(folder: Path, content: bytes) -> None:
    (folder / "bundle.json").write_bytes(content)
    assert "no bundle format" in complaint(folder)


def test_a_huge_index_is_not_parsed(folder: Path) -> None:
    with (folder / "bundle.json").open("ab") as file:
        file.truncate(MAX_INDEX_BYTES + 1)
    assert "too large" in complaint(folder)


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


def test_a_bundle_without_a_model(folder: Path) -> None:
    change(folder, files={})
    assert "it lists no model.onnx" in complaint(folder)


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


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", {}),
        ("title", "PBC"),
        ("item", {"en": 1}),
        ("differential", {}),
        ("differential", "white"),
        ("temperature", 0),
        ("temperature", "1"),
        ("temperature", float("nan")),
        ("temperature", True),
        ("thresholds", {"confidence": 0.5}),
        ("thresholds", {"confidence": 1.5, "ood_score": 1}),
        ("preprocessing", {"image_size": 10**6, "crop": 1, "mean": [0, 0, 0], "std": [1, 1, 1]}),
        ("preprocessing", {"image_size": 32, "crop": 0, "mean": [0, 0, 0], "std": [1, 1, 1]}),
        ("preprocessing", {"image_size": 32, "crop": 1, "mean": [0, 0], "std": [1, 1, 1]}),
        ("preprocessing", {"image_size": 32, "crop": 1, "mean": [0, 0, 0], "std": [0, 1, 1]}),
        ("preprocessing", PLAIN | {"tta_crops": [1.5], "tta_below": 0.5}),
        ("preprocessing", PLAIN | {"tta_crops": [0.5] * 17, "tta_below": 0.5}),
        ("preprocessing", PLAIN | {"tta_crops": [0.5], "tta_below": 2}),
        ("preprocessing", PLAIN | {"tta_crops": [0.5]}),
        ("preprocessing", PLAIN | {"tta_below": 0.5}),
        ("classes", []),
        ("classes", None),
        ("classes", ["red", "green"]),
        ("card", "none"),
        ("files", ["model.onnx"]),
    ],
)
def test_a_value_that_cannot_be(folder: Path, key: str, value) -> None:
    change(folder, **{key: value})
    assert "does not describe a bundle" in complaint(folder)


@pytest.mark.parametrize("key", ["title", "classes", "preprocessing", "temperature", "thresholds", "files"])
def test_a_missing_key_is_named(folder: Path, key: str) -> None:
    data = json.loads((folder / "bundle.json").read_text())
    del data[key]
    (folder / "bundle.json").write_text(json.dumps(data))
    assert f"'{key}' is missing" in complaint(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "green"},
        {"name": ""},
        {"colour": "red"},
        {"colour": "#12345"},
        {"label": {}},
        {"reference_range": [1]},
        {"reference_range": [2, 1]},
        {"per_hundred": True},
    ],
)
def test_a_class_that_cannot_be(folder: Path, changes: dict) -> None:
    classes = json.loads((folder / "bundle.json").read_text())["classes"]
    change(folder, classes=[classes[0] | changes, *classes[1:]])
    assert "does not describe a bundle" in complaint(folder)


def test_saving_checks_too(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="classes"):
        save_tiny_bundle(tmp_path, classes=[])
    with pytest.raises(BundleError, match="no file name inside a bundle"):
        save_tiny_bundle(tmp_path / "b", files={"../evil": b""})
    assert not (tmp_path / "evil").exists()


# --- bundles in a ZIP archive, which may be a stranger's ---


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
