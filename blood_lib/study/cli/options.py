"""What several commands of the study share: an option, and how a new bundle is told of."""

import argparse
from pathlib import Path

__all__ = ["add_external", "tell"]


def add_external(parser: argparse.ArgumentParser) -> None:
    text = "an external test set to report on, as from another laboratory: a folder per class"
    parser.add_argument("--external", metavar="DIR", type=Path, help=text)


def tell(bundle) -> None:
    """The figures of a new bundle, and where it is."""
    from blood_lib.study.evaluate.evaluation import Figure

    for metric in bundle.card["metrics"]:
        where = metric.pop("where")
        print(f"{Figure(**metric)}: {where['en']}")
    print(f"The bundle is in {bundle.path}.")
