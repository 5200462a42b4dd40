"""Ablation: small networks that differ in one part of the training, on the validation split and elsewhere.

    python -m benchmarks.ablation DATA RUNS [--external DIR] [--only NAME ...] [--seeds 0 1]

Two networks are the ends: one trained with poses alone as augmentation ("little"), one with all that the
shipped model's recipe has ("all"). Each component is added to little and taken from all, one at a time; what
the shipped recipe does without is added to both. Every network sees the validation split as it is, and
shifted in one way or another; the views are the same for all networks.

Prints the balanced error in per cent. With --external it also reports that of an external test set; there
the answer is forced to be one of the types with at least ten images. RUNS/ablation.csv has balanced
accuracies, errors and log losses. Given again, the command goes on with its runs. With --only, networks can
be trained side by side; a last call without it shows them all. What the statistics of an upload do to trained
networks is for `batchnorm_adaptation`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.domain_shift import SHIFTS, load_sets, score
from benchmarks.doubt.held_out_class import BRIEF
from benchmarks.tools.options import build_parser
from blood_lib.bundle import load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.study.cells import class_infos
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.evaluate.labelled import find_labelled
from blood_lib.study.train.architectures import CellNetwork
from blood_lib.study.train.augmentation import Augmentation
from blood_lib.study.train.loaders import CLASS_INDEX, build_targets, load_views, normalise
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import train

__all__ = ["Sets", "build_recipes", "cut", "format_errors", "load_all", "main", "predict", "score_among"]

Sets = dict[str, tuple[np.ndarray, np.ndarray]]  # name -> views (N, S, S, 3) uint8 and class indices (N,)

LITTLE, ALL = "little", "all"
_OFF = {
    "stain_probability": 0.0,
    "blur_probability": 0.0,
    "coarse_probability": 0.0,
    "noise_probability": 0.0,
}
_POSE = Augmentation(share_near=1.0, **_OFF)
_CLEAN = Augmentation(near=1.0, share_near=1.0, **_OFF)
_GROUPS = {
    "scale": ("zoom", "near", "share_near", "shift", "stretch"),
    "stain and colour": (
        "stain_probability", "stain_gain", "stain_mixing", "gamma", "white_balance", "desaturate"
    ),
    "blur": ("blur_probability", "blur_sigma", "coarse_probability"),
    "noise": ("noise_probability", "noise_sigma"),
}  # fmt: skip
_CHANGES = {
    "batch norms frozen": {"fold_batch_norms": True, "norm_momentum": 0.0},
    "weights not averaged": {"ema_decay": 0.0},
}
_SEEN = SHIFTS | {
    "blurred": replace(_CLEAN, blur_probability=1.0),
    "noisy": replace(_CLEAN, noise_probability=1.0, noise_sigma=0.15),
    "JPEG": replace(_CLEAN, jpeg_probability=1.0, jpeg_quality=(5, 20)),
}
_FEWEST = 10  # images of a type in the external test set, for it to count


def build_recipes(base: Recipe, strong: Augmentation) -> dict[str, Recipe]:
    """Name -> recipe: `base` with little or all of `strong`, and with one component changed."""
    little, much = (replace(base, augmentation=a) for a in (_POSE, strong))
    recipes = {LITTLE: little, ALL: much}
    for name, fields in _GROUPS.items():
        recipes[f"{LITTLE} + {name}"] = _take(fields, little, much)
        recipes[f"{ALL} - {name}"] = _take(fields, much, little)
    for of, recipe in ((LITTLE, little), (ALL, much)):
        recipes[f"{of} + JPEG"] = replace(
            recipe, augmentation=replace(recipe.augmentation, jpeg_probability=0.5)
        )
        recipes |= {f"{of}, {name}": replace(recipe, **changes) for name, changes in _CHANGES.items()}
    return recipes


def _take(fields: Sequence[str], to: Recipe, of: Recipe) -> Recipe:
    """`to` with these fields of the augmentation `of`."""
    taken = {name: getattr(of.augmentation, name) for name in fields}
    return replace(to, augmentation=replace(to.augmentation, **taken))


def cut(rows: np.ndarray, most: int = 100) -> list[np.ndarray]:
    """`rows` (N,) in parts of at most `most`, as even as can be."""
    return np.array_split(rows, -(-len(rows) // most))


@torch.no_grad()
def predict(network: CellNetwork, views: np.ndarray, uploads: Sequence[np.ndarray]) -> np.ndarray:
    """Logits (N, C) of views (N, S, S, 3) uint8; what is uploaded together, each (n,) indices of them, goes
    through the network at once.
    """
    logits = np.empty((len(views), len(CLASS_INDEX)), np.float32)
    for rows in uploads:
        x = torch.from_numpy(views[rows]).permute(0, 3, 1, 2).float() / 255
        logits[rows] = network(normalise(x)).numpy()
    return logits


def score_among(logits: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """`domain_shift.score` of logits (N, C), where an answer is one of the types of `target` (N,)."""
    among, place = np.unique(target, return_inverse=True)
    return score(logits[:, among], place, 1.0)


def load_all(
    root: Path,
    split: pd.DataFrame,
    external: Path | None,
    shifts: Mapping[str, Augmentation],
    *,
    size: int,
    crop: float,
) -> Sets:
    """The validation split as it is and changed by each of `shifts`; and the external test set.

    external: a folder per type; types with fewer than _FEWEST images are left out. size, crop: as in
    `load_views`.
    """
    rows = split[split["part"] == "valid"]
    target = build_targets(rows)[:, 0]
    views = load_sets(root, rows["file"].tolist(), shifts, size=size, crop=crop, seed=0)
    sets = {name: (one, target) for name, one in views.items()}
    if external is not None:
        rows = find_labelled(external, class_infos())
        rows = rows[rows.groupby("cell_type")["file"].transform("size") >= _FEWEST]
        other = load_views(external, rows["file"].tolist(), size=size, crop=crop)
        sets[external.name] = other, rows["cell_type"].map(CLASS_INDEX).to_numpy()
    return sets


def format_errors(table: pd.DataFrame, index: Sequence[str]) -> str:
    """Balanced errors in per cent: a column per set of images."""
    wide = 100 - table.set_index([*index, "seen"])["balanced"].unstack(sort=False)
    return wide.rename_axis(columns=None).to_string(float_format="{:.1f}".format)


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser("ablation", __doc__)
    parser.add_argument("runs", type=Path, help="where the runs go")
    parser.add_argument(
        "--external", type=Path, metavar="DIR", help="an external test set, a folder per type"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--image-size", type=int, default=64)
    args = parser.parse_args(argv)
    base = replace(BRIEF, n_epochs=args.epochs, image_size=args.image_size)
    shipped = Recipe.from_json(load_bundle().read("recipe.json").decode())
    recipes = build_recipes(base, shipped.augmentation)
    names = args.only or list(recipes)
    if unknown := set(names) - set(recipes):
        raise BloodError(f"There is no {', '.join(sorted(unknown))}; choose from {'; '.join(recipes)}.")
    root, split, rows = find_dataset(args.data), load_split(args.data), []
    sets = load_all(root, split, args.external, _SEEN, size=base.image_size, crop=base.crop)
    for name, seed in product(names, args.seeds):
        run = args.runs / f"{re.sub('[^A-Za-z0-9+-]+', '-', name)}-{seed}"
        print(name, seed)
        train(root, run, replace(recipes[name], seed=seed), split=split)
        network, _ = load_network(run)
        for seen, (views, target) in sets.items():
            figures = score_among(predict(network, views, cut(np.arange(len(views)))), target)
            rows.append({"network": name, "seed": seed, "seen": seen, "n": len(target), **figures})
    table = pd.DataFrame(rows)
    table.to_csv(args.runs / "ablation.csv", index=False, float_format="%.4f", lineterminator="\n")
    print(f"Balanced error, per cent:\n{format_errors(table, ['network', 'seed'])}")


if __name__ == "__main__":
    main()
