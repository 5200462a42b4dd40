"""Held-out class: how well each out-of-distribution score finds cells of a type the network has never seen.

    python -m benchmarks.doubt.held_out_class DATA RUNS [--types NAME ...] [--per-type 150] [--epochs 3]
    python -m benchmarks.doubt.held_out_class DATA RUNS --recipe BUNDLE/recipe.json

For each type, a network is trained on the others and then served as a bundle's would be. It is trained
briefly and on few images, or by the recipe of a bundle, without its teachers, which have seen every type. A
network that hardly knows the others cannot tell a stranger either: read the accuracy first, which each epoch
prints.

Prints for each score the area under the ROC curve between known cells of the test split and all cells of the
held-out type, with its 95 % interval. Also prints the share of the latter that is flagged by a threshold that
flags 0.5 % of the validation split. RUNS/held_out_class.csv has both. Given again, the command goes on with
its runs. Images that are no blood cell are for `ood_detection`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from benchmarks.tools.options import build_parser
from benchmarks.tools.scores import Outputs, fit_scores, run_network
from blood_lib.atlas import Atlas
from blood_lib.files.errors import BloodError
from blood_lib.inference.network import Network
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.export import choose_ood_threshold, compile_network, sample_per_class
from blood_lib.study.train.loaders import CLASS_INDEX, load_views
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import train

__all__ = ["compute_auroc", "main", "measure", "share_flagged"]

NAMES = tuple(CLASS_INDEX)
BRIEF = Recipe(  # in so short a training slow statistics of the normalisation would never catch up
    image_size=64, n_epochs=3, batch_size=32, norm_momentum=0.1
)


def compute_auroc(known: np.ndarray, ood: np.ndarray) -> tuple[float, float, float]:
    """How often an out-of-distribution image scores higher than a known one, and its 95 % interval; ties
    count half
    (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837).
    """
    n, m = len(known), len(ood)
    ranks = rankdata(np.concatenate([known, ood]))
    below = (ranks[n:] - rankdata(ood)) / n  # for each such image, the share of known ones below it
    above = 1 - (ranks[:n] - rankdata(known)) / m
    area = float(below.mean())
    reach = norm.ppf(0.975) * np.sqrt(below.var(ddof=1) / m + above.var(ddof=1) / n)
    return area, max(0.0, area - reach), min(1.0, area + reach)


def share_flagged(valid: np.ndarray, ood: np.ndarray) -> float:
    """The share of out-of-distribution images above the threshold that the scores `valid` (N,) give."""
    return float((ood > choose_ood_threshold(valid)).mean())


def _sample(split: pd.DataFrame, per_type: int, seed: int) -> pd.DataFrame:
    """At most `per_type` images of each cell type in each split; 0: all."""
    if not per_type:
        return split
    groups = split["part"] + " " + split["cell_type"]
    return split.iloc[sample_per_class(groups.to_numpy(), per_type, seed)].reset_index(drop=True)


def measure(
    root: Path, run: Path, recipe: Recipe, split: pd.DataFrame, held_out: str, references: int | None = None
) -> list[dict[str, object]]:
    """A row per score: trains on all of `split` but the type `held_out`, or goes on with such a run.

    references: at most so many cells of each type stand for what is known; all of the training split by
    default.
    """
    is_known = split["cell_type"] != held_out
    train(root, run, recipe, split=split[is_known].reset_index(drop=True))
    served = compile_network(*load_network(run))
    known = {name: split[is_known & (split["part"] == name)] for name in ("train", "valid", "test")}
    outputs = {name: _run(served, root, rows, recipe) for name, rows in known.items()}
    target = known["train"]["cell_type"].map(CLASS_INDEX).to_numpy()
    chosen = sample_per_class(target, references or len(target), recipe.seed)
    features = outputs["train"].features
    atlas = Atlas.fit(features[chosen], target[chosen], known=features, random_state=recipe.seed)
    ood = _run(served, root, split[~is_known], recipe)
    rows = []
    for name, score in fit_scores(atlas, outputs["valid"], 1.0).items():
        scored = score(ood)
        area, low, high = compute_auroc(score(outputs["test"]), scored)
        flagged = share_flagged(score(outputs["valid"]), scored)
        counts = {"n_known": len(known["test"]), "n_held_out": len(scored)}
        figures = {"auroc": area, "low": low, "high": high, "flagged": flagged}
        rows.append({"held_out": held_out, "score": name, **counts, **figures})
    return rows


def _run(network: Network, root: Path, rows: pd.DataFrame, recipe: Recipe) -> Outputs:
    files = rows["file"].tolist()
    return run_network(network, load_views(root, files, size=recipe.image_size, crop=recipe.crop))


def _format(table: pd.DataFrame, what: str) -> str:
    """Types down, scores across, per cent."""
    areas = 100 * table.pivot(index="held_out", columns="score", values=what)
    areas = areas.reindex(index=table["held_out"].unique(), columns=table["score"].unique())
    areas.loc["mean"] = areas.mean()
    return areas.to_string(float_format="{:.1f}".format)


def _choose_recipe(args: argparse.Namespace) -> Recipe:
    """The one of --recipe without its teachers, or the brief one, with what the other options change."""
    recipe = Recipe.from_json(args.recipe.read_text(encoding="utf-8")) if args.recipe else BRIEF
    if recipe.start:
        raise BloodError(f"{args.recipe} begins with a network that has seen every type: give another.")
    names = ("arch", "initialisation", "image_size", "n_epochs", "batch_size")
    changes = {name: value for name in names if (value := getattr(args, name)) is not None}
    return replace(recipe, **changes, teachers=(), distillation=0.0)


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser("doubt.held_out_class", __doc__)
    parser.add_argument("runs", type=Path, help="where the runs go")
    parser.add_argument(
        "--types", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help="default: all"
    )
    parser.add_argument("--per-type", type=int, help="images of each type in each split, at most; 0: all")
    parser.add_argument(
        "--references", type=int, help="reference cells of each type, at most: a bundle has 250; default: all"
    )
    parser.add_argument("--recipe", metavar="JSON", type=Path, help="of a bundle or a run, to start from")
    parser.add_argument("--epochs", type=int, dest="n_epochs")
    parser.add_argument("--image-size", type=int)
    parser.add_argument("--arch")
    parser.add_argument("--initialisation", choices=["imagenet", "random"])
    parser.add_argument("--batch-size", type=int)
    args = parser.parse_args(argv)
    recipe = _choose_recipe(args)
    per_type = (0 if args.recipe else 150) if args.per_type is None else args.per_type
    root = find_dataset(args.data)
    split, rows = _sample(load_split(root), per_type, recipe.seed), []
    for held_out in args.types:
        run = args.runs / held_out.replace(" ", "_")
        rows += measure(root, run, recipe, split, held_out, args.references)
        table = pd.DataFrame(rows)
        table.to_csv(args.runs / "held_out_class.csv", index=False, float_format="%.4f", lineterminator="\n")
    print(f"Area under the ROC curve, per cent:\n{_format(table, 'auroc')}")
    print(f"Flagged of the held-out type, per cent:\n{_format(table, 'flagged')}")


if __name__ == "__main__":
    main()
