"""What is saved is what is loaded, with the same identity."""

import hashlib
from pathlib import Path

import pytest

from blood_lib.bundle import (
    Bundle,
    BundleError,
    load_bundle,
)
from tests.tools.fixtures_bundle import save_tiny_bundle


def test_what_is_saved_is_loaded(tiny_bundle: Bundle) -> None:
    again = load_bundle(tiny_bundle.path)
    for name in ("title", "items", "classes", "preprocessing", "thresholds", "temperature", "card", "sha256"):
        assert getattr(again, name) == getattr(tiny_bundle, name)
    assert again.names == ["red", "green", "blue"]
    assert again.colours["blue"] == "#1f77b4"
    assert [path.name for path in again.examples] == ["blue.png", "green.png", "red.png"]


def test_the_same_bundle_has_the_same_identity(tmp_path: Path) -> None:
    a, b = (save_tiny_bundle(tmp_path / name) for name in "ab")
    c = save_tiny_bundle(tmp_path / "c", temperature=2)
    assert a.sha256 == b.sha256 != c.sha256
    assert a.sha256 == hashlib.sha256((tmp_path / "a" / "bundle.json").read_bytes()).hexdigest()


def test_saving_checks_too(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="classes"):
        save_tiny_bundle(tmp_path, classes=[])
    with pytest.raises(BundleError, match="no file name inside a bundle"):
        save_tiny_bundle(tmp_path / "b", files={"../evil": b""})
    assert not (tmp_path / "evil").exists()
