"""A trained network becomes a bundle, with its card."""

from blood_lib.study.export.export import (
    EARLIER,
    Outputs,
    choose_ood_threshold,
    compile_network,
    export_bundle,
    export_onnx,
    measure_and_save,
    run_part,
    sample_per_class,
    store_as_float16,
)

__all__ = [
    "EARLIER",
    "Outputs",
    "choose_ood_threshold",
    "compile_network",
    "export_bundle",
    "export_onnx",
    "measure_and_save",
    "run_part",
    "sample_per_class",
    "store_as_float16",
]
