"""What identical images on both sides of a split do to a test accuracy.

The split that keeps them together is `data.split`; which images are identical `data.audit` lists.
"""

import numpy as np
import pandas as pd

__all__ = ["compute_leaked", "count_torn", "inflate"]


def count_torn(
    index: pd.DataFrame, *, n_draws: int = 1000, share: float = 0.1, random_state: int = 0
) -> pd.DataFrame:
    """Splits that know nothing of duplicates: images drawn at random into a test part of `share`, the rest
    trained on.

    index: `pixels` of each usable image. Returns a row per draw: `test`, its images, and `torn`, those whose
    twin was trained on.
    """
    rng = np.random.default_rng(random_state)
    group = pd.factorize(index["pixels"])[0]
    size, n_test = np.bincount(group), round(share * len(group))
    torn = []
    for _ in range(n_draws):
        test = group[rng.permutation(len(group))[:n_test]]
        inside = np.bincount(test, minlength=len(size))
        torn.append(int((inside[test] < size[test]).sum()))
    return pd.DataFrame({"test": n_test, "torn": torn})


def inflate(accuracy: float, leaked: float) -> float:
    """The accuracy where a share `leaked` of the test part was trained on and is therefore right."""
    return accuracy + leaked * (1 - accuracy)


def compute_leaked(accuracy: float, claimed: float) -> float:
    """The share of the test part that must have been trained on to make `claimed` of `accuracy`, if what was
    trained on is always right: the inverse of `inflate`.
    """
    return max(0.0, (claimed - accuracy) / (1 - accuracy)) if accuracy < 1 else 0.0
