"""The subcommand `blood classify`: files in, a row for each cell out, and a table of the fields.

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
    from blood_lib.inference.results import FieldReading, Result

__all__ = [
    "FIELD_TABLE",
    "add_parser",
    "add_pixel_size",
    "check_there",
    "save_fields",
    "show_progress",
]

FIELD_TABLE = "fields.csv"
"""What is counted in each field stands there, beside the table of the cells."""


_TABLES = (b"file,cell,", b"file,status,", b"file,width,")  # how a table of ours begins, or began


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `classify`."""
    parser = subparsers.add_parser(
        "classify",
        help="name the cells in image files, folders and ZIP archives",
        description="One row (CSV) per cell, in a stable order. A file that cannot be read or shows no cell "
        "has a row, too. With --out, what was counted in each field goes to fields.csv beside the table.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="an image, a folder or a ZIP archive")
    parser.add_argument(
        "--bundle", metavar="DIR", type=Path, help="the model to use (default: the shipped one)"
    )
    parser.add_argument(
        "--out", metavar="FILE.csv", type=Path, help="where to write (default: standard output)"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--fields", action="store_true", help="the images are whole fields of a smear")
    kind.add_argument("--cells", action="store_true", help="each image is a picture of one cell")
    add_pixel_size(parser)
    parser.set_defaults(run=_classify)


def add_pixel_size(parser: argparse.ArgumentParser) -> None:
    """Register `--pixel-size`."""
    parser.add_argument(
        "--pixel-size",
        type=float,
        metavar="UM",
        help="the side of a pixel in micrometres, where it is known (default: red cells tell)",
    )


def _classify(args: argparse.Namespace) -> int:
    """Classify all files in the paths; everything that can stop the work is checked before it starts."""
    warnings.filterwarnings("ignore", module="PIL")  # the rows say what matters about a file
    _check_paths(args.paths, args.out)
    with open_output(args.out) as file:
        from blood_lib.images import iter_files
        from blood_lib.inference import Classifier
        from blood_lib.tables.cells import write_csv
        from blood_lib.tables.fields import pass_fields

        classifier, fields = Classifier.load(args.bundle), list["FieldReading"]()
        results = classifier.classify(
            iter_files(args.paths, exclude=_list_own(args.out, file)),
            kind="fields" if args.fields else "cells" if args.cells else None,
            pixel_size=args.pixel_size,
        )
        where = str(args.out or STANDARD_OUTPUT)
        rows = pass_fields(show_progress(results, file, "classify"), fields)
        statuses = write_csv(rows, classifier.class_names, file, where=where)
    if args.out is not None and fields:
        save_fields(fields, args.out.with_name(FIELD_TABLE))
    _say_what_was_done(statuses, len(fields))
    return 0


def _check_paths(paths: list[str], out: Path | None) -> None:
    """All is there, and nothing but older tables will be replaced: `--out *.jpg` names an image."""
    check_there(paths)
    if out is not None:
        _check_older(out, paths)
        _check_older(out.with_name(FIELD_TABLE), paths)


def check_there(paths: list[str]) -> None:
    """BloodError where one of the paths names nothing."""
    for path in paths:
        if not os.path.exists(path):
            raise BloodError(f"{path} does not exist: check the path.")


def _check_older(out: Path, paths: list[str]) -> None:
    """BloodError where `out` is there and is no older table, or one of the files that are read."""
    if not out.is_file():
        return
    with writing(out), out.open("rb") as file:
        start = file.read(max(map(len, _TABLES)))
    is_ours = not start or start.startswith(_TABLES)
    if not is_ours or any(os.path.samefile(out, path) for path in paths):
        raise BloodError(f"{out} is an image or another file of yours: choose another name for the table.")


def save_fields(fields: "list[FieldReading]", path: Path) -> None:
    """Write the table of the fields, one at least."""
    from blood_lib.tables.fields import write_fields

    with open_output(path) as file:
        write_fields(fields, list(fields[0].counts), file, where=str(path))


def _list_own(path: Path | None, file: TextIO) -> list[str]:
    """The files that this command writes: they may lie in a folder that it reads."""
    if path is None:
        return []
    beside = os.path.join(os.path.dirname(os.path.abspath(path)), FIELD_TABLE)
    return [os.path.realpath(path), os.path.abspath(path), file.name, beside]


def show_progress(results: "Iterable[Result]", file: TextIO, what: str) -> "Iterable[Result]":
    """Count rows on the terminal; not in a pipe, and not when the rows themselves scroll by."""
    if not sys.stderr.isatty() or file.isatty():
        return results
    from tqdm import tqdm

    columns, lines = shutil.get_terminal_size()  # 80 x 24 where the terminal says 0 x 0, tqdm would be mute
    return tqdm(results, unit=" rows", desc=what, file=sys.stderr, ncols=columns, nrows=lines)


def _say_what_was_done(statuses: Counter[str], n_fields: int) -> None:
    """One line on a terminal; in a pipe only when there is no answer."""
    n_rows = statuses.total()
    if n_rows == statuses["rejected"]:
        what = "no cell was found" if n_fields else "no readable image was found"
        print(f"blood: {what}: each row says why.", file=sys.stderr)
    elif sys.stderr.isatty():
        parts = ", ".join(f"{n:,} {status}" for status, n in statuses.items())
        among = f", {n_fields:,} fields among the files" if n_fields else ""
        print(f"{n_rows:,} rows: {parts}{among}.", file=sys.stderr)
