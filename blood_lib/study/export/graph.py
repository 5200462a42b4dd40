"""A trained network as it is served: its ONNX graph, weights in half precision, and its preprocessing.

`fitting` measures what is fitted on the served network.
"""

import copy
import io
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from blood_lib.bundle import Preprocessing
from blood_lib.inference.network import Network
from blood_lib.study.train.architectures import CellNetwork
from blood_lib.study.train.loaders import IMAGENET_MEAN, IMAGENET_STD
from blood_lib.study.train.recipe import Recipe

__all__ = ["build_graph", "compile_network", "describe_preprocessing", "export_onnx", "store_as_float16"]


def export_onnx(network: CellNetwork, image_size: int) -> bytes:
    """`network` as ONNX: images (N, 3, S, S) -> logits (N, C), features (N, D), maps (N, D, h, w)."""
    file, everything = io.BytesIO(), copy.copy(network.eval())
    everything.forward = network.forward_all  # type: ignore[assignment, method-assign]
    names = ["logits", "features", "maps"]
    example = torch.zeros(1, 3, image_size, image_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecation: the other exporter needs a further package
        torch.onnx.export(
            everything,
            (example,),
            file,  # type: ignore[arg-type]  # it takes an open file, too
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


def describe_preprocessing(recipe: Recipe) -> Preprocessing:
    """How an image becomes what a network of this recipe sees."""
    return Preprocessing(
        recipe.image_size,
        recipe.crop,
        IMAGENET_MEAN,
        IMAGENET_STD,
        tta_crops=recipe.tta_crops,
        tta_below=recipe.tta_below,
    )


def build_graph(network: CellNetwork, recipe: Recipe, half: bool) -> bytes:
    """The file model.onnx of a bundle; `half` as in `export_bundle`."""
    content = export_onnx(network, recipe.image_size)
    return store_as_float16(content) if half else content


def compile_network(
    network: CellNetwork, recipe: Recipe, *, half: bool = True, exact: bool = False
) -> Network:
    """`network` as its bundle will serve it; `half` as in `export_bundle`, `exact` as in `Network`."""
    return Network(build_graph(network, recipe, half), describe_preprocessing(recipe), exact=exact)
