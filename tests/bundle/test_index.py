"""What bundle.json may say, and one sentence for what it may not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from blood_lib.bundle import (
    BUNDLE_FORMAT,
    BundleError,
    ClassInfo,
    Thresholds,
    load_bundle,
)
from blood_lib.bundle.index import MAX_INDEX_BYTES
from blood_lib.bundle.schema import parse_detector
from tests.bundle.tools import PLAIN, change, complaint
from tests.tools.fixtures_bundle import save_tiny_bundle


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
    assert written["thresholds"] == {"confidence": 0.5, "ood_score": 0.2, "focus": 0, "side": 0}
    assert written["preprocessing"].keys() == PLAIN.keys() | {"tta_crops", "tta_below", "window"}


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


def test_a_bundle_without_a_model(folder: Path) -> None:
    change(folder, files={})
    assert "it lists no model.onnx" in complaint(folder)


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


DETECTOR = {
    "diameter": 28,
    "classes": [
        {"name": name, "label": {"en": name}, "labels": {"en": f"{name}s"}, "role": role, "colour": "#123456",
         "threshold": 0.4}
        for name, role in (("a", "named"), ("b", "ruler"), ("c", "counted"))
    ],
}  # fmt: skip


def test_what_a_detector_finds_survives(folder: Path, tmp_path: Path) -> None:
    info = parse_detector(DETECTOR)
    bundle = load_bundle(folder)
    how = replace(bundle.preprocessing, window=4.5)
    saved = bundle.change(files={"detector.onnx": b"x"}, detector=info, preprocessing=how).save(
        tmp_path / "b"
    )
    found = load_bundle(saved.path)
    assert (found.detector, found.preprocessing.window) == (info, 4.5)
    assert found.detector.classes[0].labels == {"en": "as"}


def test_a_detector_needs_its_file_its_window_and_one_ruler(folder: Path) -> None:
    change(folder, detector=DETECTOR)
    assert "detector.onnx" in complaint(folder)
    for roles in (("named", "named", "counted"), ("ruler", "ruler", "named"), ("named", "ruler", "painted")):
        classes = [one | {"role": role} for one, role in zip(DETECTOR["classes"], roles, strict=True)]
        change(folder, detector=DETECTOR | {"classes": classes})
        assert "ruler" in complaint(folder) or "role" in complaint(folder)
