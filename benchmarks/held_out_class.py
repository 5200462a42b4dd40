"""How well each score tells cells of a type that the network has never seen: one type left out in turn.

    python -m benchmarks.leave_one_out DATA RUNS [--types NAME ...] [--per-type 150] [--epochs 3]
    python -m benchmarks.leave_one_out DATA RUNS --recipe BUNDLE/recipe.json

For each type a network is trained on the others, briefly and on few images, or by the recipe of a bundle but
for its teachers, who have seen every type; it is served as a bundle's would be. A network that hardly knows
the others tells nothing of a stranger: read its accuracy, which each epoch prints, first. Prints, and keeps
in RUNS/leave_one_out.csv, the area under the ROC curve of each score between known cells of the test split and
all cells of the type left out, with its 95 % interval, and the share of the latter that are flagged where
0.5 % of the validation split is.
Runs are resumed when the command is given again. How strange photographs are is for `unfamiliar`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from benchmarks.scores import Outputs, fit_scores, run_network
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


def compute_auroc(known: np.ndarray, strange: np.ndarray) -> tuple[float, float, float]:
    """How often a strange image scores higher than a known one, ties counted half, and its 95 % interval
    (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837).
    """
    n, m = len(known), len(strange)
    ranks = rankdata(np.concatenate([known, strange]))
    below = (ranks[n:] - rankdata(strange)) / n  # for each strange image, the share of known ones below it
    above = 1 - (ranks[:n] - rankdata(known)) / m
    area = float(below.mean())
    reach = norm.ppf(0.975) * np.sqrt(below.var(ddof=1) / m + above.var(ddof=1) / n)
    return area, max(0.0, area - reach), min(1.0, area + reach)


def share_flagged(valid: np.ndarray, strange: np.ndarray) -> float:
    """The share of strange images that score above the threshold that the scores `valid` (N,) set."""
    return float((strange > choose_ood_threshold(valid)).mean())


def _sample(split: pd.DataFrame, per_type: int, seed: int) -> pd.DataFrame:
    """At most `per_type` images of each cell type in each part; 0: all."""
    if not per_type:
        return split
    groups = split["part"] + " " + split["cell_type"]
    return split.iloc[sample_per_class(groups.to_numpy(), per_type, seed)].reset_index(drop=True)


def measure(
    root: Path, run: Path, recipe: Recipe, split: pd.DataFrame, left_out: str, references: int | None = None
) -> list[dict[str, object]]:
    """A row per score: trains on all of `split` but the type `left_out`, or goes on with such a run.

    references: at most so many cells of each type stand for what is known; all of the training split by
    default.
    """
    is_known = split["cell_type"] != left_out
    train(root, run, recipe, split=split[is_known].reset_index(drop=True))
    served = compile_network(*load_network(run))
    known = {part: split[is_known & (split["part"] == part)] for part in ("train", "valid", "test")}
    outputs = {part: _run(served, root, rows, recipe) for part, rows in known.items()}
    target = known["train"]["cell_type"].map(CLASS_INDEX).to_numpy()
    chosen = sample_per_class(target, references or len(target), recipe.seed)
    features = outputs["train"].features
    atlas = Atlas.fit(features[chosen], target[chosen], known=features, random_state=recipe.seed)
    strange = _run(served, root, split[~is_known], recipe)
    rows = []
    for name, score in fit_scores(atlas, outputs["valid"], 1.0).items():
        scored = score(strange)
        area, low, high = compute_auroc(score(outputs["test"]), scored)
        flagged = share_flagged(score(outputs["valid"]), scored)
        counts = {"n_known": len(known["test"]), "n_left_out": len(scored)}
        figures = {"auroc": area, "low": low, "high": high, "flagged": flagged}
        rows.append({"left_out": left_out, "score": name, **counts, **figures})
    return rows


def _run(network: Network, root: Path, rows: pd.DataFrame, recipe: Recipe) -> Outputs:
    files = rows["file"].tolist()
    return run_network(network, load_views(root, files, size=recipe.image_size, crop=recipe.crop))


def _format(table: pd.DataFrame, what: str) -> str:
    """Types down, scores across, per cent."""
    areas = 100 * table.pivot(index="left_out", columns="score", values=what)
    areas = areas.reindex(index=table["left_out"].unique(), columns=table["score"].unique())
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
    about = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leave_one_out", description=about)
    parser.add_argument("data", type=Path, help="the dataset's folder")
    parser.add_argument("runs", type=Path, help="where the runs go")
    parser.add_argument(
        "--types", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help="default: all"
    )
    parser.add_argument("--per-type", type=int, help="images of each type in each part, at most; 0: all")
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
    for left_out in args.types:
        run = args.runs / left_out.replace(" ", "_")
        rows += measure(root, run, recipe, split, left_out, args.references)
        table = pd.DataFrame(rows)
        table.to_csv(args.runs / "leave_one_out.csv", index=False, float_format="%.4f", lineterminator="\n")
    print(f"Area under the ROC curve, per cent:\n{_format(table, 'auroc')}")
    print(f"Flagged of the type left out, per cent:\n{_format(table, 'flagged')}")


if __name__ == "__main__":
    main()
