"""Test-time augmentation: what further views of doubtful images give a bundle, beside one view of each.

    python -m benchmarks.tta DATA [--bundle DIR] [--crops 0.5 0.6 0.8] [--below 0.95] [--seed 0]

Both see the validation split of the study's dataset, as it is and in other colours (see `domain_shift`), and
the test split. Crops and limit are chosen on the validation split; the test split is only reported. Prints
how many images had further views, the errors and the mean log loss of both, how many errors were corrected
and how many were added, and the p of an exact sign test. --crops and --below try other values than the
bundle's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import binomtest

from benchmarks.domain_shift import SHIFTS, draw_views
from benchmarks.tools.options import add_bundle, build_parser
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
    """The bundle with other test-time augmentation, or none."""
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
    single: Classifier, augmented: Classifier, batches: Iterator[list[Image.Image]], target: np.ndarray
) -> dict[str, float]:
    """A row for images whose classes are target (N,): what one view and test-time augmentation give."""
    both = [(single.predict(images), augmented.predict(images)) for images in batches]
    first, second = (np.concatenate([pair[i].probs for pair in both]) for i in (0, 1))
    n_augmented = sum(int((a.features != b.features).any(axis=1).sum()) for a, b in both)
    wrong_before, wrong_after = (probs.argmax(axis=1) != target for probs in (first, second))
    corrected, added = int((wrong_before & ~wrong_after).sum()), int((wrong_after & ~wrong_before).sum())
    p = binomtest(added, corrected + added).pvalue if corrected + added else 1.0
    loss, loss_after = (-np.log(probs[np.arange(len(target)), target]).mean() for probs in (first, second))
    counts = {"n": len(target), "augmented": n_augmented}
    before = {"errors": int(wrong_before.sum()), "log_loss": float(loss)}
    after = {"errors_after": int(wrong_after.sum()), "log_loss_after": float(loss_after)}
    return {**counts, **before, **after, "corrected": corrected, "added": added, "p": float(p)}


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser("tta", __doc__)
    add_bundle(parser)
    parser.add_argument("--crops", type=float, nargs="+", help="shares of the image's shorter side")
    parser.add_argument("--below", type=float, help="confidence below which an image gets further views")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    root, split, bundle = find_dataset(args.data), load_split(args.data), load_bundle(args.bundle)
    how = bundle.preprocessing
    crops, below = args.crops or how.tta_crops, args.below or how.tta_below
    if not crops or not below:
        raise BloodError(f"{bundle.path} has no test-time augmentation: give --crops and --below.")
    network = Network.from_bundle(bundle)
    options = ((), 0.0), (crops, below)
    single, augmented = (Classifier(_change(bundle, *one), network=network) for one in options)
    splits = {name: split[split["part"] == name] for name in ("valid", "test")}
    files = {name: rows["file"].tolist() for name, rows in splits.items()}
    sets = {
        "validation split": ("valid", _load(root, files["valid"])),
        "in other colours": ("valid", _load_in_other_colours(root, files["valid"], args.seed)),
        "test split": ("test", _load(root, files["test"])),
    }
    rows = {
        name: compare(single, augmented, batches, build_targets(splits[one])[:, 0])
        for name, (one, batches) in sets.items()
    }
    table = pd.DataFrame(rows).T.astype({name: int for name in ("n", "augmented", "errors", "errors_after")})
    print(table.astype({"corrected": int, "added": int}).to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
