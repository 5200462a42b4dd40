"""Claims of the study of 2020 against what was measured: each holds, holds in part, or does not hold.

Each function knows one kind of claim and its criterion. The notebooks measure.
"""

from collections.abc import Sequence

import pandas as pd

from blood_lib.counts import interval
from blood_lib.study.notebooks.tables import Claim

__all__ = [
    "ERRORS",
    "claim_accuracy",
    "claim_carries",
    "claim_certain_label",
    "claim_cleaner",
    "claim_confused_most",
    "claim_doubts",
    "claim_each_sample",
    "claim_error",
    "claim_hurts",
    "claim_longer",
    "claim_mixed",
    "claim_parted",
    "claim_rate",
    "claim_underfitted",
]

ERRORS = {"resnet18": (0.028, 8), "resnet34": (0.035, 8), "efficientnet_b5": (0.017, 10)}
"""The validation errors of the study and its epochs; for ResNet-34, of which it gives none, ResNet-18's."""
SIZE = 224
"""Px a side from which on images are as large as the study's."""


def claim_each_sample(
    says: str, values: pd.Series, unit: str, *, whole: float, part: float, assumed: bool = False
) -> Claim:
    """That a measure is high: `values`, one per sample, of which the lowest decides."""
    return Claim(
        says=says,
        measured=f"{values.min():.2f} to {values.max():.2f} {unit}, in {len(values)} samples",
        criterion=f"{whole:g} or more in each; in part: {part:g}",
        holds=values.min() >= whole,
        in_part=values.min() >= part,
        assumed=assumed,
    )


def claim_error(error: float, n_epochs: int, row: pd.Series, *, imagenet: bool) -> Claim:
    """That a network reaches the error of the study, in its epochs; `row`: of `experiments.compare`, named
    "NETWORK, ...", with `px`, the side of its images; `imagenet`: it began with those weights.

    A network that had less than the study's, and does not reach the error, decides nothing. One that reaches
    it with less does.
    """
    low, high = 1 - row["high"], 1 - row["low"]
    alike = imagenet and row["px"] >= SIZE and row["epochs"] >= n_epochs
    less = row["px"] <= SIZE and row["epochs"] <= n_epochs
    return Claim(
        says=f"{_network_of(row)} reaches an error of {error:.1%}",
        measured=f"{row['name']}: {row['error_rate']:.1%} ({low:.1%}-{high:.1%}), {row['px']} px, "
        f"{row['epochs']} epochs",
        criterion=f"its interval reaches down to it, from ImageNet, at {SIZE} px, in {n_epochs} epochs; with "
        "less it may hold, but not fail",
        holds=low <= error,
        known=alike or (less and low <= error),
    )


def claim_underfitted(row: pd.Series, longer: pd.Series | None = None) -> Claim:
    """That a network was not trained for long enough; `longer`: the same from ImageNet with more epochs, both
    rows of `experiments.compare`.
    """
    rows = [row] if longer is None else [row, longer]
    told = [f"{one['name']}: {one['accuracy']:.1%}, {one['epochs']} epochs" for one in rows]
    return Claim(
        says=f"{_network_of(row)} was under-fitted",
        measured="; ".join(told),
        criterion="from ImageNet, twice the epochs make it better by more than the intervals",
        holds=longer is not None and longer["low"] > row["high"],
        known=longer is not None,
    )


def claim_accuracy(claimed: float, tested: pd.Series, seeds: pd.Series) -> Claim:
    """That the test accuracy is `claimed`; tested: accuracy, low, high, n, px; seeds: each one's accuracy."""
    return Claim(
        says=f"the test accuracy is {claimed:.2%}",
        measured=f"{tested['accuracy']:.2%} ({tested['low']:.2%}-{tested['high']:.2%}), n = {tested['n']}, "
        f"{tested['px']} px; seeds {seeds.min():.2%}-{seeds.max():.2%}",
        criterion="the interval of the network that was trained here holds it",
        holds=tested["low"] <= claimed <= tested["high"],
    )


def claim_rate(rule: str, rate: float, rates: pd.DataFrame) -> Claim:
    """That a rule finds the learning rate; `rates`: a row per rate, its `name` as index, see
    `experiments.compare`, that of the rule among them. Where all are tied, any rate would have done.
    """
    own, best = rates.loc[f"{rule}: {rate:.1e}"], rates.loc[rates["accuracy"].idxmax()]
    worse = rates["high"] < best["low"]
    return Claim(
        says=f"the {rule} rule finds the learning rate",
        measured=f"{own['accuracy']:.1%} with {rate:.1e}; the best, {best.name}, {best['accuracy']:.1%}; "
        f"{worse.sum()} of {len(rates)} rates are worse",
        criterion="no other rate that was tried is better by more than the intervals, and some are worse",
        holds=own["high"] >= rates["low"].max(),
        known=bool(worse.any()),
        assumed=True,
    )


def claim_longer(few: pd.Series, enough: pd.Series) -> Claim:
    """That more epochs mend under-fitting; both rows of `experiments.compare`."""
    losses = [f"{one['valid_loss']:.2f} after {one['epochs']}" for one in (few, enough)]
    return Claim(
        says="more epochs mend under-fitting",
        measured=f"validation loss {', '.join(losses)} epochs",
        criterion="the validation loss is lower after more epochs, of one training each",
        holds=enough["valid_loss"] < few["valid_loss"],
        known=enough["epochs"] > few["epochs"],
        assumed=True,
    )


