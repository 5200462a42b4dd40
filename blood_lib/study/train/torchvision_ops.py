"""Lets torchvision be imported beside a CPU-only torch; import this before torchvision or fastai.

The Linux wheels of torchvision carry an operator library built for CUDA, which cannot load beside a CPU-only
torch. torchvision then fails on import: it registers Python kernels for two operators that nobody declared.
The study's networks use neither, so declaring them is enough. Where the library loads, nothing is declared.
"""

import importlib.util
from pathlib import Path

import torch

__all__ = ["declare_missing_operators"]

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_keep_alive: list[torch.library.Library] = []  # a Library that is collected takes its operators with it


def _load_operator_library() -> None:
    """Load torchvision's own operators where they can be loaded, as torchvision would do a moment later."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return
    package = Path(found.origin).parent
    for library in package.glob("_C*.so"):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            continue


def declare_missing_operators() -> None:
    """Declare `torchvision::nms` and `torchvision::qnms` unless torchvision's own library provides them."""
    if _keep_alive:
        return
    _load_operator_library()
    missing = [schema for name, schema in _SCHEMAS.items() if not hasattr(torch.ops.torchvision, name)]
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for schema in missing:
            library.define(schema)
        _keep_alive.append(library)


declare_missing_operators()
