"""What several commands of the study share: types, an option, and the report on a new bundle."""

import argparse
from pathlib import Path
from typing import TypeAlias

from blood_lib.bundle import Bundle

__all__ = ["Subparsers", "add_external", "print_bundle"]

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_external(parser: argparse.ArgumentParser) -> None:
    """Adds the option --external."""
    text = "an external test set to report on, as from another laboratory: a folder per class"
    parser.add_argument("--external", metavar="DIR", type=Path, help=text)


def print_bundle(bundle: Bundle) -> None:
    """The figures of a new bundle, and where it is."""
    from blood_lib.study.evaluate.evaluation import Figure

    for metric in bundle.card["metrics"]:
        where = metric.pop("where")
        print(f"{Figure(**metric)}: {where['en']}")
    print(f"The bundle is in {bundle.path}.")
