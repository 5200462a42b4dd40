"""How far a bundle's errors rise on corrupted images, beside AlexNet's: MedMNIST-C on full-size images.

    python -m benchmarks.corruption DATA [--bundle DIR] [--max-images N] [--out FILE.csv]

Prints the balanced error, in per cent, on the test split under each of eleven corruptions at five severities,
and as in arXiv:2406.17536 each corruption's mean error divided by AlexNet's (BE) and the mean of those, where
less than 1 is better than AlexNet; and the same for what is added to the error on clean images (rBE).

Theirs are the middle 200 px of a frame, made 224 px, corrupted, and shown whole to AlexNet. Here the frame is
enlarged as much and corrupted, so a cell suffers the same, and goes through the bundle like any image. The
test images are other ones than theirs (their split, with duplicates, is not ours), which no ratio can mend.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from benchmarks.tools.corruptions import CORRUPTIONS, N_SEVERITIES, SIDE, Corruption
from benchmarks.tools.options import add_bundle, build_parser
from blood_lib.bundle import load_bundle
from blood_lib.images import crop_and_resize
from blood_lib.inference import count_cores
from blood_lib.inference.network import Network
from blood_lib.study.data.index import find_dataset, load_usable_image
from blood_lib.study.data.split import load_split

__all__ = ["balanced_error", "compute_ratios", "main"]

CUT = 200  # px of a frame that MedMNIST makes SIDE px wide
N_RESAMPLES = 1000

# AlexNet's balanced errors on BloodMNIST-C, means over severities: `medmnistc` 0.1.0, utils/baselines.py.
ALEXNET_CLEAN = 0.018369
ALEXNET = {
    "pixelate": 0.059756,
    "jpeg_compression": 0.139762,
    "defocus_blur": 0.223998,
    "motion_blur": 0.184519,
    "brightness_up": 0.069463,
    "brightness_down": 0.079008,
    "contrast_up": 0.052154,
    "contrast_down": 0.079661,
    "saturate": 0.034786,
    "stain_deposit": 0.185361,
    "bubble": 0.128988,
}


def balanced_error(wrong: np.ndarray, target: np.ndarray) -> np.ndarray:
    """1 - balanced accuracy of each row of `wrong` (..., N), for the classes `target` (N,) there are."""
    return np.mean([wrong[..., target == c].mean(axis=-1) for c in np.unique(target)], axis=0)


def compute_ratios(clean: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """BE and rBE of each corruption (11,), from errors (11, 5) in the order of CORRUPTIONS and `clean`."""
    alexnet = np.array([ALEXNET[name] for name in CORRUPTIONS])
    means = errors.mean(axis=1)
    return means / alexnet, (means - clean) / (alexnet - ALEXNET_CLEAN)


def _load_frames(root: Path, files: Sequence[str]) -> list[Image.Image]:
    """Whole frames, enlarged so that CUT px become SIDE."""
    frames = []
    for file in files:
        image = load_usable_image(root / file)
        size = [round(side * SIDE / CUT) for side in image.size]
        frames.append(image.resize(size, Image.Resampling.BICUBIC))
    return frames


class Judge:
    """Which of the frames a bundle names wrongly, corrupted or not."""

    def __init__(self, network: Network, frames: Sequence[Image.Image], target: np.ndarray, **view) -> None:
        self.network, self.frames, self.target, self.view = network, frames, target, view

    def find_errors(self, corrupt: Corruption | None = None, severity: int = 0) -> np.ndarray:
        """(N,) bool. Each frame has its own random numbers, the same at every call."""

        def prepare(i: int) -> np.ndarray:
            image = self.frames[i]
            if corrupt is not None:
                image = corrupt(image, severity, np.random.default_rng([i, severity]))
            return np.asarray(crop_and_resize(image, **self.view))

        with ThreadPoolExecutor(count_cores()) as pool:
            views = np.stack(list(pool.map(prepare, range(len(self.frames)))))
        return self.network(views)[0].argmax(axis=1) != self.target

    def find_all_errors(self) -> np.ndarray:
        """(11, 5, N) bool, in the order of CORRUPTIONS."""
        steps = [(corrupt, severity) for corrupt in CORRUPTIONS.values() for severity in range(N_SEVERITIES)]
        wrong = [self.find_errors(*step) for step in tqdm(steps, "Corrupting", disable=None)]
        return np.reshape(wrong, (len(CORRUPTIONS), N_SEVERITIES, -1))


def _resample(clean: np.ndarray, wrong: np.ndarray, target: np.ndarray) -> Iterator[tuple[float, float]]:
    """BE and rBE over images drawn anew within each class, so that none vanishes."""
    rng, members = np.random.default_rng(0), [np.flatnonzero(target == c) for c in np.unique(target)]
    for _ in range(N_RESAMPLES):
        at = np.concatenate([rng.choice(m, len(m)) for m in members])
        errors = (balanced_error(w[..., at], target[at]) for w in (clean, wrong))
        yield tuple(ratios.mean() for ratios in compute_ratios(*errors))


def _tabulate(errors: np.ndarray, ratios: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    """A row per corruption: an error per severity, their mean, AlexNet's, BE and rBE."""
    table = pd.DataFrame(errors, index=list(CORRUPTIONS), columns=range(1, N_SEVERITIES + 1))
    alexnet = [ALEXNET[name] for name in CORRUPTIONS]
    return table.assign(mean=errors.mean(axis=1), alexnet=alexnet, BE=ratios[0], rBE=ratios[1])


def _report(clean: np.ndarray, wrong: np.ndarray, target: np.ndarray) -> tuple[pd.DataFrame, str]:
    """The table, and the sentences below it."""
    before, errors = balanced_error(clean, target), balanced_error(wrong, target)
    ratios = compute_ratios(before, errors)
    ends = np.quantile(list(_resample(clean, wrong, target)), [0.025, 0.975], axis=0).T
    lines = [f"clean: {before:.2%} (AlexNet {ALEXNET_CLEAN:.2%}), n = {len(target):,} images, each condition"]
    for name, ratio, (low, high) in zip(("BE", "rBE"), ratios, ends, strict=True):
        lines.append(f"mean {name}: {ratio.mean():.3f} (95 % interval {low:.3f} to {high:.3f}); AlexNet is 1")
    return _tabulate(errors, ratios), "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser("corruption", __doc__)
    add_bundle(parser)
    parser.add_argument("--max-images", type=int, help="of the test split, for a quick run")
    parser.add_argument("--out", type=Path, help="a CSV file for the table")
    args = parser.parse_args(argv)
    root, bundle = find_dataset(args.data), load_bundle(args.bundle)
    split = load_split(root)
    known = (split["part"] == "test") & split["cell_type"].isin(bundle.names)
    rows = split[known].sample(frac=1, random_state=0)[: args.max_images]
    target = rows["cell_type"].map(bundle.names.index).to_numpy()
    view = {"image_size": bundle.preprocessing.image_size, "crop": bundle.preprocessing.crop}
    judge = Judge(Network.from_bundle(bundle), _load_frames(root, rows["file"]), target, **view)
    table, summary = _report(judge.find_errors(), judge.find_all_errors(), target)
    if args.out:
        table.to_csv(args.out, index_label="corruption", lineterminator="\n", float_format="%.5f")
    shares = table.columns[: N_SEVERITIES + 2]
    per_cent = {name: "{:.2%}".format for name in shares}
    print(table.to_string(formatters=per_cent, float_format="{:.2f}".format), summary, sep="\n\n")


if __name__ == "__main__":
    main()
