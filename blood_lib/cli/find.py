"""The subcommand `blood find`: whole fields in; crops, tables and marked pictures of their cells out."""

import argparse
import re
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from blood_lib.cli.classify import FIELD_TABLE, add_pixel_size, check_there, save_fields, show_progress
from blood_lib.files.errors import BloodError
from blood_lib.files.output import open_output, writing

if TYPE_CHECKING:
    from PIL import Image

    from blood_lib.bundle import Bundle
    from blood_lib.images import Rejection, Source
    from blood_lib.inference import FieldReading, Result

__all__ = ["add_parser"]

CELL_TABLE = "cells.csv"

_BLACK = "#000000"  # the frame of a class that the bundle gives no colour


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `find`."""
    parser = subparsers.add_parser(
        "find",
        help="find the cells in whole fields of a smear",
        description="Writes into a folder: crops of the cells at the classifier's scale (crops/), a row for "
        "each cell (cells.csv) and for each field (fields.csv), and a picture of each field with what was "
        "found (marked/). Correct the column label of cells.csv and give that table to `blood adapt`.",
    )
    parser.add_argument("paths", nargs="+", metavar="FIELD", help="an image, a folder or a ZIP archive")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="a new folder, or an older one"
    )
    parser.add_argument(
        "--bundle", metavar="DIR", type=Path, help="the model to use (default: the shipped one)"
    )
    add_pixel_size(parser)
    parser.set_defaults(run=_find)


def _find(args: argparse.Namespace) -> int:
    """Find and name all cells; everything that can stop the work is checked before it starts."""
    warnings.filterwarnings("ignore", module="PIL")
    check_there(args.paths)
    _check_out(args.out)
    from blood_lib.images import iter_files
    from blood_lib.inference import Classifier, FieldReading
    from blood_lib.tables.cells import write_csv
    from blood_lib.tables.fields import pass_fields

    classifier, fields = Classifier.load(args.bundle), list[FieldReading]()
    saver = _Saver(args.out, classifier.bundle)
    files = saver.remember(iter_files(args.paths, exclude=[str(args.out)]))
    results = pass_fields(classifier.classify(files, kind="fields", pixel_size=args.pixel_size), fields)
    with writing(args.out):
        for folder in ("crops", "marked"):
            (args.out / folder).mkdir(parents=True, exist_ok=True)
    with open_output(args.out / CELL_TABLE) as file:
        rows = show_progress(saver.save(results), file, "find")
        statuses = write_csv(rows, classifier.class_names, file, further={"crop": saver.name_crop})
    if fields:
        save_fields(fields, args.out / FIELD_TABLE)
    n_cells = statuses.total() - statuses["rejected"]
    print(f"{n_cells:,} cells in {len(fields):,} fields. They are in {args.out}.")
    return 0


def _check_out(out: Path) -> None:
    if out.exists() and not (out / CELL_TABLE).exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BloodError(f"{out} holds something else than found cells: name another folder.")


class _Saver:
    """Saves crops and marked pictures while the results pass by."""

    def __init__(self, out: Path, bundle: "Bundle") -> None:
        self._out, self._bundle = out, bundle
        self._contents: deque[Source | Rejection] = deque()
        self._names: set[str] = set()
        self._stem = ""

    def remember(
        self, files: "Iterable[tuple[str, Source | Rejection]]"
    ) -> "Iterator[tuple[str, Source | Rejection]]":
        """The files as they come, each kept until its cells are saved."""
        for name, content in files:
            self._contents.append(content)
            yield name, content

    def save(self, results: "Iterable[Result]") -> "Iterator[Result]":
        """The results in their order, those of a file once its pictures are saved."""
        cells: list[Result] = []
        for result in results:
            if cells and result.cell in (None, 1):  # another file begins
                yield from self._save_file(cells)
                cells = []
            cells.append(result)
        if cells:
            yield from self._save_file(cells)

    def name_crop(self, result: "Result") -> str:
        """Where the crop of a cell of the latest file lies, seen from the table."""
        return "" if result.cell is None else f"crops/{self._stem}_{result.cell}.png"

    def _save_file(self, cells: "list[Result]") -> "list[Result]":
        from blood_lib.images import Rejection, load_image
        from blood_lib.inference.fields import cut_picture

        content, field = self._contents.popleft(), cells[0].field
        image = content if isinstance(content, Rejection) else load_image(content)
        if field is None or isinstance(image, Rejection):
            return cells
        self._stem = _name_apart(field.name, self._names)
        with writing(self._out):
            for result in cells:
                if result.window is not None:
                    cut_picture(image, result.window).save(self._out / self.name_crop(result))
            _mark(image, cells, field, self._bundle).save(
                self._out / "marked" / f"{self._stem}.jpg", quality=90
            )
        return cells


def _name_apart(name: str, names: set[str]) -> str:
    """A file name for what belongs to the field `name`, like that of no other."""
    plain = re.sub(r"[^\w.-]+", "_", Path(name).stem)
    n = 1
    while (unique := plain if n == 1 else f"{plain}-{n}") in names:
        n += 1
    names.add(unique)
    return unique


def _mark(
    image: "Image.Image", cells: "list[Result]", field: "FieldReading", bundle: "Bundle"
) -> "Image.Image":
    from blood_lib.detection.marking import mark_cells

    labels = [
        (cell.box[0], cell.box[1] + cell.box[3], f"{cell.cell} {cell.label}") for cell in cells if cell.box
    ]
    kinds = bundle.detector.classes if bundle.detector else ()
    colours = {kind.name: _BLACK for kind in field.found.kinds} | {kind.name: kind.colour for kind in kinds}
    return mark_cells(image, field.found, colours, labels)
