"""Turns a finished training run into a bundle: network, calibration, thresholds, map, card, drawn examples.

Everything is measured on the network as it will be served. `blood_lib.bundle` knows what a bundle is.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd

from blood_lib.bundle import (
    Bundle,
    SubtypeInfo,
    Thresholds,
    build_bundle,
    check_out,
    load_bundle,
    open_folder,
)
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from blood_lib.inference.calibration import fit_temperature
from blood_lib.inference.network import Network
from blood_lib.study.cells import class_infos
from blood_lib.study.data.index import find_dataset
from blood_lib.study.evaluate.labelled import find_labelled
from blood_lib.study.export.card import TEXTS, build_card
from blood_lib.study.export.fitting import (
    Outputs,
    choose_ok_confidence,
    choose_ood_threshold,
    fit_atlas,
    fit_subtypes,
    run_split,
)
from blood_lib.study.export.graph import build_graph, describe_preprocessing
from blood_lib.study.export.limits import add_limits
from blood_lib.study.painter import save_examples
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe

__all__ = ["EARLIER", "draft_bundle", "export_bundle", "measure_and_save"]

MAX_BYTES = 25 * 10**6
EARLIER = ("start/", "teachers/")
"""Folders of a run or a bundle that keep how the networks it learned from were trained."""


def _read_run(run: Path) -> dict[str, bytes]:
    """What the bundle keeps of its training: recipe and log, and those of its start and its teachers."""
    files = [file for name in EARLIER for file in run.glob(f"{name}**/*.*")]
    earlier = {file.relative_to(run).as_posix(): file.read_bytes() for file in sorted(files)}
    own = {"recipe.json": (run / "recipe.json").read_bytes(), "training.csv": (run / "log.csv").read_bytes()}
    return own | earlier


def _draw_examples(seed: int) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as scratch:
        return {
            f"examples/{path.name}": path.read_bytes() for path in save_examples(Path(scratch), seed=seed)
        }


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
    """Write the bundle `out`: fit, measure and describe all but its network.

    model: the files that hold the network `served`, and how it was trained.
    """
    recipe = Recipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
    split = pd.read_csv(run / "split.csv", keep_default_na=False)
    train, valid = (run_split(served, root, split, name, recipe) for name in ("train", "valid"))
    subtypes, subtype_files = fit_subtypes(train, valid)
    files = {**model, **subtype_files, **_draw_examples(recipe.seed)}
    draft = draft_bundle(out, files, recipe, train, valid, subtypes=subtypes)
    draft = add_limits(draft, root, split)
    confidence = choose_ok_confidence(Classifier(draft, network=served), split, root)
    bundle = draft.change(files={}, thresholds=replace(draft.thresholds, confidence=confidence))
    card = build_card(Classifier(bundle, network=served), run, recipe, split, root, external)
    bundle.change(files={}, card=card).save(out)


def draft_bundle(
    out: Path,
    files: dict[str, bytes],
    recipe: Recipe,
    train: Outputs,
    valid: Outputs,
    *,
    subtypes: tuple[SubtypeInfo, ...] = (),
) -> Bundle:
    """The bundle `out`, in memory: map, temperature and the limit of `unfamiliar` are fitted to what the
    served network says of both splits. All is `ok`, however unsure, and there is no card yet.
    """
    atlas = fit_atlas(train, recipe.seed)
    files = {**files, "atlas.npz": atlas.to_bytes()}
    _check_size(files)
    return build_bundle(
        out,
        **TEXTS,
        classes=class_infos(),
        preprocessing=describe_preprocessing(recipe),
        temperature=fit_temperature(valid.target, valid.logits),
        thresholds=Thresholds(0.0, choose_ood_threshold(atlas.ood_score(valid.features))),
        card={},
        files=files,
        subtypes=subtypes,
    )


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
    model = {"model.onnx": build_graph(network, recipe, half), **_read_run(run)}
    served = Network(model["model.onnx"], describe_preprocessing(recipe))
    with open_folder(out) as new:
        measure_and_save(new, served, model, run, find_dataset(folder), external)
    return load_bundle(out)
