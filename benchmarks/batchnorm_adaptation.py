"""Batch normalisation that adapts to the images uploaded together: its gain and its cost.

    python -m benchmarks.batchnorm_adaptation DATA [RUN ...] [--bundle DIR] [--external DIR] [--out FILE.csv]

Half or all of the statistics that a network normalises by are those of the upload (Nado et al. 2020,
arXiv:2006.10963). An upload has at most 100 images: of all types as they come, or of one type each, as a
person may sort them. Measured are the bundle's network, whose normalisation is folded away, and any RUN of
`ablation`, on the validation split as it is and shifted. Prints the balanced error in per cent. With
--external it also reports that of an external test set, as `ablation` does.
"""

import copy
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks.ablation import Sets, cut, format_errors, load_all, predict, score_among
from benchmarks.domain_shift import SHIFTS
from benchmarks.tools.options import add_bundle, build_parser
from blood_lib.bundle import load_bundle
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.train.architectures import CellNetwork
from blood_lib.study.train.depthwise import DepthwiseConv2d
from blood_lib.study.train.loaders import load_views, normalise
from blood_lib.study.train.networks import load_bundle_network, load_network

__all__ = ["adapt_norms", "compare", "main", "restore_norms"]

_SHIFTS = {name: SHIFTS[name] for name in ("other colours", "both, and blurred")}
_SHARES = (0.0, 0.5, 1.0)
_UPLOAD = 100  # images, at most
_MEASURED = 512  # images of the training split that a folded network's statistics are measured on


@torch.no_grad()
def restore_norms(network: CellNetwork, x: torch.Tensor) -> CellNetwork:
    """A copy of a folded `network` with a batch norm after each convolution that says the same: its
    statistics are those over x (N, 3, S, S), and it scales back to them.
    """
    restored = copy.deepcopy(network).eval()
    norms: dict[nn.Module, nn.BatchNorm2d] = {}

    def measure(convolution: nn.Module, _, seen: torch.Tensor) -> None:
        variance, mean = torch.var_mean(seen, (0, 2, 3), correction=0)
        norm = norms[convolution] = nn.BatchNorm2d(len(mean)).eval()
        norm.running_mean, norm.running_var = mean, variance
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean)

    kinds = (nn.Conv2d, DepthwiseConv2d)
    hooks = [one.register_forward_hook(measure) for one in restored.modules() if isinstance(one, kinds)]
    restored(x)
    for hook in hooks:
        hook.remove()
    for parent in list(restored.modules()):
        for name, child in parent.named_children():
            if child in norms:
                setattr(parent, name, nn.Sequential(child, norms[child]))
    return restored


def adapt_norms(network: CellNetwork, share: float) -> CellNetwork:
    """A copy of `network` whose batch norms take `share` of mean and variance from the batch, the rest from
    their own statistics; it keeps none of the batch's (Schneider et al. 2020, arXiv:2006.16971, section 3).
    """
    adapted = copy.deepcopy(network).eval()
    for module in adapted.modules():
        if isinstance(module, nn.BatchNorm2d):
            own = module.running_mean.clone(), module.running_var.clone()
            module.register_forward_pre_hook(lambda norm, seen, own=own: _mix(norm, seen[0], own, share))
    return adapted


def _mix(
    norm: nn.BatchNorm2d, seen: torch.Tensor, own: tuple[torch.Tensor, torch.Tensor], share: float
) -> None:
    variance, mean = torch.var_mean(seen, (0, 2, 3), correction=0)
    norm.running_mean, norm.running_var = (
        torch.lerp(mine, its, share) for mine, its in zip(own, (mean, variance), strict=True)
    )


def _deal(target: np.ndarray, *, sort: bool) -> list[np.ndarray]:
    """Indices of `target` (N,) in uploads of at most _UPLOAD images: of all types or, sorted, of one each."""
    order = np.random.default_rng(0).permutation(len(target))
    piles = [order[target[order] == c] for c in np.unique(target)] if sort else [order]
    return [part for pile in piles for part in cut(pile, _UPLOAD)]


def compare(network: CellNetwork, sets: Sets) -> list[dict[str, object]]:
    """A row for each share of the upload's statistics, way of uploading, and set of images."""
    rows = []
    for share, sort in product(_SHARES, (False, True)):
        if sort and not share:
            continue  # the order of images changes nothing where nothing adapts
        adapted = adapt_norms(network, share)
        for seen, (views, target) in sets.items():
            figures = score_among(predict(adapted, views, _deal(target, sort=sort)), target)
            how = {"share": share, "upload": "one type" if sort else "all types", "seen": seen}
            rows.append({**how, "n": len(target), **figures})
    return rows


def _load_bundle_norms(bundle: Path | None, root: Path, split: pd.DataFrame, **view) -> CellNetwork:
    """The bundle's network with its norms put back, measured on images of the training split."""
    files = split.loc[split["part"] == "train", "file"]
    files = files.sample(min(_MEASURED, len(files)), random_state=0).tolist()
    x = torch.from_numpy(load_views(root, files, **view)).permute(0, 3, 1, 2).float() / 255
    return restore_norms(load_bundle_network(bundle)[0], normalise(x))


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser("batchnorm_adaptation", __doc__)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN", help="a run of `ablation`, not folded")
    add_bundle(parser)
    parser.add_argument(
        "--external", type=Path, metavar="DIR", help="an external test set, a folder per type"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.csv")
    args = parser.parse_args(argv)
    root, split, bundle = find_dataset(args.data), load_split(args.data), load_bundle(args.bundle)
    how, rows = bundle.preprocessing, []
    view = {"size": how.image_size, "crop": how.crop}
    networks = {bundle.path.name: (_load_bundle_norms(args.bundle, root, split, **view), view)}
    for run in args.runs:
        network, recipe = load_network(run)
        networks[run.name] = network, {"size": recipe.image_size, "crop": recipe.crop}
    for name, (network, view) in networks.items():
        sets = load_all(root, split, args.external, _SHIFTS, **view)
        rows += [{"network": name, **row} for row in compare(network, sets)]
    table = pd.DataFrame(rows)
    if args.out:
        table.to_csv(args.out, index=False, float_format="%.4f", lineterminator="\n")
    print(f"Balanced error, per cent:\n{format_errors(table, ['network', 'share', 'upload'])}")


if __name__ == "__main__":
    main()
