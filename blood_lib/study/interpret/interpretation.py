"""Where a trained network looks and where it fails: top losses, confusions, Grad-CAM, deep features.

`label_audit` finds labels that may be wrong, `exploration` computes maps and clusters, `plots` draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import mannwhitneyu

from blood_lib.bundle import Bundle, load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier, heat_map
from blood_lib.study.cells import by_name
from blood_lib.study.data.index import select_images
from blood_lib.study.data.split import build_split
from blood_lib.study.evaluate.evaluation import share
from blood_lib.study.progress import show_progress
from blood_lib.study.train.architectures import CellNetwork
from blood_lib.study.train.loaders import normalise

from fastai.callback.hook import hook_output  # isort: skip  (`loaders` must come before fastai)

__all__ = [
    "DARK",
    "Described",
    "build_batch",
    "compute_confused_pairs",
    "compute_confused_subtypes",
    "compute_deep_features",
    "compute_difference",
    "compute_grad_cam",
    "compute_heat_shares",
    "compute_mean_heat",
    "describe_images",
    "find_bundle",
    "list_best",
    "list_images",
    "list_top_losses",
    "summarise_heat",
    "describe_bundle",
]

DARK = 0.2
"""The darkest share of a view's pixels, which stands for the nucleus."""


def find_bundle(bundle_dir: Path | str, out_dir: Path | str) -> Path | None:
    """The bundle to look into: `bundle_dir`; where that is "", the one in `out_dir`; else None, the one that
    ships.
    """
    made = Path(out_dir) / "bundle"
    return Path(bundle_dir) if bundle_dir else made if made.is_dir() else None


def describe_bundle(bundle: Bundle, out_dir: Path | str) -> str:
    """The bundle that `find_bundle` found: title, beginning of its hash, and where it comes from."""
    if bundle.sha256 == load_bundle().sha256:
        origin = "the one that ships"
    else:
        made = (Path(out_dir) / "bundle").resolve()
        origin = "the one that notebook 03 made" if bundle.path.resolve() == made else "another one"
    return f'bundle "{bundle.title["en"]}", sha256 {bundle.sha256[:12]}: {origin}'


def list_images(index: pd.DataFrame) -> pd.DataFrame:
    """Every image of a cell type in `index`: file, cell_type, subtype, part (its split; "": two labels)."""
    images = select_images(index)[["file", "cell_type", "subtype"]]
    splits = build_split(index).set_index("file")["part"]
    return images.assign(part=images["file"].map(splits).fillna("")).reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Described:
    """What a classifier says about N images."""

    table: pd.DataFrame  # as given, and answer, probability (of it), loss (of the label), right
    probs: np.ndarray  # (N, C), calibrated
    features: np.ndarray  # (N, D)
    cams: np.ndarray  # (N, h, w), class activation maps of the answers

    def select(self, rows: np.ndarray) -> "Described":
        """Those of `rows`, indices or a mask (N,)."""
        table = self.table[rows] if rows.dtype == bool else self.table.iloc[rows]
        return Described(table.reset_index(drop=True), self.probs[rows], self.features[rows], self.cams[rows])


def describe_images(classifier: Classifier, folder: Path, images: pd.DataFrame) -> Described:
    """Classify the files of `images` (columns file, cell_type, ...), which lie below `folder`, as served."""
    contents = ((file, (folder / file).read_bytes()) for file in images["file"])
    kept = []
    for result in show_progress(
        classifier.classify(contents, kind="cells"), total=len(images), what="Classifying"
    ):
        if result.probs is None:
            raise BloodError(f"{folder / result.name} cannot be used: {result.reason}")
        kept.append((result.probs, result.features, result.cams[result.probs.argmax()]))
    probs, features, cams = (np.stack(arrays) for arrays in zip(*kept, strict=True))
    return Described(_judge(images, probs, classifier.class_names), probs, features, cams)


