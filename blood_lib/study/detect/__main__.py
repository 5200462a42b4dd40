"""`python -m blood_lib.study.detect DATA --out RUN`: train the detector, or go on with a run."""

import argparse
import sys
from pathlib import Path

import torch

from blood_lib import BloodError
from blood_lib.study.detect.fields import LABORATORIES, load_fields
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.training import train_detector


def main(argv: list[str] | None = None) -> int:
    """Train; exit code 0 when the run is done, 1 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m blood_lib.study.detect", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder that holds BCCD, chula_wbc, pig_fields, txl_boxes.csv")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--without", action="append", default=[], choices=list(LABORATORIES), help="leave it out")
    parser.add_argument("--epochs", type=int, default=DetectorRecipe.n_epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    try:
        recipe = DetectorRecipe(without=tuple(args.without), n_epochs=args.epochs, seed=args.seed)
        train_detector(load_fields(args.data), recipe, args.out, say=lambda line: print(line, flush=True))
    except BloodError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
