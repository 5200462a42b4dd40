"""A tiny bundle in a folder of its own, which a test may change."""

from pathlib import Path

import pytest

from tests.tools.fixtures_bundle import save_tiny_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_tiny_bundle(tmp_path / "b")
    return tmp_path / "b"
