"""`blood train` on the command line.

`study/train` does the work. It is imported only when the command runs.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blood_lib.study.cli.options import Subparsers, add_external, print_bundle
from blood_lib.study.data.laboratories import LABORATORIES

if TYPE_CHECKING:
    from blood_lib.study.train.recipe import Recipe

__all__ = ["add_parser"]

EPOCH_IMAGES = 4096
"""That are drawn for an epoch from several laboratories, where no recipe says how many."""

DISTILLATION = 0.75
"""Share of the teachers in the loss, where no recipe says one."""


def add_parser(subparsers: Subparsers) -> None:
    """Registers `train`; sets `run(args) -> int`."""
    text = (
        "Train a network on the dataset's training split and make a bundle of it. The run's folder keeps the "
        "recipe, log and a checkpoint: a run that was cut off goes on from its last epoch when the command "
        "is given again."
    )
    train = subparsers.add_parser("train", help="train a network and make a bundle of it", description=text)
    train.add_argument(
        "folder",
        metavar="DIR",
        type=Path,
        help="the dataset's folder; with --laboratories the one that holds it, BCCD and chula_wbc",
    )
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
    train.add_argument(
        "--initialisation",
        choices=["imagenet", "random"],
        help="the weights to start from; imagenet where no recipe says another",
    )
    train.add_argument("--weights", metavar="FILE", type=Path, help="a local file with ImageNet weights")
    train.add_argument(
        "--image-size",
        type=int,
        metavar="PX",
        help="side of the network's input, a multiple of 32; 128 where no recipe says another",
    )
    train.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        dest="n_epochs",
        help="passes over the training images; 20 where no recipe says another",
    )
    train.add_argument(
        "--seed", type=int, metavar="N", help="seed of the random numbers; 0 where no recipe says another"
    )
    _add_laboratories(train)
    train.add_argument(
        "--threads", type=int, metavar="N", help="processor cores to use; as many as there are by default"
    )
    train.add_argument("--device", default="auto", help="cpu, cuda, or auto: a GPU where there is one")
    add_external(train)
    train.add_argument(
        "--no-bundle",
        action="store_true",
        help="stop before the bundle is made; given again without it, the command makes it, on any machine",
    )
    train.set_defaults(run=_train)


def _add_laboratories(train: argparse.ArgumentParser) -> None:
    train.add_argument(
        "--laboratories",
        action="store_true",
        help=f"learn from the cells of {', '.join(LABORATORIES)} together; needs --no-bundle",
    )
    train.add_argument(
        "--without",
        action="append",
        default=[],
        choices=list(LABORATORIES),
        help="leave this laboratory out, and validate on it; can be given several times",
    )
    train.add_argument(
        "--windows",
        metavar="FOLDER",
        type=Path,
        help="where the laboratories' cells are kept once they are cut; RUN/windows by default",
    )


def _train(args: argparse.Namespace) -> int:
    import torch

    from blood_lib.study.cells import class_infos
    from blood_lib.study.evaluate.labelled import find_labelled
    from blood_lib.study.export import export_bundle

    recipe = _read_recipe(args)
    if args.external is not None:
        find_labelled(args.external, class_infos())  # better now than after an hour
    if args.threads:
        torch.set_num_threads(args.threads)
    _follow(recipe, args)
    if args.no_bundle:
        return 0
    print_bundle(export_bundle(args.out, args.folder, args.out / "bundle", external=args.external))
    return 0


def _follow(recipe: "Recipe", args: argparse.Namespace) -> None:
    from blood_lib.study.laboratories.cells import open_cells
    from blood_lib.study.laboratories.training import train_on_laboratories
    from blood_lib.study.progress import show_progress
    from blood_lib.study.train.training import train

    say = partial(print, flush=True)  # each epoch shows at once where the output goes to a file
    how = {"device": args.device, "weights": args.start or args.weights, "teachers": args.teachers}
    if not recipe.laboratories:
        train(args.folder, args.out, recipe, **how, say=say)
        return
    cells = open_cells(args.folder, args.windows or args.out / "windows", progress=show_progress)
    train_on_laboratories(cells, args.out, recipe, **how, say=say)


def _read_recipe(args: argparse.Namespace) -> "Recipe":
    """The recipe of --recipe, or the default one, with what the other options change."""
    from dataclasses import replace

    from blood_lib.bundle import load_bundle
    from blood_lib.files.errors import BloodError
    from blood_lib.study.train.distillation import hash_teacher
    from blood_lib.study.train.recipe import Recipe

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
    if args.laboratories or args.without:
        changes["laboratories"] = tuple(name for name in LABORATORIES if name not in args.without)
        changes["epoch_images"] = recipe.epoch_images or EPOCH_IMAGES
    recipe = replace(recipe, **changes)
    if recipe.laboratories and not args.no_bundle:
        raise BloodError("A network of several laboratories is not made a bundle yet; add --no-bundle.")
    return recipe
