"""`blood study` on the command line.

`study/notebooks` does the work. It is imported only when the command runs.
"""

import argparse
import time
from pathlib import Path

from blood_lib.files.errors import BloodError
from blood_lib.study.cli.options import Subparsers
from blood_lib.study.notebooks.profiles import PROFILES, SET_BY_OPTIONS
from blood_lib.study.notebooks.runner import run_study

__all__ = ["add_parser"]


def add_parser(subparsers: Subparsers) -> None:
    """Registers `blood study`; sets `run(args) -> int`."""
    text = (
        "Run the study's notebooks in order by papermill into a new folder: a copy and an HTML page of each, "
        "and an index. A failed notebook stops the run; what was done stays."
    )
    study = subparsers.add_parser("study", help="run the notebooks of the study", description=text)
    study.add_argument(
        "--profile", choices=PROFILES, default="quick", help="how much to compute (default: quick)"
    )
    study.add_argument(
        "--data", metavar="DIR", type=Path, help="the dataset's folder; drawn cells without any"
    )
    study.add_argument("--out", metavar="DIR", type=Path, help="a new folder (default: runs/DATE_TIME)")
    study.add_argument(
        "--resume", action="store_true", help="go on in the folder --out of a run that was cut off"
    )
    study.add_argument(
        "--publish", action="store_true", help="put the executed copies, as they may be committed, in place"
    )
    study.add_argument("--only", metavar="NUMBER", nargs="+", default=[], help="only these, such as 01 04")
    study.add_argument(
        "-p",
        "--parameter",
        metavar=("NAME", "VALUE"),
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        help="another value for a parameter of the notebooks, as YAML: -p download true",
    )
    study.add_argument("--notebooks", metavar="DIR", type=Path, default=Path("notebooks"))
    study.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if args.resume and not args.out:
        raise BloodError("--resume goes on in the folder of a run: name it with --out.")
    out_dir = (args.out or Path("runs") / time.strftime("%Y-%m-%d_%H%M%S")).resolve()
    parameters = {name: _parse_value(name, value) for name, value in args.parameters}
    if known := sorted(SET_BY_OPTIONS & set(parameters)):
        raise BloodError(f"{', '.join(known)} cannot be set by -p: use --data, --out and --profile.")
    parameters |= {"out_dir": str(out_dir)} | ({"data_dir": str(args.data.resolve())} if args.data else {})
    options = {"only": args.only, "resume": args.resume, "publish": args.publish}
    run_study(args.notebooks, out_dir, profile=args.profile, parameters=parameters, **options)
    print(f"Open {out_dir / 'index.html'}")
    return 0


def _parse_value(name: str, value: str) -> object:
    import yaml

    if name.endswith("_dir"):  # notebooks run in their own folder
        return str(Path(value).resolve()) if value else ""
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise BloodError(f"The value of {name} is no YAML: {value}. Try it in quotes.") from None
