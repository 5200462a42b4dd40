"""Puts a trained detector into a bundle, whose network, map and figures stay as they are to the byte.

A bundle's classifier is trained by others, and its detector by `training`: so that either can be new alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from blood_lib.bundle import Bundle, DetectedClass, DetectorInfo, check_out, load_bundle, open_folder
from blood_lib.detection.detector import Detector
from blood_lib.files.errors import BloodError
from blood_lib.images import load_image
from blood_lib.study.cells import by_name
from blood_lib.study.data.index import find_dataset, hash_pixels, list_files
from blood_lib.study.data.split import split_of
from blood_lib.study.detect.assessment import LOWEST, compute_precisions, look, summarise
from blood_lib.study.detect.exporting import SERVED_KINDS, build_detector, export_detector
from blood_lib.study.detect.fields import KINDS, Field, find_data, load_fields
from blood_lib.study.detect.network import DetectorNetwork
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.training import hash_weights, load_detector, load_log
from blood_lib.study.environment import find_processor
from blood_lib.study.evaluate.costs import count_parameters

__all__ = ["add_detector", "describe_classes", "measure_window"]

_NOMINAL = 4.5  # red cells: about as wide as the pictures of cells are, to look for their ruler
_SHOWN = (  # label and labels in each language, colour
    ({"en": "white cell", "es": "leucocito"}, {"en": "white cells", "es": "leucocitos"}, "#9c2fd6"),
    ({"en": "red cell", "es": "hematíe"}, {"en": "red cells", "es": "hematíes"}, "#e2561f"),
    (
        by_name("platelet").label,
        {"en": "platelets", "es": "plaquetas"},
        by_name("platelet").colour,
    ),
)


def describe_classes() -> tuple[DetectedClass, ...]:
    """What the bundle says of each kind that is found."""
    return tuple(
        DetectedClass(kind.name.replace(" ", "_"), dict(label), labels, kind.role, colour, kind.lowest)
        for kind, (label, labels, colour) in zip(SERVED_KINDS, _SHOWN, strict=True)
    )


def measure_window(detector: Detector, images: Iterable[Image.Image]) -> dict[str, Any]:
    """Median and quartiles of how many red cells wide pictures are, of those with a sound ruler."""
    widths = []
    for image in images:
        ruler = detector(image, crop_width=_NOMINAL).ruler
        if ruler is not None and ruler.is_sound:
            widths.append(min(image.size) / ruler.diameter)
    if not widths:
        raise BloodError("No picture shows enough red cells to measure its width; give pictures with more.")
    low, middle, high = (round(float(value), 2) for value in np.quantile(widths, (0.25, 0.5, 0.75)))
    return {"red_cells": middle, "quartiles": [low, high], "images": len(widths)}


def add_detector(bundle: Bundle, run: Path, data: Path, out: Path, *, earlier: Sequence[Path] = ()) -> Bundle:
    """The bundle `out`: that of `bundle` with the detector of the finished run `run`; raises BloodError.

    data: the folder with the fields and the single cells. The window is measured on the cells' train split,
    and the detector on the validation fields. earlier: the runs that it came from, the latest first.
    """
    check_out(out)
    network, recipe = load_detector(run)
    _check_chain([run, *earlier])
    window = measure_window(build_detector(network, recipe), _iter_train(find_dataset(find_data(data))))
    info = DetectorInfo(recipe.diameter, describe_classes())
    files = {"detector.onnx": export_detector(network), **_keep_runs([run, *earlier])}
    before = bundle.card.get("detector", {}).get("added_to", bundle.sha256)
    told = _describe(network, load_fields(data), [run, *earlier], window)
    card = {**bundle.card, "detector": {"added_to": before, **told}}
    how = replace(bundle.preprocessing, window=window["red_cells"])
    changed = bundle.change(files=files, card=card, detector=info, preprocessing=how)
    with open_folder(out) as new:
        changed.save(new)
    return load_bundle(out)


def _check_chain(runs: Sequence[Path]) -> None:
    """BloodError unless each run started from the next one, and the last from nothing."""
    starts = [load_detector(run)[1].start for run in runs]
    if starts != [*(hash_weights(load_detector(run)[0]) for run in runs[1:]), ""]:
        raise BloodError("Name all runs that the detector came from with --earlier, the latest first.")


def _keep_runs(runs: Sequence[Path]) -> dict[str, bytes]:
    """Recipe and log of the run, and of each earlier one in a folder of its own."""
    kept = {}
    for i, run in enumerate(runs):
        folder = "detector/" + "start/" * i
        kept[folder + "recipe.json"] = load_detector(run)[1].to_json().encode()
        kept[folder + "training.csv"] = load_log(run).to_csv(index=False, lineterminator="\n").encode()
    return kept


def _iter_train(root: Path) -> Iterable[Image.Image]:
    for name in list_files(root):
        image = load_image(root / name)
        if isinstance(image, Image.Image) and split_of(hash_pixels(image)) == "train":
            yield image


def _describe(
    network: DetectorNetwork,
    fields: Sequence[Field],
    runs: Sequence[Path],
    window: dict[str, Any],
) -> dict[str, Any]:
    """What the card says of the detector: how it came about, and what it finds in validation fields."""
    recipe = load_detector(runs[0])[1]
    logs = [load_log(run) for run in runs[::-1]]
    used = [field for field in fields if field.laboratory not in recipe.without]
    return {
        "network": f"CenterNet at a quarter of the size, {count_parameters(network):,} parameters",
        "fields": _count(used),
        "data": _SOURCES,
        "epochs": ", then ".join(str(len(log)) for log in logs),
        "wall_time_s": int(sum(log["seconds"].sum() for log in logs)),
        "hardware": find_processor(),
        "window": window,
        "found_in_validation_fields": _measure(network, recipe, fields),
    }


_SOURCES = {
    "bccd": "BCCD, MIT",
    "pbc": "images of PBC with the boxes of TXL-PBC, CC BY 4.0 and MIT",
    "chula": "WBC_Dataset of Chulalongkorn University, MIT",
    "pigs": "WBC-detection-dataset, blood of pigs, CC0",
    "crops": "further images of PBC, without boxes, CC BY 4.0",
}


def _count(fields: Sequence[Field]) -> dict[str, str]:
    """Laboratory -> its fields to train on, and those to choose on."""
    splits = pd.Series([field.split for field in fields])
    names = pd.Series([field.laboratory for field in fields])
    counts = pd.crosstab(names, splits).reindex(columns=["train", "valid"], fill_value=0)
    return {
        name: f"{row['train']} to train on, {row['valid']} to choose on" for name, row in counts.iterrows()
    }


def _measure(network: DetectorNetwork, recipe: DetectorRecipe, fields: Sequence[Field]) -> dict[str, str]:
    """A line per laboratory, and the average precision where all kinds are boxed."""
    finder = build_detector(network, recipe, lowest=LOWEST)
    shown = look(finder, [field for field in fields if field.split == "valid" and len(field.boxes)])
    lines = {row["fields of"]: _tell(row) for row in summarise({"": shown}).to_dict("records")}
    precisions = compute_precisions(shown)
    told = ", ".join(f"{name} {precisions[name]:.2f}" for name in KINDS)
    return lines | {"average precision at an overlap of a half": told}


def _tell(row: dict[Any, Any]) -> str:
    low, high = (f"{100 * row[f'recall_{end}']:.1f}" for end in ("low", "high"))
    return (
        f"{row['found']} of {row['white cells']} white cells ({low} to {high} %), "
        f"{row['per field']:.2f} false alarms a field, {row['fields']} fields"
    )
