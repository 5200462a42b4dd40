"""The bundle's network in OpenVINO, compiled with normalisation and class activation maps in its graph.

What the numbers mean is for `inference.py`.
"""

import copy
import threading
from collections.abc import Sequence

import numpy as np

from blood_lib.bundle import Bundle, BundleError
from blood_lib.inference.head import Head

__all__ = ["Network"]

_ONNX_START = b"\x08"  # the format's version is its first field
_ELSEWHERE = b"location"  # the key that weights in another file cannot do without (ONNX, "External Data")


class Network:
    """Callable: N images (S, S, 3) uint8 -> logits (N, C), features (N, D), cams (N, C, h, w), all float32.

    Images run one by one, several at a time: so an image's numbers never depend on its neighbours, any N is
    as good as another, and nothing is compiled again. The head is no part of what is compiled.
    """

    def __init__(self, bundle: Bundle, *, exact: bool = False) -> None:
        """exact: in single precision, even where the processor has bfloat16, which is twice as quick."""
        import openvino as ov

        options = {"PERFORMANCE_HINT": "THROUGHPUT"} | ({"INFERENCE_PRECISION_HINT": "f32"} if exact else {})
        try:
            model, self.head = _build(bundle)
            self._compiled = ov.Core().compile_model(model, "CPU", options)
        except (RuntimeError, StopIteration, ValueError) as error:
            why = (str(error) or "an output or the head is missing").split("\n")[0].rstrip(".")
            raise BundleError(
                f"the model of the bundle in {bundle.path} cannot be used ({why}): get the bundle again."
            ) from None
        self._queue = ov.AsyncInferQueue(self._compiled)
        self._queue.set_callback(_store)
        self.n_features = self._compiled.output(0).shape[1]
        self._lock = threading.Lock()

    def with_head(self, head: Head) -> "Network":
        """The same network, compiled once for both, with another head."""
        twin = copy.copy(self)
        twin.head = head
        return twin

    def __call__(self, x: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        outputs = [np.empty((len(x), *port.shape[1:]), np.float32) for port in self._compiled.outputs]
        with self._lock:
            for i, image in enumerate(x):
                self._queue.start_async({0: image[None], 1: self.head.weight}, (outputs, i))
            self._queue.wait_all()
        features, cams = outputs
        return self.head(features), features, cams


def _store(request, where: tuple[list[np.ndarray], int]) -> None:
    outputs, i = where
    for j, output in enumerate(outputs):
        output[i] = request.get_output_tensor(j).data[0]


def _build(bundle: Bundle):
    """The OpenVINO model: images (1, S, S, 3) uint8, weight (C, D) -> features, cams; and its head."""
    import openvino as ov

    size = bundle.preprocessing.image_size
    content = bundle.read("model.onnx")
    _check_content(content)
    model = ov.Core().read_model(content, b"")
    model.reshape([1, 3, size, size])
    logits, features, maps = (_find_output(model, name) for name in ("logits", "features", "maps"))
    _check_shapes(*(list(port.shape) for port in (logits, features, maps)))  # RuntimeError if not fixed
    head = _read_head(bundle, model)
    _check_head(head, bundle, features.shape[1])
    return _normalise(_add_cams(model, features, maps, head), bundle), head


def _check_content(content: bytes) -> None:
    """Only ONNX, whole in itself: OpenVINO would read weights from any file of the machine that it names."""
    if not content.startswith(_ONNX_START):
        raise RuntimeError("it is no ONNX file")
    if _ELSEWHERE in content:
        raise RuntimeError("it keeps weights in other files")


def _find_output(model, name: str):
    return next(port for port in model.outputs if name in port.names).node.input_value(0)


def _check_shapes(logits: list[int], features: list[int], maps: list[int]) -> None:
    """OpenVINO would read past the end of a shape that has fewer axes than it should."""
    if [len(shape) for shape in (logits, features, maps)] != [2, 2, 4] or features != maps[:2]:
        raise RuntimeError(f"its outputs have the shapes {logits}, {features} and {maps}")


def _read_head(bundle: Bundle, model) -> Head:
    """The bundle's own head where it has one, or else the model's."""
    if "head.npz" not in bundle.files:
        weight, bias = (_find_constant(model, f"head.{name}") for name in ("weight", "bias"))
        return Head(weight, bias)
    try:
        return Head.from_bytes(bundle.read("head.npz"))
    except BundleError:
        raise
    except Exception:  # NumPy raises nearly anything
        raise BundleError(
            f"the bundle in {bundle.path} has no readable head: get the bundle again."
        ) from None


def _find_constant(model, name: str) -> np.ndarray:
    node = next(node for node in model.get_ops() if node.get_friendly_name() == name)
    return np.asarray(node.get_data(), np.float32)


def _check_head(head: Head, bundle: Bundle, n_features: int) -> None:
    n_classes = len(bundle.classes)
    if len(head.bias) != n_classes:
        raise BundleError(
            f"the bundle in {bundle.path} names {n_classes} classes, its model knows {len(head.bias)}: "
            "get the bundle again."
        )
    if head.weight.shape[1] != n_features:
        raise BundleError(
            f"the head of the bundle in {bundle.path} belongs to another model: get the bundle again."
        )


def _add_cams(model, features, maps, head: Head):
    """sum_d w[c, d] * maps[d] inside the graph, so that the maps themselves need not leave it."""
    import openvino as ov
    from openvino import opset13 as ops

    _, n_features, height, width = maps.shape
    weight = ops.parameter(head.weight.shape, np.float32)
    flat = ops.reshape(maps, np.array([n_features, height * width]), False)
    shape = np.array([1, len(head.bias), height, width])
    cams = ops.reshape(ops.matmul(weight, flat, False, False), shape, False)
    return ov.Model([ops.result(features), ops.result(cams)], [*model.get_parameters(), weight])


def _normalise(model, bundle: Bundle):
    """Let the graph take uint8 pixels, channels last, and normalise them itself."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    how = bundle.preprocessing
    steps = PrePostProcessor(model)
    images = steps.input(0)
    images.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    images.model().set_layout(ov.Layout("NCHW"))
    images.preprocess().convert_element_type(ov.Type.f32).mean([255 * m for m in how.mean])
    images.preprocess().scale([255 * s for s in how.std])
    return steps.build()
