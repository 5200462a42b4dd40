"""`blood train`, `blood refit` and `blood evaluate` on the command line.

What they do is left to the modules of this package, which are imported only when a command runs.
"""

import argparse
from functools import partial
from pathlib import Path

__all__ = ["add_parser"]

DISTILLATION = 0.75
"""Share of the teachers in the loss, where no recipe says one."""


def add_parser(subparsers: "argparse._SubParsersAction") -> None:
    """Registers `train`, `refit` and `evaluate`; each sets `run(args) -> int`."""
    _add_train(subparsers)
    _add_refit(subparsers)
    _add_evaluate(subparsers)


def _add_train(subparsers: "argparse._SubParsersAction") -> None:
    text = (
        "Train a network on the training part of the dataset and make a bundle of it. The run's folder keeps "
        "recipe, log and a checkpoint: a run that was cut off goes on from its last epoch when the command "
        "is given again."
    )
    train = subparsers.add_parser("train", help="train a network and make a bundle of it", description=text)
    train.add_argument("folder", metavar="DIR", type=Path, help="the dataset's folder")
    train.add_argument(
        "--out",
        metavar="RUN",
        type=Path,
        required=True,
        help="the run's folder; the bundle goes to RUN/bundle",
    )
    train.add_argument(
        "--recipe", metavar="JSON", type=Path, help="a recipe as a run or a bundle keeps it, to start from"
    )
    train.add_argument(
        "--start", metavar="BUNDLE", type=Path, help="train the network of this bundle further"
    )
    train.add_argument(
        "--teacher",
        metavar="RUN_OR_BUNDLE",
        type=Path,
        action="append",
        default=[],
        dest="teachers",
        help="learn from the network of this finished run or bundle, too; can be given several times",
    )
    train.add_argument("--arch", help="one of the study's architectures")
    train.add_argument("--initialisation", choices=["imagenet", "random"])
    train.add_argument("--weights", metavar="FILE", type=Path, help="a local file with ImageNet weights")
    train.add_argument("--image-size", type=int, metavar="PX")
    train.add_argument("--epochs", type=int, metavar="N", dest="n_epochs")
    train.add_argument("--seed", type=int, metavar="N")
    train.add_argument("--device", default="auto", help="cpu, cuda, or auto: a GPU where there is one")
    _add_elsewhere(train)
    train.add_argument(
        "--no-bundle",
        action="store_true",
        help="stop before the bundle is made; given again without it, the command makes it, on any machine",
    )
    train.set_defaults(run=_train)


def _add_elsewhere(parser: argparse.ArgumentParser) -> None:
    text = "cells of another laboratory, to report on: a folder per class"
    parser.add_argument("--elsewhere", metavar="DIR", type=Path, help=text)


def _add_refit(subparsers: "argparse._SubParsersAction") -> None:
    text = (
        "Make a new bundle of a bundle's network: calibration, thresholds, map, subtypes and figures as this "
        "version finds them. Nothing is trained."
    )
    refit = subparsers.add_parser("refit", help="measure a bundle's network anew", description=text)
    refit.add_argument("folder", metavar="DIR", type=Path, help="the dataset's folder")
    refit.add_argument("--bundle", metavar="BUNDLE", type=Path, help="default: the bundle that ships")
    refit.add_argument("--out", metavar="NEW", type=Path, required=True, help="the new bundle's folder")
    _add_elsewhere(refit)
    refit.set_defaults(run=_refit)


def _add_evaluate(subparsers: "argparse._SubParsersAction") -> None:
    text = (
        "How good a bundle is on labelled images: a folder per class, or the files of a CSV table. Prints "
        "tables; --out also writes them as CSV files, and as one HTML page with plots."
    )
    evaluate = subparsers.add_parser("evaluate", help="measure a bundle on labelled images", description=text)
    evaluate.add_argument(
        "folder", metavar="DIR", type=Path, help="holds a folder per class, or the files that --labels names"
    )
    evaluate.add_argument("--bundle", metavar="DIR", type=Path, help="default: the bundle that ships")
    evaluate.add_argument(
        "--labels", metavar="CSV", type=Path, help="a table with the columns file and label"
    )
    evaluate.add_argument(
        "--part", choices=["train", "valid", "test"], help="only this part of the study's dataset"
    )
    evaluate.add_argument(
        "--among-present",
        action="store_true",
        help="force the answer to be one of the classes that are there",
    )
    evaluate.add_argument(
        "--out", metavar="FOLDER", type=Path, help="write the tables (CSV) and report.html into this folder"
    )
    evaluate.set_defaults(run=_evaluate)