def _judge(images: pd.DataFrame, probs: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    target = np.array([names.index(name) for name in images["cell_type"]])
    of_label = np.clip(probs[np.arange(len(probs)), target], 1e-12, 1)
    return images.reset_index(drop=True).assign(
        answer=np.asarray(names, dtype=object)[probs.argmax(axis=1)],
        probability=probs.max(axis=1),
        loss=-np.log(of_label),
        right=probs.argmax(axis=1) == target,
    )


def list_top_losses(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """The n rows of `Described.table` with the highest loss, the worst first, row labels kept."""
    return table.sort_values("loss", ascending=False, kind="stable").head(n)


def list_best(table: pd.DataFrame) -> pd.DataFrame:
    """Of each cell type the right answer with the lowest loss, row labels kept."""
    right = table[table["right"]].sort_values("loss", kind="stable")
    return right.groupby("cell_type").head(1).sort_values("cell_type")


def compute_confused_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The errors by pair of cell types, whichever is the label, the commonest first: pair, errors, and their
    share of all errors with its exact 95 % interval.
    """
    wrong = table[~table["right"]]
    pairs = pd.Series(
        [" and ".join(sorted(pair)) for pair in zip(wrong["cell_type"], wrong["answer"], strict=True)],
        dtype=object,
    )
    rows = [
        {"pair": pair, "errors": int(k), **share("share", int(k), len(wrong))}
        for pair, k in pairs.value_counts().items()
    ]
    return pd.DataFrame(rows, columns=["pair", "errors", "share", "share_low", "share_high"])


def compute_confused_subtypes(table: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Per subtype of two cell types: n, how many are taken for the other type, and that share with its exact
    95 % interval.
    """
    rows = []
    for name, wrong in ((one, other), (other, one)):
        for subtype in by_name(name).subtypes.values():
            mine = table[(table["cell_type"] == name) & (table["subtype"] == subtype)]
            k, n = int((mine["answer"] == wrong).sum()), len(mine)
            rows.append(
                {"cell_type": name, "subtype": subtype, "n": n, "taken_for_other": k, **share("share", k, n)}
            )
    return pd.DataFrame(rows)


def build_batch(views: np.ndarray) -> torch.Tensor:
    """Views (N, S, S, 3) uint8 as the network takes them: (N, 3, S, S) float32."""
    return normalise(torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255)


def compute_grad_cam(network: CellNetwork, x: torch.Tensor, target: Sequence[int]) -> np.ndarray:
    """Grad-CAM of the classes `target` (B,) at the target layer: (B, h, w), any sign.

    Selvaraju et al. 2017 (arXiv:1610.02391), eq. 1 and 2; the rectifier of eq. 2 is left to `heat_map`. The
    hook comes off whatever happens.
    """
    with hook_output(network.target_layer, detach=False) as hook:
        logits = network(x)
    score = logits.gather(1, torch.as_tensor(np.array(target))[:, None]).sum()
    (gradients,) = torch.autograd.grad(score, hook.stored)
    weights = gradients.mean((2, 3), keepdim=True)
    return (weights * hook.stored).sum(1).detach().numpy()


@torch.no_grad()
def compute_deep_features(network: CellNetwork, x: torch.Tensor, *, batch_size: int = 64) -> np.ndarray:
    """Penultimate activations (N, D) of x (N, 3, S, S), caught by a hook where the head takes them."""
    found = []
    with hook_output(network.dropout, cpu=True) as hook:
        for batch in x.split(batch_size):
            network(batch)
            found.append(hook.stored.numpy())
    return np.concatenate(found)


def compute_heat_shares(cams: np.ndarray, views: np.ndarray, *, middle: float) -> pd.DataFrame:
    """Which share of each map's heat lies in the middle of the view, and on its nucleus, (N,) each.

    cams (N, h, w); views (N, S, S, 3) uint8; middle: side of the centred square as a share of the view's. The
    nucleus is taken to be the darkest fifth of the pixels in green. Heat spread evenly gives `middle` ** 2
    and DARK; a map without any heat gives NaN.
    """
    size = views.shape[1]
    edge = round(size * (1 - middle) / 2)
    square = np.zeros((size, size), dtype=bool)
    square[edge : size - edge, edge : size - edge] = True
    rows = []
    for cam, view in zip(cams, views, strict=True):
        heat, green = heat_map(cam, (size, size)), view[..., 1]
        dark = green <= np.quantile(green, DARK)
        total = heat.sum() or np.nan
        rows.append({"middle": heat[square].sum() / total, "nucleus": heat[dark].sum() / total})
    return pd.DataFrame(rows, columns=["middle", "nucleus"], dtype=float)


def compute_mean_heat(
    cams: np.ndarray, labels: Sequence[str] | np.ndarray, *, size: int = 60
) -> dict[str, np.ndarray]:
    """Of each label, in order, the mean heat of its maps cams (N, h, w) as a picture (size, size).

    1 is heat spread evenly; every map weighs the same, but for those without any heat, which are left out. A
    label that has no other is not there.
    """
    heats = np.stack([heat_map(cam, (size, size)) for cam in cams])
    heats /= np.maximum(heats.mean(axis=(1, 2), keepdims=True), 1e-12)
    lit, labels = heats.any(axis=(1, 2)), np.asarray(labels)
    found = {name: heats[lit & (labels == name)] for name in sorted(set(labels))}
    return {name: mine.mean(axis=0) for name, mine in found.items() if len(mine)}


def summarise_heat(shares: pd.DataFrame, groups: dict[str, np.ndarray]) -> pd.DataFrame:
    """Median and quartiles of each column of `shares` in each group, a name -> mask (N,)."""
    words = {0.5: "median", 0.25: "quarter", 0.75: "three quarters"}
    rows = {}
    for name, mask in groups.items():
        found = shares[mask].quantile(list(words)).rename(index=words).unstack()
        rows[name] = {"n": int(mask.sum())} | {f"{column}, {word}": x for (column, word), x in found.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def compute_difference(one: Sequence[float], other: Sequence[float]) -> float:
    """The p-value of a Mann-Whitney test that neither tends to be larger; NaN where one is empty."""
    a, b = (np.asarray(values, float)[~np.isnan(values)] for values in (one, other))
    return float(mannwhitneyu(a, b).pvalue) if len(a) and len(b) else float("nan")
