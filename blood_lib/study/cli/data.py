"""`blood data fetch`, `audit`, `split` and `pack` on the command line.

`study/data` does the work. It is imported only when the command runs.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from blood_lib.study.cli.options import Subparsers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_parser"]


def add_parser(subparsers: Subparsers) -> None:
    """Registers `data` with its commands; each sets `run(args) -> int`."""
    data = subparsers.add_parser(
        "data", help="fetch, audit and split the dataset", description="The dataset of the study."
    )
    commands = data.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_fetch(commands)
    _add_audit(commands)
    _add_split(commands)
    _add_pack(commands)


def _add_fetch(commands: Subparsers) -> None:
    text = (
        "Download the dataset (270 MB) from its own home into DIR/PBC_dataset_normal_DIB, check every file. "
        "An interrupted download goes on where it stopped when the command is given again."
    )
    fetch = commands.add_parser("fetch", help="download the dataset and check every file", description=text)
    fetch.add_argument(
        "folder", metavar="DIR", type=Path, nargs="?", default=Path("data"), help="default: data"
    )
    fetch.add_argument("--archive", metavar="FILE.zip", type=Path, help="unpack this archive, no download")
    fetch.add_argument("--url", help="download from this address instead")
    fetch.add_argument("--keep-archive", action="store_true", help="keep the archive once it is unpacked")
    fetch.set_defaults(run=_fetch)


def _add_audit(commands: Subparsers) -> None:
    text = "Find junk, duplicates, contradicting labels, odd sizes and gaps in a copy of the dataset."
    audit = commands.add_parser("audit", help="find what is wrong with the dataset", description=text)
    audit.add_argument("folder", metavar="DIR", type=Path, help="the dataset's folder")
    audit.add_argument("--csv", metavar="OUT", type=Path, help="also write each table as a CSV file into OUT")
    audit.add_argument(
        "--near-duplicates",
        action="store_true",
        help="also compare all images with each other, to find frames that overlap (minutes)",
    )
    audit.set_defaults(run=_audit)


def _add_split(commands: Subparsers) -> None:
    text = "Give every image its split (train, valid, test) by a hash of its pixels, the same in every copy."
    split = commands.add_parser("split", help="give every image its split", description=text)
    split.add_argument("folder", metavar="DIR", type=Path, help="the dataset's folder")
    split.add_argument(
        "--out",
        metavar="FILE.csv",
        type=Path,
        help="write a table: file, cell_type, subtype, part (the split)",
    )
    split.set_defaults(run=_split)


def _add_pack(commands: Subparsers) -> None:
    text = (
        "Write a small copy of the usable images, to train on where 270 MB do not go: whole frames, made "
        "smaller, with the split of the originals. blood train takes the folder as it takes the dataset's."
    )
    pack = commands.add_parser("pack", help="make a small copy to train on another machine", description=text)
    pack.add_argument("folder", metavar="DIR", type=Path, help="the dataset's folder")
    pack.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="a new folder for the copy")
    pack.add_argument("--image-size", type=int, metavar="PX", default=256, help="default: 256")
    pack.set_defaults(run=_pack)


def _fetch(args: argparse.Namespace) -> int:
    from blood_lib.study.data import fetch

    try:
        where = fetch.fetch_dataset(
            args.folder, url=args.url or fetch.URL, archive=args.archive, keep_archive=args.keep_archive
        )
    except KeyboardInterrupt:
        print("Interrupted: give the same command again, it goes on where it stopped.", file=sys.stderr)
        raise
    print(f"The dataset is in {where}; every file is as published.")
    return 0


def _index(folder: Path) -> "pd.DataFrame":
    from blood_lib.study.data.index import build_index
    from blood_lib.study.progress import show_progress

    return build_index(folder, progress=show_progress)


def _audit(args: argparse.Namespace) -> int:
    from blood_lib.study.data.audit import compute_audit, format_audit, save_audit

    index = _index(args.folder)
    tables = compute_audit(index)
    if args.near_duplicates:
        from blood_lib.study.data.near_duplicates import search_near_duplicates
        from blood_lib.study.progress import show_progress

        tables["overlaps"] = search_near_duplicates(args.folder, index, progress=show_progress)
    print(format_audit(tables))
    if args.csv:
        save_audit(tables, args.csv)
    return 0


def _split(args: argparse.Namespace) -> int:
    from blood_lib.study.data.split import build_split, compute_proportions, save_split

    split = build_split(_index(args.folder))
    if args.out:
        save_split(split, args.out)
    print(compute_proportions(split).to_string(index=False))
    return 0


def _pack(args: argparse.Namespace) -> int:
    from blood_lib.study.data.pack import pack_dataset
    from blood_lib.study.progress import show_progress

    split = pack_dataset(args.folder, args.out, image_size=args.image_size, progress=show_progress)
    print(f"{len(split):,} images are in {args.out}.")
    return 0
