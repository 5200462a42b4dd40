"""A trained network becomes a bundle with its card."""

from blood_lib.study.export.export import export_bundle
from blood_lib.study.export.fitting import Outputs, choose_ood_threshold, run_split, sample_per_class
from blood_lib.study.export.graph import compile_network, export_onnx, store_as_float16

run_part = run_split  # the name in the committed notebooks, until they run again

__all__ = [
    "Outputs",
    "choose_ood_threshold",
    "compile_network",
    "export_bundle",
    "export_onnx",
    "run_split",
    "sample_per_class",
    "store_as_float16",
]