def claim_hurts(name: str, by_seed: pd.DataFrame) -> Claim:
    """That the transforms `name` hurt; `by_seed`: see `experiments.compare_seeds`, its `name` as index."""
    one, none = by_seed.loc[name], by_seed.loc["none"]
    spread = "{mean:.1%} ({lowest:.1%}-{highest:.1%})".format
    return Claim(
        says=f"{name} hurts",
        measured=f"{spread(**one)}, without it {spread(**none)}; {one['seeds']:.0f} seeds",
        criterion="of three seeds or more each is worse with it than any without; in part: their mean is",
        holds=one["highest"] < none["lowest"],
        in_part=one["mean"] < none["lowest"],
        known=min(one["seeds"], none["seeds"]) >= 3,
    )


def claim_carries(what: str, shown: str, right: pd.DataFrame, n: int) -> Claim:
    """That `what` carries the class: cells that are `shown` without it are not recognised.

    right: of n images, those answered rightly, a row for how much they are changed, from not at all on; a
    column per training: (its transforms, "none" or such as they are shown with; its seed).
    """
    ends = {one: (counts.iloc[0], counts.iloc[-1]) for one, counts in right.items()}
    falls = {one: interval(b, n)[1] < interval(a, n)[0] for one, (a, b) in ends.items()}
    means = right.iloc[[0, -1]].T.groupby(level=0).mean() / n
    told = "; ".join(f"trained with {name}: {a:.1%}, then {b:.1%}" for name, a, b in means.itertuples())
    return Claim(
        says=f"{what} carries the class",
        measured=f"cells as they are, then {shown}; {told}",
        criterion="shown so they are recognised worse, beyond the intervals, by every network, even by those "
        "that were trained with such; in part: by the others",
        holds=all(falls.values()),
        in_part=all(fell for (name, _), fell in falls.items() if name == "none"),
    )


def claim_confused_most(pair: Sequence[str], pairs: pd.DataFrame) -> Claim:
    """That two cell types are confused most; `pairs`: see `interpretation.compute_confused_pairs`."""
    is_pair = pairs["pair"] == " and ".join(sorted(pair))
    total, own = pairs["errors"].sum(), pairs.loc[is_pair, "errors"].sum()
    following = pairs.loc[~is_pair, "errors"].max() if (~is_pair).any() else 0
    return Claim(
        says=f"{pair[0]}s and {pair[1]}s are confused most",
        measured=f"{own} of {total} errors, the next pair {following}",
        criterion="their share's interval is above the next pair's share; in part: their share is",
        holds=pairs.loc[is_pair, "share_low"].sum() * total > following,
        in_part=own > following,
        known=total > 0,
    )


def claim_parted(says: str, same: float, chance: float) -> Claim:
    """That neighbours have the same type; same, chance: the share of images whose nearest one has, and that
    of two images drawn at random.
    """
    way = _way(same, chance)
    return Claim(
        says=says,
        measured=_describe_nearest(same, chance),
        criterion="0.9 of the way from chance to all; in part: 0.5",
        holds=way >= 0.9,
        in_part=way >= 0.5,
        assumed=True,
    )


def claim_mixed(says: str, same: float, chance: float) -> Claim:
    """That neighbours have the same type by chance only, see `claim_parted`."""
    way = _way(same, chance)
    return Claim(
        says=says,
        measured=_describe_nearest(same, chance),
        criterion="at most 0.1 of the way from chance to all; in part: at most 0.5",
        holds=way <= 0.1,
        in_part=way <= 0.5,
        assumed=True,
    )


def _way(same: float, chance: float) -> float:
    """How far a share is on the way from chance (0) to all (1)."""
    return (same - chance) / (1 - chance)


def _describe_nearest(same: float, chance: float) -> str:
    return f"nearest of the same type {same:.1%}, by chance {chance:.1%}"


def claim_doubts(audited: pd.DataFrame) -> Claim:
    """That neighbours on the map find doubtful labels; `audited`: see `label_audit.join_audits`."""
    by_map, by_cleanlab = audited["map_flags"].sum(), audited["cleanlab_flags"].sum()
    both = (audited["map_flags"] & audited["cleanlab_flags"]).sum()
    return Claim(
        says="neighbours on the map find doubtful labels",
        measured=f"they doubt {by_map}, cleanlab {by_cleanlab}, both {both}",
        criterion="half of either list is on the other; in part: half of the shorter one",
        holds=2 * both >= max(by_map, by_cleanlab),
        in_part=both > 0 and 2 * both >= min(by_map, by_cleanlab),
        known=by_map > 0,
        assumed=True,
    )


def claim_certain_label(twice: pd.DataFrame) -> Claim:
    """That they find a label that is surely wrong; `twice`: the rows of one image under two labels."""
    flags = twice[["map_flags", "cleanlab_flags"]]
    return Claim(
        says="... and a label that is surely wrong",
        measured=f"of the image with two, the map doubts {flags['map_flags'].sum()}",
        criterion="the map doubts one of the two, and cleanlab the same one; in part: the map does",
        holds=bool(flags.sum().eq(1).all() and flags.all(axis=1).sum() == 1),
        in_part=flags["map_flags"].sum() == 1,
        known=len(twice) == 2,
        assumed=True,
    )


def claim_cleaner(cleaning: pd.DataFrame) -> Claim:
    """That the map is cleaner without doubtful labels; `cleaning`: see `label_audit.measure_cleaning`."""
    maps = cleaning.set_index("map")
    same, images = maps["same"], maps["images"]
    random = same.filter(like="random").max()
    return Claim(
        says="the map is cleaner without them",
        measured=f"{same['all']:.1%}, then {same['cleaned']:.1%}; at random {random:.1%} at most",
        criterion="at most half the misfits of any random cleaning; in part: fewer",
        holds=2 * (1 - same["cleaned"]) <= 1 - random,
        in_part=same["cleaned"] > random,
        known=images["cleaned"] < images["all"],
        assumed=True,
    )


def _network_of(row: pd.Series) -> str:
    return row["name"].partition(",")[0]
