"""`python -m blood_lib.study.detect DATA --out RUN`: train the detector, or go on with a run.

`--teach FILE.csv` lets a run find what the laboratories did not box; a later one takes `--lessons FILE.csv`.
"""

import argparse
import sys
from pathlib import Path

import torch

from blood_lib.files.errors import BloodError
from blood_lib.study.detect.exporting import build_detector, export_detector
from blood_lib.study.detect.fields import LABORATORIES, load_fields
from blood_lib.study.detect.lessons import LEAST, find_lessons, hash_lessons, load_lessons, take_lessons
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.training import hash_weights, load_detector, train_detector


def main(argv: list[str] | None = None) -> int:
    """Train, teach or export; exit code 0 when it is done, 1 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m blood_lib.study.detect", description=__doc__)
    parser.add_argument(
        "data", type=Path, help="the folder that holds BCCD, chula_wbc, pig_fields, txl_boxes.csv"
    )
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument(
        "--without", action="append", default=[], choices=list(LABORATORIES), help="leave it out"
    )
    parser.add_argument("--lessons", type=Path, help="learn from this table, too")
    parser.add_argument("--teach", type=Path, help="write such a table with the run's detector")
    parser.add_argument("--export", type=Path, help="write the run's detector there as ONNX")
    parser.add_argument("--start", type=Path, help="the run whose weights are trained further")
    parser.add_argument("--lr", type=float, default=DetectorRecipe.lr)
    parser.add_argument("--epochs", type=int, default=DetectorRecipe.n_epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    try:
        _work(args)
    except BloodError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _work(args: argparse.Namespace) -> None:
    if args.export:
        args.export.write_bytes(export_detector(load_detector(args.out)[0]))
    elif args.teach:
        _teach(args)
    else:
        _train(args)


def _teach(args: argparse.Namespace) -> None:
    fields = [field for field in load_fields(args.data) if field.split == "train" and len(field.boxed) < 3]
    lessons = find_lessons(fields, build_detector(*load_detector(args.out), lowest=LEAST))
    lessons.to_csv(args.teach, index=False, lineterminator="\n")


def _train(args: argparse.Namespace) -> None:
    fields, taught = load_fields(args.data), args.lessons
    start = load_detector(args.start)[0] if args.start else None
    recipe = DetectorRecipe(
        start=hash_weights(start) if start else "",
        lr=args.lr,
        without=tuple(args.without),
        lessons=hash_lessons(taught) if taught else "",
        n_epochs=args.epochs,
        seed=args.seed,
    )
    fields = take_lessons(fields, load_lessons(taught)) if taught else fields
    train_detector(fields, recipe, args.out, start=start, say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
