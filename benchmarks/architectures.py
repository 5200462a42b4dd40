"""Which network: each trained by one short recipe on the same images, and served by OpenVINO in the same run.

    python -m benchmarks.architectures DATA RUNS [--epochs 4] [--image-size 96] [--networks NAME:INIT ...]

Prints, and keeps in RUNS/architectures.csv, a row per network: accuracy on the validation part with its exact
95 % interval, seconds per epoch, parameters, and images per second served on the CPU (median and spread of
alternating rounds). Runs are resumed when the command is given again. What the winner becomes is for
`blood train`.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from blood_lib.counts import interval
from blood_lib.network import Network
from blood_lib.study.architectures import ARCHITECTURES
from blood_lib.study.export import compile_network
from blood_lib.study.recipe import Recipe
from blood_lib.study.training import load_network, train

CANDIDATES = (
    "resnet18:random",
    "efficientnet_lite0:imagenet",
    "efficientnet_lite0:random",
    "efficientnet_b0:random",
    "resnet34:random",
)
N_ROUNDS, N_SERVED = 7, 256


def _time_served(networks: list[Network], image_size: int) -> np.ndarray:
    """Images per second, (n networks, N_ROUNDS); they take turns, so that what slows one slows all."""
    views = np.random.default_rng(0).integers(0, 256, (N_SERVED, image_size, image_size, 3), np.uint8)
    rates = np.empty((len(networks), N_ROUNDS))
    for turn in range(-1, N_ROUNDS):  # the first round warms up
        for i, network in enumerate(networks):
            start = time.perf_counter()
            network(views)
            rates[i, turn] = N_SERVED / (time.perf_counter() - start)
    return rates


def _describe(run: Path, n_valid: int) -> dict[str, object]:
    """What the run's log says of its last epoch."""
    log = pd.read_csv(run / "log.csv")
    accuracy = log["accuracy"].iloc[-1]
    low, high = interval(round(accuracy * n_valid), n_valid)
    return {
        "accuracy": accuracy,
        "low": low,
        "high": high,
        "n": n_valid,
        "s_per_epoch": log["seconds"].median(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the dataset's folder")
    parser.add_argument("runs", type=Path, help="where the runs go")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--networks", nargs="+", default=CANDIDATES, metavar="NAME:INITIALISATION")
    args = parser.parse_args()
    rows, networks = [], []
    for arch, initialisation in (name.split(":") for name in args.networks):
        run = args.runs / f"{arch}-{initialisation}"
        recipe = Recipe(
            arch=arch, initialisation=initialisation, image_size=args.image_size, n_epochs=args.epochs
        )
        train(args.data, run, recipe)
        n_valid = int((pd.read_csv(run / "split.csv")["part"] == "valid").sum())
        network, recipe = load_network(run)
        n_parameters = sum(p.numel() for p in network.parameters())
        row = {
            "network": ARCHITECTURES[arch].title,
            "initialisation": initialisation,
            **_describe(run, n_valid),
        }
        rows.append({**row, "million_parameters": n_parameters / 1e6})
        networks.append(compile_network(network, recipe))
    rates = _time_served(networks, args.image_size)
    table = pd.DataFrame(rows).assign(
        images_per_s=np.median(rates, axis=1), slowest=rates.min(axis=1), fastest=rates.max(axis=1)
    )
    table.to_csv(args.runs / "architectures.csv", index=False, float_format="%.4f")
    print(table.to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
