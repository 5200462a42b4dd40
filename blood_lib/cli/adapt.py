"""The subcommand `blood adapt`: a table of labelled images in, a bundle for their laboratory out.

The page's own table will do: of it counts where a person has put a cell, never what the model said.

How a bundle is adapted is for `inference.adapt`.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from blood_lib.files.csv_tables import Row, read_csv_table, tidy_path
from blood_lib.files.errors import BloodError

if TYPE_CHECKING:
    from PIL import Image

    from blood_lib.bundle import Bundle

__all__ = ["add_parser", "read_table"]

_COLUMNS = ("file", "label")
_REVIEW = {"group", "reviewed"}  # the columns of the page's table; `label` is the model's word there
_PLACE = ("x", "y", "width", "height")  # of a cell in a field
_PERSON = ("person", "yes")  # "yes" in tables of earlier versions


class LabelledCell(NamedTuple):
    """A row of the table."""

    file: str
    label: str
    box: tuple[float, ...] = ()  # x, y, width and height in a field; () where the file is one cell's picture
    diameter_um: float | None = None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `adapt`."""
    parser = subparsers.add_parser(
        "adapt",
        help="make a bundle for another laboratory from some labelled cells of it",
        description="The table has the columns file and label: a path, seen from the table's folder, and "
        "the name of a class of the bundle. The page's table will do, too: of it the rows that a person has "
        "decided count, with their group. It takes seconds for a hundred cells. One cell is enough, and "
        "classes may be missing. Below 20 cells the ok threshold stays as it was. More than 100 cells "
        "together count as much as 100.",
    )
    parser.add_argument("table", metavar="LABELS.csv", type=Path, help="the labelled images")
    parser.add_argument(
        "--bundle", metavar="DIR", type=Path, help="the model to adapt (default: the shipped one)"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        required=True,
        help="where the new bundle goes; an older one is replaced",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Adapt, save, and say what was done; everything that can stop the work is checked before it starts."""
    from blood_lib.bundle import check_out, load_bundle, open_folder
    from blood_lib.files.output import writing
    from blood_lib.inference import Classifier
    from blood_lib.inference.adapt import find_targets

    check_out(args.out)
    base = load_bundle(args.bundle)
    if args.out.exists() and args.out.samefile(base.path):
        raise BloodError(f"{args.out} is the bundle that is adapted: name another folder for the new one.")
    rows = read_table(args.table)
    find_targets([row.label for row in rows], base.classes)
    images, labels = _load_images(args.table, rows, base.preprocessing.window)
    adapted = Classifier(base).adapt(images, labels, date=time.strftime("%Y-%m-%d"))
    with open_folder(args.out) as folder, writing(args.out):
        adapted.save(folder)
    _say_what_was_done(adapted.bundle, args.out)
    return 0


def read_table(table: Path) -> list[LabelledCell]:
    """The labelled rows of a CSV table, rejected ones left out; BloodError says what is wrong with it."""
    names, all_rows = read_csv_table(table)
    _check_header(table, names)
    reviewed = set(names) >= _REVIEW
    rows = [
        _read_row(table, row)
        for row in all_rows
        if row.texts.get("status") != "rejected" and (not reviewed or _teaches(row))
    ]
    if not rows and reviewed:
        raise BloodError(f"{table} has no cell that a person has decided: move or confirm some on the page.")
    if not rows:
        raise BloodError(f"{table} has no rows: list one labelled image at least, as file,label.")
    places = [(row.file, row.box) for row in rows]
    if twice := sorted({place for place in places if places.count(place) > 1}):
        raise BloodError(f"{table} lists {twice[0][0]} more than once: keep one row for each cell.")
    return rows


def _check_header(table: Path, names: Sequence[str]) -> None:
    if not set(_COLUMNS) <= set(names):
        has = ", ".join(names) or "nothing"
        raise BloodError(f"{table} needs a first line with the columns file and label; it has {has}.")


def _teaches(row: Row) -> bool:
    """A row of the page's table with a class in it on a person's word."""
    from blood_lib.bundle import EXCLUDED, UNIDENTIFIED

    texts = row.texts
    return texts.get("reviewed") in _PERSON and texts.get("group") not in (UNIDENTIFIED, EXCLUDED)


def _read_row(table: Path, row: Row) -> LabelledCell:
    """The cell, and the group in which a person put it where there is one, or else the label.

    Where the table names a crop of the cell, that is the file.
    """
    label_column = "group" if row.texts.keys() >= _REVIEW else "label"
    file, label = (row.texts.get(name, "") for name in ("file", label_column))
    if not file or not label:
        raise BloodError(f"{table}, line {row.line}: give one file and one label in each row.")
    if crop := row.texts.get("crop"):
        return LabelledCell(tidy_path(crop), label)
    numbers = [row.texts.get(name, "") for name in (*_PLACE, "diameter_um")]
    if not all(numbers[:4]):
        return LabelledCell(tidy_path(file), label)
    try:
        *box, diameter = (float(number or "nan") for number in numbers)
    except ValueError:
        raise BloodError(f"{table}, line {row.line}: x, y, width and height are no numbers.") from None
    return LabelledCell(tidy_path(file), label, tuple(box), diameter if diameter > 0 else None)


def _load_images(
    table: Path, rows: list[LabelledCell], window: float | None
) -> "tuple[list[Image.Image], list[str]]":
    """The images that can be read, with their labels; a line on standard error for each of the others."""
    from blood_lib.images import Rejection, load_image

    images, labels = [], []
    for row in rows:
        image = load_image(table.parent / row.file)
        if isinstance(image, Rejection):
            print(f"blood: {row.file} is left out: {image.reason}", file=sys.stderr)
        else:
            images.append(_cut(image, row, window))
            labels.append(row.label)
    if not images:
        raise BloodError(f"none of the {len(rows)} images in {table} can be read: check its paths.")
    return images, labels


def _cut(image: "Image.Image", row: LabelledCell, window: float | None) -> "Image.Image":
    """The picture of one cell: `image` itself, or the cell of a field in the bundle's window."""
    if not row.box:
        return image
    if window is None:
        raise BloodError("this bundle reads no cells of whole fields: give crops of single cells.")
    import numpy as np

    from blood_lib.inference.fields import cut_cell, scale_of_cell

    x, y, width, height = row.box
    box = np.array([x, y, x + width, y + height])
    return cut_cell(image, box, scale_of_cell(box, row.diameter_um), window).image


def _say_what_was_done(bundle: "Bundle", out: Path) -> None:
    from blood_lib.inference.adapt import MIN_IMAGES

    entry, (metric,) = bundle.card["adaptation"], bundle.card["metrics"]
    n, limits = metric["n"], bundle.thresholds
    counts = ", ".join(f"{name} {k}" for name, k in entry["labelled"].items() if k)
    missing = ", ".join(name for name, k in entry["labelled"].items() if not k)
    print(f"{n} labelled images: {counts}.")
    if missing:
        print(f"No images of {missing}: the bundle knows these types only as before.")
    print(
        f"Leave-one-out: {entry['n_right']} of {n} are named correctly: {metric['value']:.1%} "
        f"(95 % interval {metric['low']:.1%} to {metric['high']:.1%})."
    )
    print(
        f"ok takes a confidence of {limits.confidence:.1%} and an out-of-distribution score of at most "
        f"{limits.ood_score:.3f}."
    )
    if n < MIN_IMAGES:
        print(f"Fewer than {MIN_IMAGES} images are too few to fit thresholds: `ok` is as strict as before.")
    print(f"The bundle is in {out}.")
