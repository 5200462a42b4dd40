"""Adaptation: how good an adapted bundle is on an external test set and in-domain, by the number of labels.

    python -m benchmarks.adapt DATA [--bundle DIR] [--draws 10] [--n 10 25 50 100]

DATA holds BCCD_cropped (external: a folder per class) and PBC_dataset_normal_DIB (in-domain). For each number
of labelled cells it draws that many external cells at random, adapts, and scores the other external cells and
the in-domain test split. It prints mean and standard deviation over the draws. At last it times `blood adapt`
for the largest number.
"""

import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tools.options import add_bundle, build_parser
from blood_lib.images import load_image
from blood_lib.inference import Classifier, count_cores
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.evaluate.labelled import find_labelled

__all__ = ["main"]

_COLUMNS = (
    "external",
    "external_balanced",
    "external_ok",
    "right_of_ok",
    "left_out",
    "in_domain",
    "in_domain_ok",
    "seconds",
)


def _score(classifier: Classifier, features: np.ndarray, target: np.ndarray) -> tuple[float, ...]:
    """Accuracy, balanced accuracy, share of `ok`, accuracy of those."""
    probs, _, status = classifier.predict_features(features)
    right, ok = probs.argmax(axis=1) == target, np.array(status) == "ok"
    recalls = [right[target == c].mean() for c in np.unique(target)]
    return right.mean(), float(np.mean(recalls)), ok.mean(), right[ok].mean() if ok.any() else np.nan


def _describe_in_domain(classifier: Classifier, root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features and classes of the in-domain test split."""
    split = load_split(root)
    rows = split[split["part"] == "test"]
    folder = find_dataset(root)
    files = ((file, (folder / file).read_bytes()) for file in rows["file"])
    features = np.stack([result.features for result in classifier.classify(files, kind="cells")])
    return features, rows["cell_type"].map(classifier.class_names.index).to_numpy()


def _try(classifier: Classifier, external: tuple, in_domain: tuple, n: int, seed: int) -> tuple[float, ...]:
    """One draw of n labelled cells; a value for each of _COLUMNS."""
    features, target = external
    order = np.random.default_rng(seed).permutation(len(target))
    mine, rest = order[:n], order[n:]
    started = time.perf_counter()
    adapted = classifier.adapt_features(features[mine], [classifier.class_names[i] for i in target[mine]])
    seconds = time.perf_counter() - started
    scored = _score(adapted, *in_domain)
    left_out = adapted.bundle.card["metrics"][0]["value"]
    return *_score(adapted, features[rest, 0], target[rest]), left_out, scored[0], scored[2], seconds


def _time_command(bundle: Path, folder: Path, table: pd.DataFrame, n: int) -> float:
    """Seconds of `blood adapt` with n images, process start included."""
    with tempfile.TemporaryDirectory() as scratch:
        labels = Path(scratch) / "labels.csv"
        with labels.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "label"])
            drawn = table.sample(n, random_state=0)
            writer.writerows(
                (str((folder / row.file).resolve()), row.cell_type) for row in drawn.itertuples()
            )
        command = [sys.executable, "-m", "blood_lib", "adapt", labels, "--bundle", bundle]
        started = time.perf_counter()
        subprocess.run([*command, "--out", Path(scratch) / "bundle"], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started


def main() -> None:
    parser = build_parser("adapt", __doc__)
    add_bundle(parser)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--n", type=int, nargs="+", default=[10, 25, 50, 100])
    args = parser.parse_args()
    classifier = Classifier.load(args.bundle)
    folder = args.data / "BCCD_cropped"
    table = find_labelled(folder, classifier.bundle.classes)
    features = classifier.describe([load_image(folder / file) for file in table["file"]])
    external = features, table["cell_type"].map(classifier.class_names.index).to_numpy()
    in_domain = _describe_in_domain(classifier, args.data / "PBC_dataset_normal_DIB")
    accuracy, balanced, ok, _ = _score(classifier, features[:, 0], external[1])
    print(f"before: external {accuracy:.1%}, balanced {balanced:.1%}, ok {ok:.1%}, n = {len(table)}")
    accuracy, _, ok, right = _score(classifier, *in_domain)
    n = len(in_domain[1])
    print(f"before: in-domain {accuracy:.1%}, ok {ok:.1%}, of those right {right:.1%}, n = {n}\n")
    print("labelled", *(f"{name:>17}" for name in _COLUMNS))
    for n in args.n:
        tries = np.array([_try(classifier, external, in_domain, n, seed) for seed in range(args.draws)])
        means, spreads = np.nanmean(tries, axis=0), np.nanstd(tries, axis=0, ddof=1)
        cells = (f"{mean:8.3f} ± {sd:4.3f}" for mean, sd in zip(means, spreads, strict=True))
        print(f"{n:8}", *(f"{cell:>17}" for cell in cells), flush=True)
    seconds = _time_command(classifier.bundle.path, folder, table, max(args.n))
    print(f"\nmean ± standard deviation of {args.draws} draws; {count_cores()} cores")
    print(f"blood adapt with {max(args.n)} images, process start included: {seconds:.1f} s")


if __name__ == "__main__":
    main()
