"""`blood refit` on the command line.

`study/export` does the work. It is imported only when the command runs.
"""

import argparse
from pathlib import Path

from blood_lib.study.cli.options import Subparsers, add_external, print_bundle

__all__ = ["add_parser"]


def add_parser(subparsers: Subparsers) -> None:
    """Registers `refit`; sets `run(args) -> int`."""
    text = (
        "Make a new bundle of a bundle's network: calibration, thresholds, map, subtypes and figures as this "
        "version finds them. Nothing is trained."
    )
    refit = subparsers.add_parser("refit", help="measure a bundle's network anew", description=text)
    refit.add_argument("folder", metavar="DIR", type=Path, help="the dataset's folder")
    refit.add_argument("--bundle", metavar="BUNDLE", type=Path, help="default: the bundle that ships")
    refit.add_argument("--out", metavar="NEW", type=Path, required=True, help="the new bundle's folder")
    add_external(refit)
    refit.set_defaults(run=_refit)


def _refit(args: argparse.Namespace) -> int:
    from blood_lib.bundle import load_bundle
    from blood_lib.study.export.refit import refit_bundle

    print_bundle(refit_bundle(load_bundle(args.bundle), args.folder, args.out, external=args.external))
    return 0
