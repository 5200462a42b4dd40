"""The network's last layer, kept apart: features become one score per class.

What the features are is for `network.py`; how a new head is found, for `adapt.py`.
"""

from dataclasses import dataclass

import numpy as np

from blood_lib.files.arrays import load_arrays, save_arrays

__all__ = ["Head"]


@dataclass(frozen=True, eq=False)
class Head:
    """Callable: features (N, D) -> logits (N, C). weight (C, D) and bias (C,), all float32."""

    weight: np.ndarray
    bias: np.ndarray

    def __post_init__(self) -> None:
        shapes = self.weight.shape, self.bias.shape
        if len(shapes[0]) != 2 or shapes[1] != shapes[0][:1]:
            raise ValueError(f"weight and bias have the shapes {shapes[0]} and {shapes[1]}")

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Row by row: a product of whole matrices would round a row by what stands beside it."""
        rows = [self.weight @ row + self.bias for row in np.asarray(features, np.float32)]
        return np.array(rows, np.float32).reshape(-1, len(self.bias))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Head":
        """From the content of an .npz file; nothing in it is executed."""
        arrays = load_arrays(content)
        weight, bias = arrays["weight"], arrays["bias"]
        if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in (weight, bias)):
            raise ValueError("weight and bias need finite numbers of 32 bits")
        return cls(weight, bias)

    def to_bytes(self) -> bytes:
        """The content of an .npz file."""
        return save_arrays(weight=self.weight, bias=self.bias)
