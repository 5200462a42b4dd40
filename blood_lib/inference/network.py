"""A network in OpenVINO, compiled with normalisation and class activation maps in its graph.

What its numbers mean is for `classifier.py`.
"""

import copy
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from blood_lib.bundle import Bundle, BundleError, Preprocessing
from blood_lib.inference.head import Head

if TYPE_CHECKING:
    import openvino as ov

__all__ = ["Network", "check_content"]

_ONNX_START = b"\x08"  # the format's version is its first field
_EXTERNAL_DATA = b"location"  # the key that weights in another file cannot do without (ONNX, "External Data")


class Network:
    """Callable: N images (S, S, 3) uint8 -> logits (N, C), features (N, D), cams (N, C, h, w), all float32.

    Images run one by one, several at a time. So an image's numbers never depend on its neighbours, any N is
    as good as another, and nothing is compiled again. The head stays outside of what is compiled.
    """

    def __init__(
        self, graph: bytes, preprocessing: Preprocessing, *, head: Head | None = None, exact: bool = False
    ) -> None:
        """Compile `graph`, an ONNX file: images (N, 3, S, S) -> logits, features, maps (N, D, h, w).

        head: used instead of the graph's own. exact: compute in single precision even where the processor
        has bfloat16, which is twice as fast. Raises ValueError for a graph that is no such network.
        """
        import openvino as ov

        options = {"PERFORMANCE_HINT": "THROUGHPUT"} | ({"INFERENCE_PRECISION_HINT": "f32"} if exact else {})
        try:
            model, self.head = _build(graph, preprocessing, head)
            self._compiled = ov.Core().compile_model(model, "CPU", options)
        except (RuntimeError, StopIteration) as error:
            raise ValueError((str(error) or "an output or the head is missing").split("\n")[0]) from None
        self._queue = ov.AsyncInferQueue(self._compiled)
        self._queue.set_callback(_store)
        self.n_features: int = self._compiled.output(0).shape[1]
        self.image_size = preprocessing.image_size
        self._lock = threading.Lock()

    @classmethod
    def from_bundle(cls, bundle: Bundle, *, exact: bool = False) -> "Network":
        """The network of `bundle`; exact: as in `Network`. Raises BundleError."""
        head = _read_head(bundle)
        try:
            network = cls(bundle.read("model.onnx"), bundle.preprocessing, head=head, exact=exact)
        except ValueError as error:
            why = str(error).rstrip(".")
            raise BundleError(
                f"the model of the bundle in {bundle.path} cannot be used ({why}): get the bundle again."
            ) from None
        if len(network.head.bias) != len(bundle.classes):
            raise BundleError(
                f"the bundle in {bundle.path} names {len(bundle.classes)} classes, its model knows "
                f"{len(network.head.bias)}: get the bundle again."
            )
        return network

    def with_head(self, head: Head) -> "Network":
        """The same network with another head of the same shape; it is compiled once for both."""
        if head.weight.shape != self.head.weight.shape:
            raise ValueError(f"the head's weight is {head.weight.shape}, not {self.head.weight.shape}")
        twin = copy.copy(self)
        twin.head = head
        return twin

    def __call__(self, x: Sequence[np.ndarray] | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Raises ValueError for an image of another shape or type."""
        shape = (self.image_size, self.image_size, 3)
        for image in x:  # OpenVINO would raise too, but keep the place in its queue and wait for it for ever
            if image.shape != shape or image.dtype != np.uint8:
                raise ValueError(f"an image is {image.dtype} {image.shape}; it should be uint8 {shape}")
        outputs = [np.empty((len(x), *port.shape[1:]), np.float32) for port in self._compiled.outputs]
        with self._lock:
            for i, image in enumerate(x):
                self._queue.start_async({0: image[None], 1: self.head.weight}, (outputs, i))
            self._queue.wait_all()
        features, cams = outputs
        return self.head(features), features, cams


def _store(request: "ov.InferRequest", where: tuple[list[np.ndarray], int]) -> None:
    outputs, i = where
    for j, output in enumerate(outputs):
        output[i] = request.get_output_tensor(j).data[0]


def _read_head(bundle: Bundle) -> Head | None:
    """The head that the bundle keeps apart; None where it has only the model's."""
    if "head.npz" not in bundle.files:
        return None
    content = bundle.read("head.npz")
    try:
        return Head.from_bytes(content)
    except Exception:  # NumPy raises nearly anything
        raise BundleError(
            f"the bundle in {bundle.path} has no readable head: get the bundle again."
        ) from None


def _build(graph: bytes, preprocessing: Preprocessing, head: Head | None) -> "tuple[ov.Model, Head]":
    """The OpenVINO model: images (1, S, S, 3) uint8, weight (C, D) -> features, cams; and its head."""
    import openvino as ov

    check_content(graph)
    model = ov.Core().read_model(graph, b"")
    model.reshape([1, 3, preprocessing.image_size, preprocessing.image_size])
    logits, features, maps = (_find_output(model, name) for name in ("logits", "features", "maps"))
    _check_shapes(*(list(port.shape) for port in (logits, features, maps)))  # RuntimeError if not fixed
    head = head or Head(*(_find_constant(model, f"head.{name}") for name in ("weight", "bias")))
    if head.weight.shape[1] != features.shape[1]:
        raise ValueError("its head belongs to another model")
    return _normalise(_add_cams(model, features, maps, head), preprocessing), head


def check_content(content: bytes) -> None:
    """RuntimeError unless it is ONNX, whole in itself.

    OpenVINO would read weights from any file of the machine that it names.
    """
    if not content.startswith(_ONNX_START):
        raise RuntimeError("it is no ONNX file")
    if _EXTERNAL_DATA in content:
        raise RuntimeError("it keeps weights in other files")


def _find_output(model: "ov.Model", name: str) -> "ov.Output":
    return next(port for port in model.outputs if name in port.names).node.input_value(0)


def _check_shapes(logits: list[int], features: list[int], maps: list[int]) -> None:
    """OpenVINO would read past the end of a shape that has fewer axes than it should."""
    if [len(shape) for shape in (logits, features, maps)] != [2, 2, 4] or features != maps[:2]:
        raise RuntimeError(f"its outputs have the shapes {logits}, {features} and {maps}")


def _find_constant(model: "ov.Model", name: str) -> np.ndarray:
    node = next(node for node in model.get_ops() if node.get_friendly_name() == name)
    return np.asarray(node.get_data(), np.float32)


def _add_cams(model: "ov.Model", features: "ov.Output", maps: "ov.Output", head: Head) -> "ov.Model":
    """sum_d w[c, d] * maps[d] inside the graph, so that the maps themselves need not leave it."""
    import openvino as ov
    from openvino import opset13 as ops

    _, n_features, height, width = maps.shape
    weight = ops.parameter(head.weight.shape, np.float32)
    flat = ops.reshape(maps, np.array([n_features, height * width]), False)
    shape = np.array([1, len(head.bias), height, width])
    cams = ops.reshape(ops.matmul(weight, flat, False, False), shape, False)
    return ov.Model([ops.result(features), ops.result(cams)], [*model.get_parameters(), weight])


def _normalise(model: "ov.Model", how: Preprocessing) -> "ov.Model":
    """Let the graph take uint8 pixels, channels last, and normalise them itself."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    images = steps.input(0)
    images.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    images.model().set_layout(ov.Layout("NCHW"))
    images.preprocess().convert_element_type(ov.Type.f32).mean([255 * m for m in how.mean])
    images.preprocess().scale([255 * s for s in how.std])
    return steps.build()
