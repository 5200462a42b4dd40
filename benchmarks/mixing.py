"""What each share of the newly trained weights gives; the rest are those of the bundle that was started from.

    python -m benchmarks.mixing DATA RUN --start BUNDLE

For a run whose recipe mixes weights. On the validation part alone: errors and the log loss after fitting a
temperature, for its images as they are, and as another stain and camera might show them, drawn at random
beyond what the training draws.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import log_softmax

from blood_lib.calibration import fit_temperature
from blood_lib.study.augmentation import Augmentation, blur, jitter_stain
from blood_lib.study.data.index import find_dataset
from blood_lib.study.export import compile_network
from blood_lib.study.folding import mix_weights
from blood_lib.study.loaders import load_views
from blood_lib.study.training import build_targets, load_network, load_start

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
ELSEWHERE = Augmentation(stain_gain=0.4, stain_mixing=0.15, gamma=0.35, white_balance=0.25)
BLUR = 1.5  # sigma, px


def show_elsewhere(views: np.ndarray, seed: int) -> np.ndarray:
    """Views (N, S, S, 3) uint8 as another laboratory might show them."""
    torch.manual_seed(seed)
    x = torch.tensor(views).permute(0, 3, 1, 2).float() / 255
    x = blur(jitter_stain(x, ELSEWHERE), torch.full((len(x),), BLUR))
    return (x.permute(0, 2, 3, 1) * 255).round().byte().numpy()


def score(logits: np.ndarray, target: np.ndarray) -> tuple[int, float]:
    """Errors, and the mean log loss of the calibrated answers."""
    log_probs = log_softmax(logits / fit_temperature(target, logits), axis=1)
    return int((logits.argmax(axis=1) != target).sum()), -float(log_probs[range(len(target)), target].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the dataset's folder")
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--start", type=Path, required=True, help="the bundle that the run started from")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    _, recipe = load_network(args.run)
    rows = pd.read_csv(args.run / "split.csv", keep_default_na=False).query("part == 'valid'")
    views = load_views(
        find_dataset(args.data), rows["file"].tolist(), size=recipe.image_size, crop=recipe.crop
    )
    target, elsewhere = build_targets(rows)[:, 0], show_elsewhere(views, args.seed)
    print(f"n = {len(rows)}; of the trained weights, errors and log loss at home, the same elsewhere")
    for share in SHARES:
        network, _ = load_network(args.run, file="trained.pt")
        served = compile_network(mix_weights(network, load_start(recipe, args.start), share).eval(), recipe)
        home, there = (score(served(x)[0], target) for x in (views, elsewhere))
        print(f"{share:6.2f} {home[0]:7} {home[1]:9.4f} {there[0]:7} {there[1]:9.4f}", flush=True)


if __name__ == "__main__":
    main()
