"""Out-of-distribution detection: which share of other images, and of in-domain cells, each score flags.

    python -m benchmarks.doubt.ood_detection DATA [--bundle DIR] [--external DIR] [--images 140] [--out CSV]

Every score is computed from what the served network says, and fitted on the bundle's reference cells. Its
threshold flags 0.5 % of the validation split. Prints the per cent that each score flags: of images that are
no blood cell, by source; of the test split; and of an external test set, with the accuracy of what is left
ok there. Half of the sources are for choosing a score, the others only for reporting. Many images of a source
are cut from the same pictures, so its n does not count independent images. FILE.csv has n and exact 95 %
intervals.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.special import softmax

from benchmarks.tools.ood_images import draw_sources
from benchmarks.tools.options import add_bundle, add_external, build_parser
from benchmarks.tools.scores import Outputs, Score, fit_scores, run_network
from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle, load_bundle
from blood_lib.images import crop_and_resize
from blood_lib.inference.network import Network
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split
from blood_lib.study.evaluate.evaluation import share
from blood_lib.study.evaluate.labelled import find_labelled
from blood_lib.study.export import choose_ood_threshold
from blood_lib.study.train.loaders import load_views

__all__ = ["Server", "compare", "main"]


class Server:
    """A bundle's network with the views that it takes."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle, self.how, self.network = bundle, bundle.preprocessing, Network.from_bundle(bundle)

    def run_files(self, root: Path, files: Sequence[str]) -> Outputs:
        views = load_views(root, files, size=self.how.image_size, crop=self.how.crop)
        return run_network(self.network, views)

    def run_images(self, images: Sequence[Image.Image]) -> Outputs:
        size = {"image_size": self.how.image_size, "crop": self.how.crop}
        return run_network(self.network, np.stack([np.asarray(crop_and_resize(i, **size)) for i in images]))


def compare(server: Server, root: Path, split: pd.DataFrame, external: Path | None, n: int) -> pd.DataFrame:
    """A row per score and set of images: score, images, use, n, flagged with its interval.

    split: file and part of the cells below `root`. external: a folder per class. n: images of each source.
    """
    valid, test = (server.run_files(root, split["file"][split["part"] == name]) for name in ("valid", "test"))
    atlas = Atlas.from_bytes(server.bundle.read("atlas.npz"))
    scores = fit_scores(atlas, valid, server.bundle.temperature)
    limits = {name: choose_ood_threshold(score(valid)) for name, score in scores.items()}
    sets = [
        (s.name, "choose" if s.to_choose else "report", server.run_images(s.images)) for s in draw_sources(n)
    ]
    sets.append(("test split", "in-domain", test))
    rows = [
        {"images": images, "use": use, "score": name, **_flag(score(outputs) > limits[name])}
        for images, use, outputs in sets
        for name, score in scores.items()
    ]
    if external is not None:
        rows += _measure_external(server, external, scores, limits)
    return pd.DataFrame(rows)


def _flag(flagged: np.ndarray) -> dict[str, float]:
    return {"n": len(flagged), **share("share", int(flagged.sum()), len(flagged))}


def _measure_external(
    server: Server, folder: Path, scores: dict[str, Score], limits: dict[str, float]
) -> list[dict[str, object]]:
    """Of an external test set: how many cells are flagged, how many stay ok, how many of those are right."""
    table = find_labelled(folder, server.bundle.classes)
    outputs = server.run_files(folder, table["file"])
    probs = softmax(outputs.logits / server.bundle.temperature, axis=1)
    right = np.array(server.bundle.names)[probs.argmax(axis=1)] == table["cell_type"].to_numpy()
    sure, rows = probs.max(axis=1) >= server.bundle.thresholds.confidence, []
    for name, score in scores.items():
        flagged = score(outputs) > limits[name]
        left = right[sure & ~flagged]
        parts = {"flagged": flagged, "left ok": sure & ~flagged, "right of those left ok": left}
        rows += [
            {"images": f"{folder.name}: {what}", "use": "external", "score": name, **_flag(which)}
            for what, which in parts.items()
        ]
    return rows


def _format(rows: pd.DataFrame) -> str:
    """Images down, scores across, per cent, with n where it depends on the score; then the means of the
    sources to choose on and to report on.
    """
    order = {"index": rows["images"].unique(), "columns": rows["score"].unique()}
    shares = 100 * rows.pivot(index="images", columns="score", values="share").reindex(**order)
    counts = rows.pivot(index="images", columns="score", values="n").reindex(**order)
    uses = rows.drop_duplicates("images").set_index("images")["use"]
    means = {f"mean of the sources to {use}": shares[uses == use].mean() for use in ("choose", "report")}
    same = counts.nunique(axis=1) == 1
    table = shares.map("{:.1f}".format)
    table[~same] = table[~same] + " of " + counts[~same].astype(str)
    table.insert(0, "use", uses)
    table.insert(1, "n", counts.iloc[:, 0].astype(str).where(same, ""))
    more = pd.DataFrame({name: mean.map("{:.1f}".format) for name, mean in means.items()}).T
    return pd.concat([table, more]).fillna("").to_string()


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser("doubt.ood_detection", __doc__)
    add_bundle(parser)
    add_external(parser)
    parser.add_argument("--images", type=int, default=140, help="of each source that is no blood cell")
    parser.add_argument("--max-images", type=int, help="of each split of the dataset, for a quick run")
    parser.add_argument("--out", type=Path, help="a CSV file for the table, with intervals")
    args = parser.parse_args(argv)
    root, server = find_dataset(args.data), Server(load_bundle(args.bundle))
    split = load_split(root)
    if args.max_images:
        split = split.sample(frac=1, random_state=0).groupby("part").head(args.max_images)
    rows = compare(server, root, split, args.external, args.images)
    if args.out:
        rows.to_csv(args.out, index=False, lineterminator="\n", float_format="%.5f")
    print(_format(rows))


if __name__ == "__main__":
    main()
