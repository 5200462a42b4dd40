"""A trained network becomes a bundle with its card."""

from blood_lib.study.export.export import (
    EARLIER,
    Outputs,
    choose_ood_threshold,
    compile_network,
    export_bundle,
    export_onnx,
    measure_and_save,
    run_split,
    sample_per_class,
    store_as_float16,
)

run_part = run_split  # the name in the committed notebooks, until they run again

__all__ = [
    "EARLIER",
    "Outputs",
    "choose_ood_threshold",
    "compile_network",
    "export_bundle",
    "export_onnx",
    "measure_and_save",
    "run_split",
    "sample_per_class",
    "store_as_float16",
]
