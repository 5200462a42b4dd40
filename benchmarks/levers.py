"""What each lever gives elsewhere and takes at home: small networks that differ in one thing at a time.

    python -m benchmarks.levers DATA RUNS [--elsewhere DIR] [--only NAME ...] [--seeds 0 1]

Trains by a brief recipe with little changed (pose alone), and with all that the shipped model's recipe
changes; then each lever by itself is added to little, and taken from all or, where the shipped recipe does
without it, added. Shows the validation part to each network: as it is, and changed in one way or another (the
same views to all). Prints the balanced error there, in per cent; beside it, only to report, that of the
laboratory elsewhere, the answers forced to be one of the types of which it has ten images. A second table has
the normalisation of the first two networks adapted to the images that are uploaded together, of all types or
of one at a time. RUNS/levers.csv has errors and log losses, too. Runs are resumed when the command is given
again; with --only, names can be trained side by side, for a last call without it to show them all.
"""

import argparse
import copy
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import log_softmax
from torch import nn

from benchmarks.leave_one_out import BRIEF
from benchmarks.shifts import SHIFTS, draw_views
from blood_lib import BloodError
from blood_lib.bundle import load_bundle
from blood_lib.study.architectures import CellNetwork
from blood_lib.study.augmentation import Augmentation
from blood_lib.study.cells import class_infos
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.labelled import find_labelled
from blood_lib.study.loaders import load_views, normalise
from blood_lib.study.recipe import Recipe
from blood_lib.study.training import CLASS_INDEX, build_targets, load_network, train

__all__ = ["adapt_norms", "build_recipes", "compare", "main", "score"]

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
_FRAME = 256  # px
_UPLOAD = 100  # images, at most
_FEWEST = 10  # images of a type, for it to count elsewhere
_SHARES = (0.5, 1.0)  # of the upload's statistics in those that normalise
_NOT_ADAPTED = ("from near", "blurred", "noisy", "JPEG")


def build_recipes(base: Recipe, strong: Augmentation) -> dict[str, Recipe]:
    """Name -> recipe: `base` with little or all of `strong` changed, and with one lever moved."""
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


def adapt_norms(network: CellNetwork, share: float) -> CellNetwork:
    """A copy of `network` whose batch norms see mean and variance of the batch at hand for `share` of their
    own; it remembers none (Schneider et al. 2020, arXiv:2006.16971, section 3).
    """
    adapted = copy.deepcopy(network).eval()
    for module in adapted.modules():
        if isinstance(module, nn.BatchNorm2d):
            own = module.running_mean.clone(), module.running_var.clone()
            module.register_forward_pre_hook(lambda norm, seen, own=own: _mix(norm, seen[0], own, share))
    return adapted


def _mix(
    norm: nn.BatchNorm2d, seen: torch.Tensor, own: tuple[torch.Tensor, torch.Tensor], share: float
) -> None:
    variance, mean = torch.var_mean(seen, (0, 2, 3), correction=0)
    norm.running_mean, norm.running_var = (
        torch.lerp(mine, its, share) for mine, its in zip(own, (mean, variance), strict=True)
    )


