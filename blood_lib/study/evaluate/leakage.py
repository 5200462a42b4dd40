"""What duplicates on both sides of a split do to a test accuracy.

The split that keeps them together is `data.split`. `data.audit` lists which images are duplicates.
"""

import numpy as np
import pandas as pd

from blood_lib.study.data.near_duplicates import group_of_pixels

__all__ = ["compute_leaked", "count_leaked_duplicates", "inflate"]


def count_leaked_duplicates(
    index: pd.DataFrame, *, n_draws: int = 1000, share: float = 0.1, random_state: int = 0
) -> pd.DataFrame:
    """How many test images have a duplicate in the training split, where images are split at random.

    index: `pixels` of each usable image; known near-duplicates count as duplicates. share: of the images that
    are tested; the rest are trained on.
    Returns a row per draw: `test`, the test images, and `torn`, those of them with a duplicate in training.
    """
    rng = np.random.default_rng(random_state)
    group = pd.factorize(group_of_pixels(index["pixels"]))[0]
    size, n_test = np.bincount(group), round(share * len(group))
    leaked = []
    for _ in range(n_draws):
        test = group[rng.permutation(len(group))[:n_test]]
        inside = np.bincount(test, minlength=len(size))
        leaked.append(int((inside[test] < size[test]).sum()))
    return pd.DataFrame({"test": n_test, "torn": leaked})


def inflate(accuracy: float, leaked: float) -> float:
    """The accuracy if a share `leaked` of the test split was trained on, and is right for that reason."""
    return accuracy + leaked * (1 - accuracy)


def compute_leaked(accuracy: float, claimed: float) -> float:
    """The share of the test split that must have been trained on to turn `accuracy` into `claimed`.

    What was trained on is taken to be always right: the inverse of `inflate`.
    """
    return max(0.0, (claimed - accuracy) / (1 - accuracy)) if accuracy < 1 else 0.0
