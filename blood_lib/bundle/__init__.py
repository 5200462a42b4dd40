"""The bundle: a folder with one trained model and all that is needed to use it.

What the model computes is for `inference`, what the map shows for `atlas`.
"""

from blood_lib.bundle.bundle import (
    BUNDLE_FORMAT,
    BUNDLE_INDEX,
    EXCLUDED,
    SHIPPED,
    UNIDENTIFIED,
    Bundle,
    BundleError,
    ClassInfo,
    Preprocessing,
    SubtypeInfo,
    Thresholds,
    check_out,
    find_class,
    load_bundle,
    load_bundle_files,
    load_bundle_zip,
    open_folder,
    save_bundle,
)

__all__ = [
    "BUNDLE_FORMAT",
    "BUNDLE_INDEX",
    "Bundle",
    "BundleError",
    "ClassInfo",
    "EXCLUDED",
    "SHIPPED",
    "Preprocessing",
    "SubtypeInfo",
    "Thresholds",
    "UNIDENTIFIED",
    "check_out",
    "find_class",
    "load_bundle",
    "load_bundle_files",
    "load_bundle_zip",
    "open_folder",
    "save_bundle",
]
