"""A bundle that has nothing to do with blood: a small network, really trained on scikit-learn's digits.

In seconds on one core. What the page makes of it is for tests/test_digits.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.special import softmax
from sklearn.datasets import load_digits
from torch import nn

from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle, ClassInfo, Preprocessing, Thresholds, save_bundle
from blood_lib.inference.calibration import choose_confidence, fit_temperature
from blood_lib.study.export import choose_ood_threshold, export_onnx, sample_per_class
from blood_lib.study.train.architectures import CellNetwork
from tests.tools.fixtures_bundle import encode

__all__ = ["draw_digit", "read_digits", "save_digits_bundle"]

SIDE = 32  # px, of the image and of what the network sees
N_TRAIN, N_VALID = 1100, 350  # of 1,797; the rest is for the tests
N_EPOCHS, BATCH = 12, 50
N_FEATURES = 48
MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPANISH = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
COLOURS = (
    "#3e55f5", "#ee416f", "#9f5619", "#8b628e", "#2a9aee",
    "#2c825c", "#aa9302", "#939397", "#c04cc0", "#4a8f0c",
)  # fmt: skip
TEXTS = {
    "title": {"en": "Handwritten digits", "es": "Dígitos manuscritos"},
    "item": {"en": "digit", "es": "dígito"},
    "items": {"en": "digits", "es": "dígitos"},
}
CARD = {
    "intended_use": {"en": "Single handwritten digits.", "es": "Dígitos manuscritos sueltos."},
    "not_for": {"en": "Reading whole numbers.", "es": "Leer números enteros."},
    "limits": [{"en": "Scans of 8 × 8 pixels only.", "es": "Solo escaneos de 8 × 8 píxeles."}],
    "dataset": {"name": "scikit-learn, load_digits"},
}


def draw_digit(pixels: np.ndarray) -> Image.Image:
    """One of the data set's digits, pixels (8, 8) from 0 to 16, as dark ink on white paper."""
    grey = (255 - pixels * (255 / 16)).astype(np.uint8)
    return Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BILINEAR).convert("RGB")


def read_digits() -> tuple[np.ndarray, np.ndarray]:
    """images (N, 8, 8) and target (N,), always in the same order: train, valid, the rest for tests."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    return data.images[order], data.target[order]


def save_digits_bundle(folder: Path) -> Bundle:
    """Train the network and write its bundle into `folder`."""
    images, target = read_digits()
    x = torch.from_numpy(np.stack([_to_input(pixels) for pixels in images]))
    network = _train(x[:N_TRAIN], torch.from_numpy(target[:N_TRAIN]))
    logits, features = _run(network, x)
    chosen = sample_per_class(target[:N_TRAIN], 40, seed=0)
    atlas = Atlas.fit(features[chosen], target[chosen])
    valid = slice(N_TRAIN, N_TRAIN + N_VALID)
    temperature = fit_temperature(target[valid], logits[valid])
    probs = softmax(logits[valid] / temperature, axis=1)
    confidence = choose_confidence(target[valid], probs, accuracy=0.99)
    examples = {f"examples/{i}.png": encode(draw_digit(pixels)) for i, pixels in enumerate(images[-10:])}
    return save_bundle(
        folder,
        **TEXTS,
        classes=[
            ClassInfo(english, {"en": english, "es": spanish}, colour)
            for english, spanish, colour in zip(ENGLISH, SPANISH, COLOURS, strict=True)
        ],
        preprocessing=Preprocessing(SIDE, 1.0, MEAN, STD),
        temperature=temperature,
        thresholds=Thresholds(confidence, choose_ood_threshold(atlas.ood_score(features[valid]))),
        card=CARD,
        files={"model.onnx": export_onnx(network, SIDE), "atlas.npz": atlas.to_bytes()} | examples,
    )


def _to_input(pixels: np.ndarray) -> np.ndarray:
    """(3, S, S) float32: what the served network makes of the drawn digit."""
    return ((np.asarray(draw_digit(pixels)) / 255 - MEAN) / STD).transpose(2, 0, 1).astype(np.float32)


def _build() -> CellNetwork:
    sizes = (3, 16, 32, N_FEATURES)
    layers = [
        layer
        for n, m in zip(sizes, sizes[1:], strict=False)
        for layer in (nn.Conv2d(n, m, 3, stride=2, padding=1), nn.BatchNorm2d(m), nn.ReLU())
    ]
    return CellNetwork(nn.Sequential(*layers), N_FEATURES, len(ENGLISH), dropout=0)


def _train(x: torch.Tensor, target: torch.Tensor) -> CellNetwork:
    torch.manual_seed(0)
    network = _build()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    with _one_thread():
        for _ in range(N_EPOCHS):
            for some in torch.randperm(len(x)).split(BATCH):
                optimiser.zero_grad()
                nn.functional.cross_entropy(network(x[some]), target[some]).backward()
                optimiser.step()
    return network.eval()


@contextmanager
def _one_thread() -> Iterator[None]:
    """In so small a network, several only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@torch.inference_mode()
def _run(network: CellNetwork, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    logits, features, _ = network.forward_all(x)
    return logits.numpy(), features.numpy()
