"""Runs what the pages tell a reader to type: the examples in Python, and commands as far as the parser."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from blood_lib.__main__ import build_parser
from blood_lib.bundle import SHIPPED
from docs.tools.words import ROOT, find_pages

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *find_pages()]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def list_commands(text: str) -> list[str]:
    """The lines `blood ...` of code blocks, those that go on with a backslash as one."""
    joined = re.sub(r" \\\n\s*", " ", text)
    return [found.strip() for found in re.findall(r"^ {4,}(blood .*)$", joined, re.M)]


@each_page
def test_a_command_is_one_that_the_parser_takes(page: Path) -> None:
    for command in list_commands(page.read_text(encoding="utf-8")):
        build_parser().parse_args(shlex.split(command, comments=True)[1:])  # exits where it is none


@each_page
def test_a_benchmark_is_there_with_its_options(page: Path) -> None:
    lines = re.findall(r"python -m benchmarks\.(\w+)(.*)", page.read_text(encoding="utf-8"))
    for name, arguments in lines:
        found = [*(ROOT / "benchmarks").glob(f"{name}.py"), *(ROOT / "benchmarks").glob(f"{name}/*.py")]
        known = "".join(
            path.read_text(encoding="utf-8") for path in [*found, ROOT / "benchmarks/tools/options.py"]
        )
        assert found and not [word for word in re.findall(r"--[\w-]+", arguments) if word not in known], name


def test_there_are_commands() -> None:
    found = [command for page in PAGES for command in list_commands(page.read_text(encoding="utf-8"))]
    assert len(found) > 20


@pytest.mark.parametrize("name", ["README.md", "docs/how-to/classify.md"])
def test_the_example_in_python_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.S)
    shutil.copytree(SHIPPED / "examples", tmp_path / "cells")
    monkeypatch.chdir(tmp_path)
    exec(code, {})  # a reader types it
    assert capsys.readouterr().out.count(" ok ") > 10
