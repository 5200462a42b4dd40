"""Labels that may be wrong: found by neighbours on a map, as in the study, and by confident learning.

Both methods name suspects; neither knows the truth. Features come from `interpretation`, maps from
`exploration`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors

from blood_lib.files.output import open_whole, writing
from blood_lib.study.evaluate.evaluation import share
from blood_lib.study.interpret.exploration import compute_neighbour_agreement, compute_pca, compute_tsne

__all__ = [
    "audit_by_confidence",
    "audit_by_map",
    "compare_audits",
    "compute_flagged_shares",
    "compute_held_out_probs",
    "join_audits",
    "list_suspects",
    "measure_cleaning",
    "save_suspects",
    "describe_doubts",
]

N_COMPONENTS = 50  # of the features, for the regression: nearly all of their variance
INVERSE_PENALTY = 0.1


def audit_by_map(embedding: np.ndarray, labels: Sequence[str] | np.ndarray, *, k: int = 50) -> pd.DataFrame:
    """Every point of a map (N, 2) against its k nearest: says (their commonest label), alike (the share that
    has its own label), flagged (it has another label than they).

    k is lowered to what the rarest label has besides the point itself: more could not agree.
    """
    labels = np.asarray(labels, dtype=object)
    names, codes = np.unique(labels, return_inverse=True)
    k = max(1, min(k, np.bincount(codes).min() - 1))
    nearest = NearestNeighbors(n_neighbors=k).fit(embedding).kneighbors(return_distance=False)
    votes = (codes[nearest][..., None] == np.arange(len(names))).sum(axis=1)
    alike = votes[np.arange(len(codes)), codes] / k
    says = names[votes.argmax(axis=1)]
    return pd.DataFrame({"says": says, "alike": alike, "flagged": alike < votes.max(axis=1) / k})


def compute_held_out_probs(
    features: np.ndarray, labels: Sequence[str] | np.ndarray, *, n_folds: int = 5, random_state: int = 0
) -> np.ndarray:
    """Probabilities (N, C) of the sorted labels, each image's from a logistic regression that did not see it.

    The regression on the principal components of features (N, D) has not seen the image, nor an identical
    one, which has the same features; a network that was trained on it has, and so have its features.
    """
    _, codes, sizes = np.unique(np.asarray(labels, dtype=object), return_inverse=True, return_counts=True)
    pcs, _ = compute_pca(features, n_components=N_COMPONENTS, random_state=random_state)
    folds = StratifiedGroupKFold(max(2, min(n_folds, sizes.min())), shuffle=True, random_state=random_state)
    groups = np.unique(features, axis=0, return_inverse=True)[1]
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000)
    return cross_val_predict(model, pcs / pcs.std(), codes, groups=groups, cv=folds, method="predict_proba")


def audit_by_confidence(probs: np.ndarray, labels: Sequence[str] | np.ndarray) -> pd.DataFrame:
    """cleanlab's verdict (Northcutt et al. 2021, arXiv:1911.00068): says (the most probable label),
    probability (of the label it has), flagged.

    probs (N, C): of the sorted labels, from models that did not see the image.
    """
    from cleanlab.filter import find_label_issues

    names, codes = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
    flagged = find_label_issues(codes, probs, n_jobs=1)
    own = probs[np.arange(len(codes)), codes]
    return pd.DataFrame({"says": names[probs.argmax(axis=1)], "probability": own, "flagged": flagged})


def join_audits(images: pd.DataFrame, by_map: pd.DataFrame, by_confidence: pd.DataFrame) -> pd.DataFrame:
    """The rows of `images` with what either audit says of each, and whether it flags it."""
    return images.assign(
        map_says=by_map["says"].to_numpy(),
        alike=by_map["alike"].to_numpy(),
        map_flags=by_map["flagged"].to_numpy(),
        cleanlab_says=by_confidence["says"].to_numpy(),
        probability=by_confidence["probability"].to_numpy(),
        cleanlab_flags=by_confidence["flagged"].to_numpy(),
    )


def list_suspects(audited: pd.DataFrame) -> pd.DataFrame:
    """What any audit flags in `join_audits`, that of both first, then by the probability of its label."""
    flags = audited["map_flags"].astype(int) + audited["cleanlab_flags"]
    ranked = audited.assign(flags=flags).sort_values(["flags", "probability"], ascending=[False, True])
    return ranked[ranked["flags"] > 0].drop(columns="flags")


def save_suspects(suspects: pd.DataFrame, folder: Path | str) -> Path:
    """Writes all of `list_suspects` as suspects.csv into `folder`, which is made; returns the file."""
    file = Path(folder) / "suspects.csv"
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with open_whole(file) as out:
        suspects.to_csv(out, index=False, lineterminator="\n", float_format="%.4f")
    return file


def describe_doubts(audited: pd.DataFrame) -> list[str]:
    """Which audits doubt the label, in words, for each row of `join_audits`."""
    words = {(True, True): "map and cleanlab", (True, False): "the map", (False, True): "cleanlab"}
    flags = zip(audited["map_flags"], audited["cleanlab_flags"], strict=True)
    return [words.get((bool(one), bool(other)), "nobody") for one, other in flags]


def compare_audits(by_map: pd.DataFrame, by_confidence: pd.DataFrame) -> pd.DataFrame:
    """Images, by what either audit says: a row per verdict of the map, a column per verdict of cleanlab."""
    kinds, words = [False, True], ["lets pass", "flags"]
    table = pd.crosstab(by_map["flagged"].to_numpy(), by_confidence["flagged"].to_numpy())
    table = table.reindex(index=kinds, columns=kinds, fill_value=0)
    table.index = pd.Index([f"the map {word}" for word in words])
    table.columns = pd.Index([f"cleanlab {word}" for word in words])
    return table


def compute_flagged_shares(
    audits: Mapping[str, pd.DataFrame], splits: Sequence[str] | np.ndarray
) -> pd.DataFrame:
    """Per audit and split: images, flagged, and their share with its exact 95 % interval."""
    splits, rows = np.asarray(splits, dtype=object), []
    for name, audit in audits.items():
        for split in pd.unique(splits):
            mine = audit["flagged"].to_numpy()[splits == split]
            k, n = int(mine.sum()), len(mine)
            rows.append({"audit": name, "split": split, "n": n, "flagged": k, **share("share", k, n)})
    return pd.DataFrame(rows)


def measure_cleaning(
    pcs: np.ndarray,
    labels: Sequence[str] | np.ndarray,
    flagged: np.ndarray,
    *,
    n_random: int = 3,
    random_state: int = 0,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The neighbour agreement of the map of pcs (N, P) as it is, without the flagged ones (N,), and n_random
    times without as many taken at random; each map is laid out anew.

    Also the maps "all" (N, 2) and "cleaned" (M, 2).
    """
    labels, rng = np.asarray(labels, dtype=object), np.random.default_rng(random_state)
    kept = {"all": np.ones(len(labels), dtype=bool), "cleaned": ~flagged}
    for i in range(n_random):
        kept[f"random {i + 1}"] = rng.permutation(~flagged)
    maps = {name: compute_tsne(pcs[rows], random_state=random_state) for name, rows in kept.items()}
    table = pd.DataFrame(
        {
            "map": list(kept),
            "images": [int(rows.sum()) for rows in kept.values()],
            "same": [compute_neighbour_agreement(maps[name], labels[rows]) for name, rows in kept.items()],
        }
    )
    return table, {name: maps[name] for name in ("all", "cleaned")}
