"""The subcommand `blood card`: a bundle's model card as Markdown.

What a card says is for `bundle/model_card.py`.
"""

import argparse
from pathlib import Path

from blood_lib.files.output import open_output

__all__ = ["add_parser"]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `card`."""
    parser = subparsers.add_parser(
        "card",
        help="what a bundle is, how good it is, and what it is not for",
        description="A bundle's model card as Markdown: its use and limits, its data, its figures.",
    )
    parser.add_argument("--bundle", metavar="DIR", type=Path, help="default: the bundle that ships")
    parser.add_argument("--out", metavar="FILE.md", type=Path, help="default: standard output")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from blood_lib.bundle import load_bundle
    from blood_lib.bundle.model_card import format_card

    text = format_card(load_bundle(args.bundle))
    with open_output(args.out) as file:
        file.write(text)
    return 0
