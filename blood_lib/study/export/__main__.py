"""`python -m blood_lib.study.export DATA BUNDLE`: give a bundle that is there its limits of focus and size.

Its network, map and figures stay as they are to the byte. `blood refit` makes all of it anew.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from blood_lib.bundle import load_bundle, open_folder
from blood_lib.files.errors import BloodError
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.export.limits import add_limits


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when it is done, 1 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m blood_lib.study.export", description=__doc__)
    parser.add_argument("data", type=Path, help="the dataset's folder")
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    args = parser.parse_args(argv)
    try:
        changed = add_limits(load_bundle(args.bundle), find_dataset(args.data), load_split(args.data))
        with open_folder(args.bundle) as new:
            changed.save(new)
    except BloodError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"focus {changed.thresholds.focus:g}, side {changed.thresholds.side:g} px")
    return 0


if __name__ == "__main__":
    sys.exit(main())
