"""A tiny bundle for tests: a small network with random weights and a small atlas, ready in a second.

Loaded by conftest.py as a plugin. What the shipped bundle can do is for other tests.
"""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle, ClassInfo, Preprocessing, Thresholds, save_bundle
from blood_lib.inference import Classifier

IMAGE_SIZE, N_FEATURES, N_REFERENCE = 32, 12, 90
COLOURS = {"red": "#d62728", "green": "#2ca02c", "blue": "#1f77b4"}
LABELS = {"red": "rojo", "green": "verde", "blue": "azul"}


def build_tiny_onnx(rng: np.random.Generator, *, half: bool = False) -> bytes:
    """Two convolutions, global average pooling and a linear head that knows red, green and blue.

    Inputs and outputs as every bundle's model has them; `half` stores the head's weights as float16.
    """
    onnx = pytest.importorskip("onnx", reason="the tiny model is drawn up with onnx")
    from onnx import TensorProto, helper, numpy_helper

    first = rng.normal(size=(N_FEATURES, 3, 3, 3), scale=0.05).astype(np.float32)
    first[np.arange(N_FEATURES), np.arange(N_FEATURES) % 3, 1, 1] += 1  # each feature sees one channel best
    weight = rng.normal(size=(3, N_FEATURES), scale=0.05).astype(np.float32)
    weight[np.arange(N_FEATURES) % 3, np.arange(N_FEATURES)] += 2
    bias = rng.normal(size=3, scale=0.01).astype(np.float32)
    dtype = np.float16 if half else np.float32
    stored = "half" if half else ""
    initialisers = [
        numpy_helper.from_array(first, "conv.weight"),
        numpy_helper.from_array(weight.astype(dtype), "head.weight"),
        numpy_helper.from_array(bias.astype(dtype), "head.bias"),
    ]
    names = [f"{name}.{stored}" if half else name for name in ("head.weight", "head.bias")]
    casts = [
        helper.make_node("Cast", [name], [f"{name}.half"], to=TensorProto.FLOAT)
        for name in ("head.weight", "head.bias")
        if half
    ]
    nodes = [
        helper.make_node("Conv", ["images", "conv.weight"], ["conv"], pads=[1, 1, 1, 1], strides=[4, 4]),
        helper.make_node("Relu", ["conv"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        *casts,
        helper.make_node("Gemm", ["features", *names], ["logits"], transB=1),
    ]
    size = IMAGE_SIZE // 4
    shapes = {"logits": ["N", 3], "features": ["N", N_FEATURES], "maps": ["N", N_FEATURES, size, size]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, IMAGE_SIZE, IMAGE_SIZE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def build_tiny_atlas(rng: np.random.Generator) -> Atlas:
    """Ninety cells in three well parted groups; laid out by hand, since fitting takes longer."""
    target = np.arange(N_REFERENCE) % 3
    features = np.abs(rng.normal(size=(N_REFERENCE, N_FEATURES), scale=0.1))
    features[np.arange(N_FEATURES) % 3 == target[:, None]] += 1
    corners = np.array([[-0.6, -0.5], [0.6, -0.5], [0, 0.7]])
    embedding = np.clip(corners[target] + rng.normal(size=(N_REFERENCE, 2), scale=0.1), -1, 1)
    return Atlas(
        features=features.astype(np.float16),
        target=target,
        embedding=embedding,
        scale=15.0,
        pca_mean=features.mean(axis=0),
        pca_components=np.linalg.qr(rng.normal(size=(N_FEATURES, 5)))[0].T,
        perplexity=10,
        random_state=0,
    )


def draw_cell(colour: str = "#d62728", size: tuple[int, int] = (60, 64)) -> Image.Image:
    """A plain image of one colour with a dark dot in the middle."""
    image = Image.new("RGB", size, colour)
    width, height = size
    image.paste("black", (width // 2 - 2, height // 2 - 2, width // 2 + 2, height // 2 + 2))
    return image


def encode(image: Image.Image, format: str = "PNG", **options) -> bytes:
    """The content of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def save_tiny_bundle(folder: Path, *, seed: int = 0, half: bool = False, **changes) -> Bundle:
    """Write a tiny bundle into `folder`; `changes` replace arguments of `save_bundle`."""
    rng = np.random.default_rng(seed)
    files = {"model.onnx": build_tiny_onnx(rng, half=half), "atlas.npz": build_tiny_atlas(rng).to_bytes()}
    files |= {f"examples/{name}.png": encode(draw_cell(colour)) for name, colour in COLOURS.items()}
    arguments = {
        "title": {"en": "Coloured squares", "es": "Cuadrados de colores"},
        "item": {"en": "square", "es": "cuadrado"},
        "items": {"en": "squares", "es": "cuadrados"},
        "classes": [
            ClassInfo(name, {"en": name, "es": LABELS[name]}, colour) for name, colour in COLOURS.items()
        ],
        "preprocessing": Preprocessing(IMAGE_SIZE, 0.8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        "temperature": 1.5,
        "thresholds": Thresholds(confidence=0.6, ood_score=1.2),
        "card": {"intended_use": {"en": "Tests.", "es": "Pruebas."}},
        "files": files,
    }
    return save_bundle(folder, **(arguments | changes))


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of three classes, red, green and blue; shared, so do not change its files."""
    return save_tiny_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def tiny_classifier(tiny_bundle: Bundle) -> Classifier:
    """The tiny bundle's network, compiled."""
    return Classifier(tiny_bundle)
