"""The bundle's network in OpenVINO, compiled with normalisation and class activation maps in its graph.

What the numbers mean is for `inference.py`.
"""

import threading
from collections.abc import Sequence

import numpy as np

from blood_lib.bundle import Bundle, BundleError

__all__ = ["Network"]


class Network:
    """Callable: N images (S, S, 3) uint8 -> logits (N, C), features (N, D), cams (N, C, h, w), all float32.

    Images run one by one, several at a time: so an image's numbers never depend on its neighbours, any N is
    as good as another, and nothing is compiled again.
    """

    def __init__(self, bundle: Bundle) -> None:
        import openvino as ov

        try:
            model = _build(bundle)
            self._compiled = ov.Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
        except (RuntimeError, StopIteration) as error:
            why = (str(error) or "an output or the head is missing").split("\n")[0].rstrip(".")
            raise BundleError(
                f"the model of the bundle in {bundle.path} cannot be used ({why}): get the bundle again."
            ) from None
        self._queue = ov.AsyncInferQueue(self._compiled)
        self._queue.set_callback(_store)
        self.n_features = self._compiled.output(1).shape[1]
        self._lock = threading.Lock()

    def __call__(self, x: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        outputs = [np.empty((len(x), *port.shape[1:]), np.float32) for port in self._compiled.outputs]
        with self._lock:
            for i, image in enumerate(x):
                self._queue.start_async({0: image[None]}, (outputs, i))
            self._queue.wait_all()
        return tuple(outputs)


def _store(request, where: tuple[list[np.ndarray], int]) -> None:
    outputs, i = where
    for j, output in enumerate(outputs):
        output[i] = request.get_output_tensor(j).data[0]


def _build(bundle: Bundle):
    """The OpenVINO model: `images` (1, S, S, 3) uint8 -> logits, features, cams."""
    import openvino as ov

    size = bundle.preprocessing.image_size
    model = ov.Core().read_model(bundle.read("model.onnx"), b"")
    model.reshape([1, 3, size, size])
    model = _add_cams(model)
    _check_outputs(model, bundle)
    return _normalise(model, bundle)


def _check_outputs(model, bundle: Bundle) -> None:
    """OpenVINO would read past the end of a shape that has fewer axes than it should."""
    logits, features, cams = (list(port.shape) for port in model.outputs)  # RuntimeError if not fixed
    if [len(shape) for shape in (logits, features, cams)] != [2, 2, 4] or logits != cams[:2]:
        raise RuntimeError(f"its outputs have the shapes {logits}, {features} and {cams}")
    if logits[1] != len(bundle.classes):
        raise BundleError(
            f"the bundle in {bundle.path} names {len(bundle.classes)} classes, its model knows {logits[1]}: "
            "get the bundle again."
        )


def _add_cams(model):
    """sum_d w[c, d] * maps[d] inside the graph, so that the maps themselves need not leave it."""
    import openvino as ov
    from openvino import opset13 as ops

    def output(name: str):
        return next(port for port in model.outputs if name in port.names).node.input_value(0)

    weight = next(node for node in model.get_ops() if node.get_friendly_name() == "head.weight")
    kernel = ops.convert(ops.unsqueeze(weight, np.array([2, 3])), "f32")
    cams = ops.convolution(output("maps"), kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    wanted = (output("logits"), output("features"), cams)
    return ov.Model([ops.result(node) for node in wanted], model.get_parameters())


def _normalise(model, bundle: Bundle):
    """Let the graph take uint8 pixels, channels last, and normalise them itself."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    how = bundle.preprocessing
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).mean([255 * m for m in how.mean])
    steps.input().preprocess().scale([255 * s for s in how.std])
    return steps.build()
