"""Turns a finished training run into a bundle: network, calibration, thresholds, map, card, drawn examples.

Everything that is measured here is measured on the network as it will be served. What a bundle is,
`blood_lib.bundle` knows.
"""

import copy
import io
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import pandas as pd
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

from blood_lib.atlas import Atlas
from blood_lib.bundle import (
    Bundle,
    Preprocessing,
    SubtypeInfo,
    Thresholds,
    build_bundle,
    check_out,
    load_bundle,
    open_folder,
)
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from blood_lib.inference.calibration import choose_confidence, fit_temperature
from blood_lib.inference.head import Head
from blood_lib.inference.network import Network
from blood_lib.study.cells import SUBTYPES, class_infos, subtype_infos
from blood_lib.study.data.index import find_dataset
from blood_lib.study.evaluate.labelled import classify_labelled, find_labelled
from blood_lib.study.export.card import TEXTS, build_card
from blood_lib.study.painter import save_examples
from blood_lib.study.train.architectures import CellNetwork
from blood_lib.study.train.loaders import IMAGENET_MEAN, IMAGENET_STD, build_targets, load_views
from blood_lib.study.train.losses import UNKNOWN
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe

__all__ = [
    "EARLIER",
    "Outputs",
    "choose_ood_threshold",
    "compile_network",
    "export_bundle",
    "export_onnx",
    "measure_and_save",
    "run_split",
    "sample_per_class",
    "store_as_float16",
]

MAX_BYTES = 25 * 10**6
OK_ACCURACY = 0.998
"""`ok` should be right this often on the validation split."""
FLAGGED = 0.005
"""Share of the validation split that the threshold of `unfamiliar` lets go: half of the 1 % that may be lost
at home, for among a thousand images a share is known no closer."""
ATLAS_PER_CLASS = 250
EARLIER = ("start/", "teachers/")  # folders of a run or a bundle: how what it learned from was trained
SUBTYPE_C = 0.03
"""Inverse strength of the penalty when the subtypes' head is fitted; chosen on the validation split."""


def export_onnx(network: CellNetwork, image_size: int) -> bytes:
    """`network` as ONNX: images (N, 3, S, S) -> logits (N, C), features (N, D), maps (N, D, h, w)."""
    file, everything = io.BytesIO(), copy.copy(network.eval())
    everything.forward = network.forward_all
    names = ["logits", "features", "maps"]
    example = torch.zeros(1, 3, image_size, image_size)
    with (
        warnings.catch_warnings()
    ):  # the exporter that needs no further package is deprecated, and says so several times
        warnings.simplefilter("ignore")
        torch.onnx.export(
            everything,
            (example,),
            file,
            dynamo=False,
            opset_version=17,
            input_names=["images"],
            output_names=names,
            dynamic_axes={name: {0: "N"} for name in ["images", *names]},
        )
    return file.getvalue()


def store_as_float16(content: bytes) -> bytes:
    """The ONNX model `content` with its large weights stored in half precision and cast back when it is
    loaded.

    The head stays as it is: corrections and heat maps are computed from it.
    """
    model = onnx.load_from_string(content)
    casts = []
    for tensor in model.graph.initializer:
        if (
            tensor.data_type != TensorProto.FLOAT
            or tensor.name.startswith("head.")
            or np.prod(tensor.dims) < 1024
        ):
            continue
        name, half = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.float16"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class Outputs(NamedTuple):
    """What the served network says about a part of the split."""

    target: np.ndarray  # (N,)
    subtype: np.ndarray  # (N,), UNKNOWN where none was told
    logits: np.ndarray  # (N, C)
    features: np.ndarray  # (N, D)


