"""Changes to a bundle, and what is said about it afterwards."""

import json
import re
from pathlib import Path

import pytest

from blood_lib.bundle import (
    BundleError,
    load_bundle,
)


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
