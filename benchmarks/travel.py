"""Travel: what each part of a training on several laboratories gives to one that was left out.

    python -m benchmarks.travel DATA RUNS [--only NAME ...] [--without LAB ...] [--seeds 0]
        [--epochs 8] [--images 2048] [--threads N]

Each of VARIANTS starts from the shipped bundle's weights and is trained for eight short epochs, once without
BCCD and once without Chula; `--without none` learns from all three. Prints the per cent of the left-out
laboratory's cells that get the right one of eight names, and the mean over its types: after the last epoch,
and on average over the last half of them, which tells more than one. Then the same for PBC's validation
split. The test split is in none of it. Given again, the command goes on with its runs. RUNS/windows keeps the
cells; `laboratories` measures finished runs as they would be served.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.tools.options import build_parser
from blood_lib.bundle import Bundle, load_bundle
from blood_lib.study.data.laboratories import LABORATORIES
from blood_lib.study.laboratories.cells import open_cells
from blood_lib.study.laboratories.training import train_on_laboratories
from blood_lib.study.progress import show_progress
from blood_lib.study.train.recipe import Recipe

__all__ = ["VARIANTS", "build_recipe", "main", "name_run", "summarise"]

LEFT_OUT, NONE = ("bccd", "chula"), "none"

_LAST = {"ema_decay": 0.0}
_AVERAGED = {"ema_decay": 0.9999, "ema_power": 1.0}
_STYLES = {"style_probability": 0.4}
_JITTER = {"near": 1.25}

VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (_LAST, {}),
    "averaged": (_AVERAGED, {}),
    "styles": (_AVERAGED, _STYLES),
    "styles-jitter": (_AVERAGED, _STYLES | _JITTER),
    "styles-jitter-alike": (_AVERAGED | {"ema_power": 0.0}, _STYLES | _JITTER),
    "styles-wide": (_AVERAGED, _STYLES | {"near": 1.15, "share_near": 0.3}),
    "styles-jitter-even": (_AVERAGED | {"balance": 1.0}, _STYLES | _JITTER),
    "styles-jitter-slow": (_AVERAGED | {"lr": 2e-4}, _STYLES | _JITTER),
    "styles-jitter-smooth": (_AVERAGED | {"label_smoothing": 0.15}, _STYLES | _JITTER),
}
"""Name to what it changes of the recipe and of its augmentation. `near` is how far a window's scale strays, a
ratio; where share_near is below 1, the rest of the images is seen from anywhere between far and near."""


def main(argv: Sequence[str] | None = None) -> None:
    """Train what is not trained yet, and print the table."""
    args = _parse(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    cells = open_cells(args.data, args.runs / "windows", progress=show_progress)
    bundle = load_bundle()
    say, rows = partial(print, flush=True), []
    for seed, name, left_out in product(args.seeds, args.only, args.without):
        recipe = replace(
            build_recipe(bundle, name, left_out, seed), n_epochs=args.epochs, epoch_images=args.images
        )
        run = args.runs / name_run(name, left_out, recipe)
        train_on_laboratories(cells, run, recipe, weights=bundle.path, say=say)
        about = {"variant": name, "without": left_out, "seed": seed}
        rows.append(about | summarise(run / "log.csv", left_out))
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.1f}".format))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser("travel", __doc__)
    parser.add_argument("runs", type=Path, metavar="RUNS", help="the folder of the runs")
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--without", nargs="+", choices=[*LABORATORIES, NONE], default=list(LEFT_OUT))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--images", type=int, default=2048, help="that are drawn for an epoch")
    parser.add_argument("--threads", type=int, help="processor cores to use")
    return parser.parse_args(argv)


def name_run(variant: str, left_out: str, recipe: Recipe) -> str:
    """The folder of a run among the others."""
    length = f"{recipe.n_epochs}x{recipe.epoch_images}"
    return f"{variant}-without-{left_out}-{length}-{recipe.seed}"


def build_recipe(bundle: Bundle, variant: str, left_out: str, seed: int) -> Recipe:
    """The recipe of the bundle as `variant` changes it, from its weights, on all laboratories but one."""
    of_recipe, of_augmentation = VARIANTS[variant]
    first = Recipe.from_json(bundle.read("recipe.json").decode())
    near = {"near": 1.1, "share_near": 1.0} | of_augmentation
    short: dict[str, Any] = {
        "initialisation": "bundle",
        "start": bundle.sha256,
        "teachers": (),
        "distillation": 0.0,
        "norm_momentum": 0.0,
        "fold_batch_norms": True,
        "laboratories": tuple(name for name in LABORATORIES if name != left_out),
        "epoch_images": 2048,
        "n_epochs": 8,
        "batch_size": 64,
        "lr": 5e-4,
        "label_smoothing": 0.05,
        "seed": seed,
        "augmentation": replace(first.augmentation, **near),
    }
    return replace(first, **(short | of_recipe))


def summarise(log: Path, left_out: str) -> dict[str, float]:
    """Per cent right and balanced, of the left-out laboratory and of PBC: at the end and in the last half."""
    epochs = 100 * pd.read_csv(log)
    late, found = epochs.tail(len(epochs) // 2), {}
    for at in ("pbc",) if left_out == NONE else (left_out, "pbc"):
        title = "pbc " if at == "pbc" else ""
        for name, column in (("right", f"accuracy_{at}"), ("balanced", f"balanced_accuracy_{at}")):
            found[f"{title}{name}"] = epochs[column].iloc[-1]
            found[f"{title}{name}, late"] = late[column].mean()
    return found


if __name__ == "__main__":
    main()