def sample_per_class(target: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Sorted indices of at most `n` members of each class of `target` (N,)."""
    rng = np.random.default_rng(seed)
    members = (np.flatnonzero(target == c) for c in np.unique(target))
    return np.sort(np.concatenate([rng.permutation(m)[:n] for m in members]))


def choose_ood_threshold(ood_score: np.ndarray) -> float:
    """The out-of-distribution score that all but FLAGGED of the cells of the validation split stay below."""
    return float(np.quantile(ood_score, 1 - FLAGGED))


def _read_run(run: Path) -> dict[str, bytes]:
    """What the bundle keeps of its training: the recipe and the log as a table, and those of the bundle that
    was trained further and of the teachers.
    """
    files = [file for name in EARLIER for file in run.glob(f"{name}**/*.*")]
    earlier = {file.relative_to(run).as_posix(): file.read_bytes() for file in sorted(files)}
    own = {"recipe.json": (run / "recipe.json").read_bytes(), "training.csv": (run / "log.csv").read_bytes()}
    return own | earlier


def _draw_examples(seed: int) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as scratch:
        return {
            f"examples/{path.name}": path.read_bytes() for path in save_examples(Path(scratch), seed=seed)
        }


def _describe_preprocessing(recipe: Recipe) -> Preprocessing:
    tta = {"tta_crops": recipe.tta_crops, "tta_below": recipe.tta_below}
    return Preprocessing(recipe.image_size, recipe.crop, IMAGENET_MEAN, IMAGENET_STD, **tta)


def _build_model(network: CellNetwork, recipe: Recipe, half: bool) -> bytes:
    """The file model.onnx."""
    content = export_onnx(network, recipe.image_size)
    return store_as_float16(content) if half else content


def compile_network(
    network: CellNetwork, recipe: Recipe, *, half: bool = True, exact: bool = False
) -> Network:
    """`network` as it will be served, before its bundle can be finished; `half` as in `export_bundle`,
    `exact` as in `Network`.
    """
    return Network(_build_model(network, recipe, half), _describe_preprocessing(recipe), exact=exact)


def run_split(network: Network, root: Path, split: pd.DataFrame, part: str, recipe: Recipe) -> Outputs:
    """What the served `network` says about the images of `part`, whose files are in `root`."""
    rows = split[split["part"] == part]
    views = load_views(root, rows["file"].tolist(), size=recipe.image_size, crop=recipe.crop)
    logits, features, _ = network(views)
    return Outputs(*build_targets(rows).T, logits, features)


def _build_atlas(train: Outputs, seed: int) -> Atlas:
    chosen = sample_per_class(train.target, ATLAS_PER_CLASS, seed)
    cells = train.features[chosen], train.target[chosen]
    return Atlas.fit(*cells, known=train.features, random_state=seed)


def _build_subtypes(train: Outputs, valid: Outputs) -> tuple[tuple[SubtypeInfo, ...], dict[str, bytes]]:
    """The bundle's subtypes and the file of their head: a logistic regression on the features, divided by its
    temperature. None where the training split does not have all of them.
    """
    rows, told = train.subtype != UNKNOWN, valid.subtype != UNKNOWN
    if len(np.unique(train.subtype[rows])) < len(SUBTYPES) or not told.any():
        return (), {}
    scale = train.features[rows].std()
    fit = LogisticRegression(C=SUBTYPE_C, max_iter=1000).fit(
        train.features[rows] / scale, train.subtype[rows]
    )
    head = Head(np.float32(fit.coef_ / scale), np.float32(fit.intercept_))
    temperature = np.float32(fit_temperature(valid.subtype[told], head(valid.features[told])))
    head = Head(head.weight / temperature, head.bias / temperature)
    return subtype_infos(), {"subtypes.npz": head.to_bytes()}


def _check_size(files: dict[str, bytes]) -> None:
    size = sum(len(content) for content in files.values())
    if size > MAX_BYTES:
        raise BloodError(
            f"The bundle would have {size / 1e6:.1f} MB, more than {MAX_BYTES / 1e6:.0f}; "
            "train a smaller network."
        )


def measure_and_save(
    out: Path, served: Network, model: dict[str, bytes], run: Path, root: Path, external: Path | None
) -> None:
    """Write the bundle `out`: the files `model` hold the network `served` and how it was trained, all else is
    made here.
    """
    recipe = Recipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
    split = pd.read_csv(run / "split.csv", keep_default_na=False)
    train, valid = (run_split(served, root, split, part, recipe) for part in ("train", "valid"))
    atlas = _build_atlas(train, recipe.seed)
    temperature = fit_temperature(valid.target, valid.logits)
    subtypes, subtype_files = _build_subtypes(train, valid)
    files = {**model, "atlas.npz": atlas.to_bytes(), **subtype_files, **_draw_examples(recipe.seed)}
    _check_size(files)
    limit = choose_ood_threshold(atlas.ood_score(valid.features))
    draft = build_bundle(
        out,
        **TEXTS,
        classes=class_infos(),
        preprocessing=_describe_preprocessing(recipe),
        temperature=temperature,
        thresholds=Thresholds(0.0, limit),
        card={},
        files=files,
        subtypes=subtypes,
    )
    confidence = _choose_confidence(Classifier(draft, network=served), split, root)
    bundle = draft.change(files={}, thresholds=Thresholds(confidence, limit))
    card = build_card(Classifier(bundle, network=served), run, recipe, split, root, external)
    bundle.change(files={}, card=card).save(out)


def _choose_confidence(classifier: Classifier, split: pd.DataFrame, root: Path) -> float:
    """The confidence from which OK_ACCURACY of the answers about the validation split are right."""
    answers = classify_labelled(classifier, root, split[split["part"] == "valid"])
    return choose_confidence(answers.target, answers.probs, accuracy=OK_ACCURACY)


def export_bundle(
    run: Path, folder: Path, out: Path, *, external: Path | None = None, half: bool = True
) -> Bundle:
    """Make the bundle `out` from the finished run `run`, which was trained on the dataset in `folder`.

    external: images from another source, a folder per class, that only add to the bundle's figures. half:
    store the weights in half the bytes, which moves a doubtful image's probabilities by up to some 0.002.
    A bundle that is in `out` already is replaced once the new one is whole. Raises BloodError when the run is
    not finished, the bundle would be larger than MAX_BYTES, or `out` holds something else.
    """
    network, recipe = load_network(run)
    check_out(out)
    if external is not None:
        find_labelled(external, class_infos())
    model = {"model.onnx": _build_model(network, recipe, half), **_read_run(run)}
    served = Network(model["model.onnx"], _describe_preprocessing(recipe))
    with open_folder(out) as new:
        measure_and_save(new, served, model, run, find_dataset(folder), external)
    return load_bundle(out)
