"""What the command lines of several benchmarks share."""

import argparse
from pathlib import Path

__all__ = ["add_bundle", "add_external", "build_parser"]


def build_parser(name: str, about: str) -> argparse.ArgumentParser:
    """A parser for `python -m benchmarks.NAME DATA`, described by the first line of `about`."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about.splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA", help="the dataset's folder")
    return parser


def add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="default: the bundle that ships")


def add_external(parser: argparse.ArgumentParser) -> None:
    text = "an external test set, a folder per cell type"
    parser.add_argument("--external", type=Path, metavar="DIR", help=text)
