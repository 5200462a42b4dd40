"""`python -m blood_lib.study.detect DATA --out RUN`: train the detector, or go on with a run.

`--into BUNDLE` puts the run's detector into a bundle, whose classifier stays as it is.
`--write-pseudo-labels FILE.csv` lets a run find what the laboratories did not box; a later run learns from it
with `--pseudo-labels FILE.csv`.
"""

import argparse
import sys
from pathlib import Path

import torch

from blood_lib.bundle import load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.study.detect.bundling import add_detector
from blood_lib.study.detect.exporting import build_detector, export_detector
from blood_lib.study.detect.fields import LABORATORIES, load_fields
from blood_lib.study.detect.pseudo_labels import (
    LEAST,
    add_pseudo_labels,
    find_pseudo_labels,
    hash_pseudo_labels,
    load_pseudo_labels,
)
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.training import hash_weights, load_detector, train_detector


def main(argv: list[str] | None = None) -> int:
    """Train, write pseudo-labels or export; exit code 0 when it is done, 1 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m blood_lib.study.detect", description=__doc__)
    parser.add_argument(
        "data", type=Path, help="the folder that holds BCCD, chula_wbc, pig_fields, txl_boxes.csv"
    )
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument(
        "--without", action="append", default=[], choices=list(LABORATORIES), help="leave it out"
    )
    parser.add_argument("--pseudo-labels", type=Path, help="learn from this table, too")
    parser.add_argument("--write-pseudo-labels", type=Path, help="write such a table with the run's detector")
    parser.add_argument("--into", type=Path, help="put the run's detector into this bundle")
    parser.add_argument(
        "--earlier", type=Path, action="append", default=[], help="with --into: a run that it came from"
    )
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
    elif args.into:
        bundle = add_detector(load_bundle(args.into), args.out, args.data, args.into, earlier=args.earlier)
        print(f"{args.into} finds cells in whole fields now; it is {bundle.sha256[:16]}.")
    elif args.write_pseudo_labels:
        _write_pseudo_labels(args)
    else:
        _train(args)


def _write_pseudo_labels(args: argparse.Namespace) -> None:
    fields = [field for field in load_fields(args.data) if field.split == "train" and len(field.boxed) < 3]
    labels = find_pseudo_labels(fields, build_detector(*load_detector(args.out), lowest=LEAST))
    labels.to_csv(args.write_pseudo_labels, index=False, lineterminator="\n")


def _train(args: argparse.Namespace) -> None:
    fields, labels = load_fields(args.data), args.pseudo_labels
    start = load_detector(args.start)[0] if args.start else None
    recipe = DetectorRecipe(
        start=hash_weights(start) if start else "",
        lr=args.lr,
        without=tuple(args.without),
        pseudo_labels=hash_pseudo_labels(labels) if labels else "",
        n_epochs=args.epochs,
        seed=args.seed,
    )
    fields = add_pseudo_labels(fields, load_pseudo_labels(labels)) if labels else fields
    train_detector(fields, recipe, args.out, start=start, say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
