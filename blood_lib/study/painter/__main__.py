"""`python -m blood_lib.study.painter OUT.png`: a contact sheet of drawn cells, one row per cell type."""

import argparse
import sys

from blood_lib.study.painter import draw_sheet


def main(argv: list[str] | None = None) -> int:
    """Draw the sheet; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m blood_lib.study.painter", description=__doc__)
    parser.add_argument("out", metavar="OUT.png", help="where to write the sheet")
    parser.add_argument("--columns", type=int, default=6, help="cells per type (default %(default)s)")
    parser.add_argument("--size", type=int, default=180, help="pixels per cell (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    draw_sheet(columns=args.columns, size=args.size, seed=args.seed).save(args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
