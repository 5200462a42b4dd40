"""A run on several laboratories as it would be served, and what a classifier says of their cells.

Temperature and thresholds come from PBC's validation split, as those of an exported bundle. `export` makes
bundles with a card.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from blood_lib.inference import Classifier
from blood_lib.inference.calibration import choose_confidence
from blood_lib.inference.network import Network
from blood_lib.study.export.export import draft_bundle
from blood_lib.study.export.fitting import OK_ACCURACY, Outputs
from blood_lib.study.export.graph import build_graph, describe_preprocessing
from blood_lib.study.laboratories.cells import Cells
from blood_lib.study.laboratories.training import assign_parts, show
from blood_lib.study.train.loaders import build_targets
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe

__all__ = ["classify_windows", "serve_run"]


def serve_run(run: Path, cells: Cells) -> Classifier:
    """The network of a finished run on laboratories, with temperature and thresholds as a bundle has them."""
    trained, recipe = load_network(run)
    graph = build_graph(trained, recipe, half=True)
    network = Network(graph, describe_preprocessing(recipe))
    rows = assign_parts(cells.table, recipe.laboratories)
    valid = rows[(rows["part"] == "valid") & (rows["laboratory"] == "pbc")]
    train = _describe(network, cells, rows[rows["part"] == "train"], recipe)
    known = _describe(network, cells, valid, recipe)
    draft = draft_bundle(run, {"model.onnx": graph}, recipe, train, known)
    probs, _ = classify_windows(Classifier(draft, network=network), cells.windows[valid.index])
    confidence = choose_confidence(known.target, probs, accuracy=OK_ACCURACY)
    thresholds = replace(draft.thresholds, confidence=confidence)
    return Classifier(draft.change(files={}, thresholds=thresholds), network=network)


def _describe(network: Network, cells: Cells, rows: pd.DataFrame, recipe: Recipe) -> Outputs:
    """What the network says of the windows of `rows` of the cells' table."""
    logits, features, _ = network(show(cells.windows[rows.index], recipe))
    target, subtype = build_targets(rows).T
    return Outputs(target, subtype, logits, features)


def classify_windows(classifier: Classifier, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N, C) and status (N,) of windows (N, H, H, 3) uint8, each a picture of one cell."""
    pictures = ((str(i), Image.fromarray(window)) for i, window in enumerate(windows))
    results = list(classifier.classify(pictures, kind="cells"))
    probs = np.stack([result.probs for result in results if result.probs is not None])
    return probs, np.array([result.status for result in results])
