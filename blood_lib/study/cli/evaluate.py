"""`blood evaluate` on the command line.

`study/evaluate` does the work. It is imported only when the command runs.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blood_lib.study.cli.options import Subparsers

if TYPE_CHECKING:
    import pandas as pd

    from blood_lib.bundle import Bundle, ClassInfo
    from blood_lib.study.evaluate.assessment import Assessment

__all__ = ["add_parser"]


def add_parser(subparsers: Subparsers) -> None:
    """Registers `evaluate`; sets `run(args) -> int`."""
    text = (
        "How good a bundle is on labelled images: a folder per class, or the files of a CSV table. Prints "
        "tables; --out also writes them as CSV files, and as one HTML page with plots."
    )
    evaluate = subparsers.add_parser("evaluate", help="measure a bundle on labelled images", description=text)
    evaluate.add_argument(
        "folder", metavar="DIR", type=Path, help="holds a folder per class, or the files that --labels names"
    )
    evaluate.add_argument("--bundle", metavar="DIR", type=Path, help="default: the bundle that ships")
    evaluate.add_argument(
        "--labels", metavar="CSV", type=Path, help="a table with the columns file and label"
    )
    evaluate.add_argument(
        "--split", choices=["train", "valid", "test"], help="only this split of the study's dataset"
    )
    evaluate.add_argument(
        "--among-present",
        action="store_true",
        help="force the answer to be one of the classes among the images given",
    )
    evaluate.add_argument(
        "--out", metavar="FOLDER", type=Path, help="write the tables (CSV) and report.html into this folder"
    )
    evaluate.set_defaults(run=_evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    import numpy as np

    from blood_lib.inference import Classifier
    from blood_lib.study.evaluate.assessment import assess, format_text
    from blood_lib.study.evaluate.labelled import classify_labelled
    from blood_lib.study.progress import show_progress

    classifier = Classifier.load(args.bundle)
    root, table = _find_table(args, classifier.bundle.classes)
    progress = partial(show_progress, total=len(table), what="Classifying")
    answers = classify_labelled(classifier, root, table, progress=progress)
    if args.among_present:
        answers = answers.choose_among(np.unique(answers.target))
    assessment = assess(answers, classifier.class_names)
    print(format_text(assessment))
    if args.out is not None:
        _save_report(assessment, classifier.bundle, args)
    return 0


def _save_report(assessment: "Assessment", bundle: "Bundle", args: argparse.Namespace) -> None:
    """The tables and the page in the folder that --out names."""
    from blood_lib import __version__
    from blood_lib.files.output import open_whole
    from blood_lib.study.evaluate.assessment import save_tables
    from blood_lib.study.evaluate.assessment_page import build_page

    choice = "one of the classes among the images" if args.among_present else "any class of the bundle"
    facts = {
        "bundle": f"{bundle.title['en']}, {bundle.sha256[:16]}",
        "images": f"{args.folder.resolve().name}{f', split {args.split}' if args.split else ''}",
        "answers may be": choice,
        "measured": "image by image, with 95 % intervals",
        "program": f"blood {__version__}",
    }
    save_tables(assessment, args.out)
    with open_whole(args.out / "report.html") as file:
        file.write(build_page(assessment, f"How good: {bundle.title['en']}", facts))
    print(f"\nThe tables and report.html are in {args.out}.")


def _find_table(args: argparse.Namespace, classes: "Sequence[ClassInfo]") -> "tuple[Path, pd.DataFrame]":
    """The folder that the files lie below, and the table of files and labels."""
    from blood_lib.study.evaluate.labelled import find_labelled, find_left_out, read_labels

    if args.split:
        from blood_lib.study.data.index import find_dataset
        from blood_lib.study.data.split import load_split

        split = load_split(args.folder)
        return find_dataset(args.folder), split[split["part"] == args.split]
    if args.labels:
        return args.folder, read_labels(args.labels, classes)
    for name, n in find_left_out(args.folder, classes).items():
        print(f"blood: the folder {name} is left out ({n} files): no class is called so.", file=sys.stderr)
    return args.folder, find_labelled(args.folder, classes)
