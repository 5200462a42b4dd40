"""What of the dashboard's scripts needs no page: node runs the tests in the files beside this one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="node is not installed: the tests of the scripts were not run")
@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("*.test.js")), ids=lambda path: path.name)
def test_the_script_does_what_its_tests_say(path: Path) -> None:
    command = [NODE, "--test", "--test-reporter", "spec", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
