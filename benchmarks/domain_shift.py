"""Domain shift: how much a bundle loses when cells are seen from nearer, in other colours, or both.

    python -m benchmarks.domain_shift DATA BUNDLE [BUNDLE ...] [--seed 0]

Meant for choosing between bundles, so it uses neither an external test set nor the test split. Each bundle
sees the validation split of the study's dataset: as it is; from near (a cell fills the view, as in most other
collections); stained and lit otherwise; and all of that at once, blurred. The views are the same for all.
Prints the errors, the balanced accuracy in per cent and the mean log loss, calibrated as the bundle is.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import log_softmax

from benchmarks.tools.options import build_parser
from blood_lib.bundle import load_bundle
from blood_lib.inference.network import Network
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.train.augmentation import Augmentation, augment
from blood_lib.study.train.loaders import build_targets, load_views

__all__ = ["SHIFTS", "draw_views", "load_sets", "main", "score"]

_FRAME = 256  # px
_NEAR = {"zoom": (0.25, 0.45), "share_near": 0.0}
_NOT_NEAR = {"near": 1.0, "share_near": 1.0}
_COLOURS = {
    "stain_probability": 1.0,
    "stain_gain": 0.5,
    "stain_mixing": 0.2,
    "gamma": 0.4,
    "white_balance": 0.3,
    "desaturate": 1.0,
}
_SAME_COLOURS = {"stain_probability": 0.0}
_SHARP = {"blur_probability": 0.0, "coarse_probability": 0.0, "noise_probability": 0.0}

SHIFTS = {
    "from near": Augmentation(**_NEAR, **_SAME_COLOURS, **_SHARP),
    "other colours": Augmentation(**_NOT_NEAR, **_COLOURS, **_SHARP),
    "both, and blurred": Augmentation(**_NEAR, **_COLOURS, blur_probability=1.0),
}


@torch.no_grad()
def draw_views(frames: np.ndarray, a: Augmentation, *, size: int, crop: float, seed: int) -> np.ndarray:
    """Frames (N, H, H, 3) uint8 -> views (N, size, size, 3) uint8, changed at random within `a`."""
    torch.manual_seed(seed)
    batches = torch.from_numpy(frames).permute(0, 3, 1, 2).split(64)
    views = torch.cat([augment(batch.float() / 255, size, crop, a) for batch in batches])
    return (255 * views).round().byte().permute(0, 2, 3, 1).numpy()


def load_sets(
    root: Path, files: Sequence[str], shifts: Mapping[str, Augmentation], *, size: int, crop: float, seed: int
) -> dict[str, np.ndarray]:
    """Name -> views (N, size, size, 3) uint8 of `files`, which are in `root`: as they are, and changed by
    each of `shifts`.
    """
    frames = load_views(root, files, size=_FRAME, crop=1.0)
    changed = {name: draw_views(frames, a, size=size, crop=crop, seed=seed) for name, a in shifts.items()}
    return {"as they are": load_views(root, files, size=size, crop=crop), **changed}


def score(logits: np.ndarray, target: np.ndarray, temperature: float) -> dict[str, float]:
    """Errors, balanced accuracy in per cent, and mean log loss, of logits (N, C)."""
    right = logits.argmax(axis=1) == target
    log_probs = log_softmax(logits / temperature, axis=1)[np.arange(len(target)), target]
    balanced = np.mean([right[target == c].mean() for c in np.unique(target)])
    return {"errors": int((~right).sum()), "balanced": 100 * balanced, "log_loss": -log_probs.mean()}


def compare(bundles: Sequence[Path], root: Path, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row per bundle and set of views of `rows` of the split, whose files are in `root`."""
    files, target = rows["file"].tolist(), build_targets(rows)[:, 0]
    found = []
    for path in bundles:
        bundle = load_bundle(path)
        network, how = Network.from_bundle(bundle), bundle.preprocessing
        sets = load_sets(root, files, SHIFTS, size=how.image_size, crop=how.crop, seed=seed)
        for name, views in sets.items():
            logits, _, _ = network(views)
            found.append({"bundle": str(path), "seen": name, **score(logits, target, bundle.temperature)})
    return pd.DataFrame(found)


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser("domain_shift", __doc__)
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    split = load_split(args.data)
    rows = split[split["part"] == "valid"]
    found = compare(args.bundles, find_dataset(args.data), rows, args.seed)
    print(f"{len(rows):,} images of the validation split")
    print(found.to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