def _deal(target: np.ndarray, *, sort: bool) -> list[np.ndarray]:
    """Indices of `target` (N,) in uploads of at most _UPLOAD images: of all types or, sorted, of one each."""
    order = np.random.default_rng(0).permutation(len(target))
    piles = [order[target[order] == c] for c in np.unique(target)] if sort else [order]
    return [part for pile in piles for part in np.array_split(pile, -(-len(pile) // _UPLOAD))]


@torch.no_grad()
def _predict(network: CellNetwork, views: np.ndarray, uploads: Sequence[np.ndarray]) -> np.ndarray:
    """Logits (N, C) of views (N, S, S, 3) uint8, which come in these uploads."""
    logits = np.empty((len(views), len(CLASS_INDEX)), np.float32)
    for rows in uploads:
        x = torch.from_numpy(views[rows]).permute(0, 3, 1, 2).float() / 255
        logits[rows] = network(normalise(x)).numpy()
    return logits


def score(logits: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Error and balanced error in per cent, and log loss, of logits (N, C), where an answer is one of the
    types of `target` (N,).
    """
    among, place = np.unique(target, return_inverse=True)
    wrong = logits[:, among].argmax(axis=1) != place
    balanced = np.mean([wrong[place == i].mean() for i in range(len(among))])
    log_loss = -log_softmax(logits[:, among], axis=1)[np.arange(len(place)), place].mean()
    return {"error": 100 * wrong.mean(), "balanced_error": 100 * balanced, "log_loss": log_loss}


def _load_sets(root: Path, split: pd.DataFrame, elsewhere: Path | None, recipe: Recipe) -> Sets:
    rows = split[split["part"] == "valid"]
    files, target = rows["file"].tolist(), build_targets(rows)[:, 0]
    seen = {"size": recipe.image_size, "crop": recipe.crop}
    frames = load_views(root, files, size=_FRAME, crop=1.0)
    sets = {"as they are": (load_views(root, files, **seen), target)}
    sets |= {name: (draw_views(frames, a, **seen, seed=0), target) for name, a in _SEEN.items()}
    if elsewhere is not None:
        rows = find_labelled(elsewhere, class_infos())
        rows = rows[rows.groupby("cell_type")["file"].transform("size") >= _FEWEST]
        views = load_views(elsewhere, rows["file"].tolist(), **seen)
        sets[elsewhere.name] = views, rows["cell_type"].map(CLASS_INDEX).to_numpy()
    return sets


def compare(
    network: CellNetwork, sets: Sets, *, share: float = 0.0, one_type: bool = False
) -> list[dict[str, object]]:
    """A row for each of `sets`, its images uploaded together or, with `one_type`, those of each type by
    themselves, and the network's norms adapted by `share` of the upload's statistics.
    """
    adapted, rows = adapt_norms(network, share) if share else network, []
    for name, (views, target) in sets.items():
        logits = _predict(adapted, views, _deal(target, sort=one_type))
        how = {"share": share, "upload": "one type" if one_type else "all types", "seen": name}
        rows.append({**how, "n": len(target), **score(logits, target)})
    return rows


def _compare_adapted(network: CellNetwork, sets: Sets) -> list[dict[str, object]]:
    """The same for each share and way of uploading; of the sets that say most, for it takes its time."""
    some = {name: sets[name] for name in sets if name not in _NOT_ADAPTED}
    ways = product(_SHARES, (False, True))
    return [row for share, one in ways for row in compare(network, some, share=share, one_type=one)]


def _format(table: pd.DataFrame, index: Sequence[str]) -> str:
    """Balanced errors in per cent: a column per set of images."""
    wide = table.set_index([*index, "seen"])["balanced_error"].unstack(sort=False)
    return wide.rename_axis(columns=None).to_string(float_format="{:.1f}".format)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.levers", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the dataset's folder")
    parser.add_argument("runs", type=Path, help="where the runs go")
    parser.add_argument("--elsewhere", type=Path, metavar="DIR", help="other images, a folder per type")
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
    sets = _load_sets(root, split, args.elsewhere, base)
    for name, seed in product(names, args.seeds):
        run = args.runs / f"{re.sub('[^a-z0-9+-]+', '-', name)}-{seed}"
        print(name, seed)
        train(root, run, replace(recipes[name], seed=seed), split=split)
        network, _ = load_network(run)
        found = compare(network, sets) + (_compare_adapted(network, sets) if name in (LITTLE, ALL) else [])
        rows += [{"network": name, "seed": seed, **row} for row in found]
    table = pd.DataFrame(rows)
    table.to_csv(args.runs / "levers.csv", index=False, float_format="%.4f", lineterminator="\n")
    print("Balanced error, per cent")
    print(_format(table[table["share"] == 0], ["network", "seed"]))
    adapted = table[table["network"].isin([LITTLE, ALL]) & ~table["seen"].isin(_NOT_ADAPTED)]
    if not adapted.empty:
        print("Batch norms adapted to what is uploaded together, and how large its share is")
        print(_format(adapted, ["network", "seed", "share", "upload"]))


if __name__ == "__main__":
    main()
