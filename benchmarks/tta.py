"""What a second look is worth: a bundle that looks again where it is in doubt, beside itself looking once.

    python -m benchmarks.looks DATA [--bundle DIR] [--crops 0.5 0.6 0.8] [--below 0.95] [--seed 0]

Shows both the validation split of the study's dataset, as it is and stained and lit otherwise (as in
`shifts`), and the test split; that is for reporting alone, views and limit are chosen on the others. Prints
how many images are looked at again, the errors and the mean log loss with one look and with both, how many
errors are mended and made, and the exact sign test's p of that. --crops and --below try other ones than the
bundle's.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import binomtest

from benchmarks.domain_shift import SHIFTS, draw_views
from blood_lib.bundle import Bundle, load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.images import load_image
from blood_lib.inference import Classifier
from blood_lib.inference.network import Network
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.train.loaders import build_targets, load_views

__all__ = ["compare", "main"]

_FRAME = 360  # px, as the dataset's images
_BATCH = 128  # images


def _change(bundle: Bundle, crops: Sequence[float], below: float) -> Bundle:
    """The bundle with another second look, or none."""
    how = replace(bundle.preprocessing, tta_crops=tuple(crops), tta_below=below)
    return bundle.change(files={}, preprocessing=how)


def _load(root: Path, files: Sequence[str]) -> Iterator[list[Image.Image]]:
    for start in range(0, len(files), _BATCH):
        yield [load_image(root / file) for file in files[start : start + _BATCH]]


def _load_in_other_colours(root: Path, files: Sequence[str], seed: int) -> Iterator[list[Image.Image]]:
    for start in range(0, len(files), _BATCH):
        frames = load_views(root, files[start : start + _BATCH], size=_FRAME, crop=1.0)
        how = {"size": _FRAME, "crop": 1.0, "seed": seed + start}
        yield [Image.fromarray(view) for view in draw_views(frames, SHIFTS["other colours"], **how)]


def compare(
    once: Classifier, twice: Classifier, batches: Iterator[list[Image.Image]], target: np.ndarray
) -> dict[str, float]:
    """A row for images whose classes are target (N,): what `once` and `twice` make of them."""
    both = [(once.predict(images), twice.predict(images)) for images in batches]
    first, second = (np.concatenate([pair[i].probs for pair in both]) for i in (0, 1))
    again = sum(int((a.features != b.features).any(axis=1).sum()) for a, b in both)
    wrong_before, wrong_after = (probs.argmax(axis=1) != target for probs in (first, second))
    mended, made = int((wrong_before & ~wrong_after).sum()), int((wrong_after & ~wrong_before).sum())
    p = binomtest(made, mended + made).pvalue if mended + made else 1.0
    loss, loss_after = (-np.log(probs[np.arange(len(target)), target]).mean() for probs in (first, second))
    counts = {"n": len(target), "again": again, "errors": int(wrong_before.sum()), "log_loss": float(loss)}
    after = {"errors_after": int(wrong_after.sum()), "log_loss_after": float(loss_after)}
    return {**counts, **after, "mended": mended, "made": made, "p": float(p)}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looks", description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the dataset's folder")
    parser.add_argument("--bundle", type=Path, help="default: the bundle that ships")
    parser.add_argument("--crops", type=float, nargs="+", help="shares of the image's shorter side")
    parser.add_argument("--below", type=float, help="confidence below which it looks again")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    root, split, bundle = find_dataset(args.data), load_split(args.data), load_bundle(args.bundle)
    how = bundle.preprocessing
    crops, below = args.crops or how.tta_crops, args.below or how.tta_below
    if not crops or not below:
        raise BloodError(f"{bundle.path} looks once: give --crops and --below.")
    network = Network.from_bundle(bundle)
    once, twice = (
        Classifier(_change(bundle, *look), network=network) for look in (((), 0.0), (crops, below))
    )
    parts = {part: split[split["part"] == part] for part in ("valid", "test")}
    files = {part: rows["file"].tolist() for part, rows in parts.items()}
    sets = {
        "validation split": ("valid", _load(root, files["valid"])),
        "in other colours": ("valid", _load_in_other_colours(root, files["valid"], args.seed)),
        "test split": ("test", _load(root, files["test"])),
    }
    rows = {
        name: compare(once, twice, batches, build_targets(parts[part])[:, 0])
        for name, (part, batches) in sets.items()
    }
    table = pd.DataFrame(rows).T.astype({name: int for name in ("n", "again", "errors", "errors_after")})
    print(table.astype({"mended": int, "made": int}).to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
