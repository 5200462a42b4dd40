"""How long threads should spin while they wait: the speed of a training, alone and beside other work.

    python -m benchmarks.thread_spin

OpenMP's threads spin while they wait. That is quick where each has a core of its own; otherwise it keeps the
others from working. libgomp's GOMP_SPINCOUNT says for how many turns they spin. Each count is measured in
processes of its own, in turns, alone and beside a busy process per core. `blood_lib.study` sets the count
that was chosen.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd

from blood_lib.inference import count_cores

__all__ = ["busy", "compare", "main", "measure"]

_BUSY = [sys.executable, "-c", "while True: pass"]


def measure(count: int, *, image_size: int, batch_size: int, n_rounds: int) -> float:
    """Images per second (the median of `n_rounds`) that a new process trains EfficientNet-Lite0 on."""
    code = (
        "import numpy as np\n"
        "from blood_lib.study.train.architectures import build_network\n"
        "from blood_lib.study.evaluate.costs import time_training\n"
        "network = build_network('efficientnet_lite0', 8, initialisation='random')\n"
        f"speed = time_training({{0: (network, {batch_size})}}, {image_size}, n_rounds={n_rounds})\n"
        "print(np.median(speed[0]))"
    )
    told = os.environ | {"GOMP_SPINCOUNT": str(count)}
    done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True)
    return float(done.stdout)


@contextmanager
def busy(n: int) -> Iterator[None]:
    """Beside `n` processes that do nothing but compute."""
    others = [subprocess.Popen(_BUSY) for _ in range(n)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def compare(counts: Sequence[int], *, n_turns: int, **size: int) -> pd.DataFrame:
    """A row per count: lowest, median and highest images per second, alone and beside others."""
    rows = []
    for beside in (0, count_cores()):
        with busy(beside):
            speed = np.array([[measure(count, **size) for count in counts] for _ in range(n_turns)])
        told = {"beside": beside, "n": n_turns}
        rows += [
            {"spin count": count} | told | dict(zip(("lowest", "median", "highest"), ends, strict=True))
            for count, ends in zip(counts, np.quantile(speed, [0, 0.5, 1], axis=0).T, strict=True)
        ]
    return pd.DataFrame(rows)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.thread_spin", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[300_000, 50_000, 10_000, 1_000])
    parser.add_argument("--turns", type=int, default=5, dest="n_turns")
    parser.add_argument("--rounds", type=int, default=8, dest="n_rounds", help="batches a process")
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=16)
    print(compare(**vars(parser.parse_args(argv))).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