def _train(args: argparse.Namespace) -> int:
    from blood_lib.study.cells import class_infos
    from blood_lib.study.export import export_bundle
    from blood_lib.study.labelled import find_labelled
    from blood_lib.study.training import train

    recipe = _read_recipe(args)
    if args.elsewhere is not None:
        find_labelled(args.elsewhere, class_infos())  # better now than after an hour
    say = partial(print, flush=True)  # each epoch shows at once where the output goes to a file
    how = {"device": args.device, "weights": args.start or args.weights, "teachers": args.teachers}
    train(args.folder, args.out, recipe, **how, say=say)
    if args.no_bundle:
        return 0
    _tell(export_bundle(args.out, args.folder, args.out / "bundle", elsewhere=args.elsewhere))
    return 0


def _refit(args: argparse.Namespace) -> int:
    from blood_lib.bundle import load_bundle
    from blood_lib.study.refit import refit_bundle

    _tell(refit_bundle(load_bundle(args.bundle), args.folder, args.out, elsewhere=args.elsewhere))
    return 0


def _tell(bundle) -> None:
    """The figures of a new bundle, and where it is."""
    from blood_lib.study.evaluation import Figure

    for metric in bundle.card["metrics"]:
        where = metric.pop("where")
        print(f"{Figure(**metric)}: {where['en']}")
    print(f"The bundle is in {bundle.path}.")


def _read_recipe(args: argparse.Namespace):
    """The recipe of --recipe, or the default one, with what the other options change."""
    from dataclasses import replace

    from blood_lib import BloodError
    from blood_lib.bundle import load_bundle
    from blood_lib.study.distillation import hash_teacher
    from blood_lib.study.recipe import Recipe

    try:
        recipe = Recipe.from_json(args.recipe.read_text(encoding="utf-8")) if args.recipe else Recipe()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BloodError(f"{args.recipe} is no recipe ({error}); give the recipe.json of a run.") from None
    names = ("arch", "initialisation", "image_size", "n_epochs", "seed")
    changes = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.start:
        bundle = load_bundle(args.start)
        changes |= {"initialisation": "bundle", "start": bundle.sha256, "fold_batch_norms": True}
    if args.teachers:
        taught = tuple(hash_teacher(folder) for folder in args.teachers)
        changes |= {"teachers": taught, "distillation": recipe.distillation or DISTILLATION}
    return replace(recipe, **changes)


def _evaluate(args: argparse.Namespace) -> int:
    import numpy as np

    from blood_lib.inference import Classifier
    from blood_lib.study.assessment import assess, format_text
    from blood_lib.study.labelled import classify_labelled
    from blood_lib.study.progress import show_progress

    classifier = Classifier.load(args.bundle)
    root, table = _find_table(args, classifier.bundle.classes)
    progress = partial(show_progress, total=len(table), what="Classifying")
    answers = classify_labelled(classifier, root, table, progress=progress)
    if args.among_present:
        answers = answers.choose_among(np.unique(answers.target))
    assessment = assess(answers, classifier.class_names)
    print(format_text(assessment))
    if args.out is not None:
        _save_report(assessment, classifier.bundle, args)
    return 0


def _save_report(assessment, bundle, args: argparse.Namespace) -> None:
    """The tables and the page in the folder that --out names."""
    from blood_lib import __version__
    from blood_lib.report import open_whole
    from blood_lib.study.assessment import save_tables
    from blood_lib.study.assessment_page import build_page

    choice = "one of the classes there" if args.among_present else "any class of the bundle"
    facts = {
        "bundle": f"{bundle.title['en']}, {bundle.sha256[:16]}",
        "images": f"{args.folder.resolve().name}{f', part {args.part}' if args.part else ''}",
        "answers may be": choice,
        "measured": "image by image, with 95 % intervals",
        "program": f"blood {__version__}",
    }
    save_tables(assessment, args.out)
    with open_whole(args.out / "report.html") as file:
        file.write(build_page(assessment, f"How good: {bundle.title['en']}", facts))
    print(f"\nThe tables and report.html are in {args.out}.")


def _find_table(args: argparse.Namespace, classes):
    """The folder that the files lie below, and the table of files and labels."""
    from blood_lib.study.labelled import find_labelled, read_labels

    if args.part:
        from blood_lib.study.data.index import find_dataset
        from blood_lib.study.data.split import load_split

        split = load_split(args.folder)
        return find_dataset(args.folder), split[split["part"] == args.part]
    return args.folder, read_labels(args.labels, classes) if args.labels else find_labelled(
        args.folder, classes
    )
