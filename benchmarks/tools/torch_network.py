"""The network of a bundle in eager float32 torch: the very graph and weights of its model.onnx, op by op.

Run as a command it classifies files as a plain torch script would. The comparison itself is in `bench.py`.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from PIL import Image
from torch.nn import functional as F

from blood_lib.bundle import Bundle, load_bundle
from blood_lib.images import crop_and_resize, iter_files, load_image

__all__ = ["TorchNetwork", "classify", "prepare"]


class TorchNetwork:
    """Callable: images (N, 3, S, S) float32, normalised -> logits (N, C).

    All that does not depend on the images is computed here, once, as a torch module would hold it.
    """

    def __init__(self, bundle: Bundle) -> None:
        graph = onnx.load_from_string(bundle.read("model.onnx")).graph
        self._known = {
            item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer
        }
        self._nodes = []
        for node in graph.node:
            step = (node.op_type, _read_attributes(node), list(node.input), node.output[0])
            if all(name in self._known for name in node.input if name):
                self._known[node.output[0]] = self._run(step, self._known)
            else:
                self._nodes.append(step)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        values = {**self._known, "images": images}
        for step in self._nodes:
            values[step[3]] = self._run(step, values)
        return values["logits"]

    @staticmethod
    def _run(step: tuple, values: dict[str, torch.Tensor]) -> torch.Tensor:
        op, attributes, names, _ = step
        if op not in _OPS:
            raise NotImplementedError(f"the ONNX operator {op} is not known here: add it to _OPS")
        return _OPS[op](attributes, *(values[name] if name else None for name in names))


def _read_attributes(node: onnx.NodeProto) -> dict:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def _conv(a: dict, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    return F.conv2d(
        x, weight, bias, a.get("strides", 1), (top, left), a.get("dilations", 1), a.get("group", 1)
    )


def _pad(a: dict, x: torch.Tensor, pads: torch.Tensor, value: torch.Tensor | None = None, *_) -> torch.Tensor:
    sizes = pads.tolist()
    starts, ends = sizes[: x.ndim], sizes[x.ndim :]
    flat = [size for start, end in zip(starts[::-1], ends[::-1], strict=True) for size in (start, end)]
    return F.pad(x, flat, value=0.0 if value is None else float(value))


def _slice(a: dict, x: torch.Tensor, *bounds: torch.Tensor) -> torch.Tensor:
    start, stop, axes, step = (bounds[i].tolist() if i < len(bounds) else None for i in range(4))
    array = x.numpy()  # torch has no negative steps
    for axis, first, last, stride in zip(axes, start, stop, step or [1] * len(axes), strict=True):
        array = array[(slice(None),) * axis + (slice(first, None if last < -(2**31) else last, stride),)]
    return torch.from_numpy(array.copy())


_OPS = {
    "Add": lambda a, x, y: x + y,
    "Cast": lambda a, x: x.to(torch.float32 if a["to"] == onnx.TensorProto.FLOAT else torch.int64),
    "Clip": lambda a, x, low, high: x.clamp(low, high),
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "Constant": lambda a: torch.from_numpy(numpy_helper.to_array(a["value"]).copy()),
    "ConstantOfShape": lambda a, shape: torch.zeros(shape.tolist(), dtype=torch.int64),
    "Conv": _conv,
    "Flatten": lambda a, x: x.flatten(1),
    "Gemm": lambda a, x, weight, bias: F.linear(x, weight, bias),
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "Identity": lambda a, x: x,
    "MaxPool": lambda a, x: F.max_pool2d(x, a["kernel_shape"], a["strides"], a["pads"][:2]),
    "Mul": lambda a, x, y: x * y,
    "Pad": _pad,
    "ReduceMean": lambda a, x: x.mean(a["axes"], keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda a, x: x.relu(),
    "Reshape": lambda a, x, shape: x.reshape(shape.tolist()),
    "Sigmoid": lambda a, x: x.sigmoid(),
    "Slice": _slice,
    "Transpose": lambda a, x: x.permute(a["perm"]),
}


def prepare(images: Sequence[Image.Image], bundle: Bundle) -> torch.Tensor:
    """Crop, resize and normalise RGB images to (N, 3, S, S) float32."""
    how = bundle.preprocessing
    pixels = [np.asarray(crop_and_resize(i, image_size=how.image_size, crop=how.crop)) for i in images]
    x = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(how.mean)[:, None, None]) / torch.tensor(how.std)[:, None, None]


@torch.inference_mode()
def classify(network: TorchNetwork, bundle: Bundle, contents: Iterable[bytes], batch_size: int = 64):
    """Probabilities (N, C) of image files, batch by batch: decode, prepare, forward, softmax."""
    contents, probs = list(contents), []
    for start in range(0, len(contents), batch_size):
        images = [load_image(content) for content in contents[start : start + batch_size]]
        probs.append((network(prepare(images, bundle)) / bundle.temperature).softmax(1))
    return torch.cat(probs)


if __name__ == "__main__":
    shipped = load_bundle(sys.argv[1])
    files = (content for _, content in iter_files([Path(sys.argv[2])]))
    print(len(classify(TorchNetwork(shipped), shipped, files)), "files")
