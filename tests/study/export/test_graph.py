"""A network is served as it was trained, in half the bytes where that is asked for."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")
pytest.importorskip("onnx", reason="needs the extra `study`")

from blood_lib.bundle import load_bundle
from blood_lib.study.export.graph import (
    compile_network,
    describe_preprocessing,
    export_onnx,
    store_as_float16,
)
from blood_lib.study.train.loaders import normalise
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe


def test_whole_weights_are_served_as_they_were_trained(tiny_run):
    network, recipe = load_network(tiny_run)
    views = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    with torch.no_grad():
        expected = network(normalise(torch.tensor(views).permute(0, 3, 1, 2).float() / 255)).numpy()
    served = {half: compile_network(network, recipe, half=half, exact=True) for half in (False, True)}
    off = {half: np.abs(serve(views)[0] - expected).max() for half, serve in served.items()}
    assert off[False] < 1e-4
    assert off[False] < off[True]


def test_half_precision_halves_the_model_and_leaves_the_head(tiny_run):
    import onnx

    network, recipe = load_network(tiny_run)
    content = export_onnx(network, recipe.image_size)
    half = store_as_float16(content)
    assert len(half) < 0.52 * len(content)
    kinds = {tensor.name: tensor.data_type for tensor in onnx.load_from_string(half).graph.initializer}
    assert kinds["head.weight"] == onnx.TensorProto.FLOAT


def test_the_test_time_augmentation_of_a_recipe_is_served() -> None:
    options = {"tta_crops": (0.5, 1.0), "tta_below": 0.9}
    how = describe_preprocessing(Recipe(**options))
    assert {name: getattr(how, name) for name in options} == options
    shipped = load_bundle()
    recipe = Recipe.from_json(shipped.read("recipe.json").decode())
    for name in options:
        assert getattr(recipe, name) == getattr(shipped.preprocessing, name)
