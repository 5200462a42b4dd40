"""The subcommand `blood classify`: files in, one row each out.

What is in the files is for `inference`.
"""

import argparse
import os
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from blood_lib.files.errors import BloodError
from blood_lib.files.output import STANDARD_OUTPUT, open_output, writing

if TYPE_CHECKING:
    from blood_lib.inference import Result

__all__ = ["add_parser"]

_TABLE = b"file,status,"  # how a table of ours begins


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `classify`."""
    parser = subparsers.add_parser(
        "classify",
        help="name the cells in image files, folders and ZIP archives",
        description="One row (CSV) per file found, in a stable order, the unreadable ones included.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="an image, a folder or a ZIP archive")
    parser.add_argument(
        "--bundle", metavar="DIR", type=Path, help="the model to use (default: the shipped one)"
    )
    parser.add_argument(
        "--out", metavar="FILE.csv", type=Path, help="where to write (default: standard output)"
    )
    parser.set_defaults(run=_classify)


def _classify(args: argparse.Namespace) -> int:
    """Classify all files in the paths; everything that can stop the work is checked before it starts."""
    warnings.filterwarnings("ignore", module="PIL")  # the rows say what matters about a file
    _check_paths(args.paths, args.out)
    with open_output(args.out) as file:
        from blood_lib.images import iter_files
        from blood_lib.inference import Classifier
        from blood_lib.inference.table import write_csv

        classifier = Classifier.load(args.bundle)
        results = classifier.classify(iter_files(args.paths, exclude=_list_own(args.out, file)))
        where = str(args.out or STANDARD_OUTPUT)
        statuses = write_csv(_show_progress(results, file), classifier.class_names, file, where=where)
    _say_what_was_done(statuses)
    return 0


def _check_paths(paths: list[str], out: Path | None) -> None:
    """All is there, and nothing but an older table will be replaced: `--out *.jpg` names an image."""
    for path in paths:
        if not os.path.exists(path):
            raise BloodError(f"{path} does not exist: check the path.")
    if out is None or not out.is_file():
        return
    with writing(out), out.open("rb") as file:
        start = file.read(len(_TABLE))
    if start not in (b"", _TABLE) or any(os.path.samefile(out, path) for path in paths):
        raise BloodError(f"{out} is an image or another file of yours: choose another name for the table.")


def _list_own(path: Path | None, file: TextIO) -> list[str]:
    """The files that this command writes: they may lie in a folder that it reads."""
    return [] if path is None else [os.path.realpath(path), os.path.abspath(path), file.name]


def _show_progress(results: "Iterable[Result]", file: TextIO) -> "Iterable[Result]":
    """Count files on the terminal; not in a pipe, and not when the rows themselves scroll by."""
    if not sys.stderr.isatty() or file.isatty():
        return results
    from tqdm import tqdm

    columns, lines = shutil.get_terminal_size()  # 80 x 24 where the terminal says 0 x 0, tqdm would be mute
    return tqdm(results, unit=" files", desc="classify", file=sys.stderr, ncols=columns, nrows=lines)


def _say_what_was_done(statuses: Counter[str]) -> None:
    """One line on a terminal; in a pipe only when no image was readable."""
    n_files = statuses.total()
    if n_files == statuses["rejected"]:
        print("blood: no readable image was found: each row says why.", file=sys.stderr)
    elif sys.stderr.isatty():
        parts = ", ".join(f"{n:,} {status}" for status, n in statuses.items())
        print(f"{n_files:,} files: {parts}.", file=sys.stderr)
