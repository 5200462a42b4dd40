"""The bundle: a folder with one trained model and all that is needed to use it. Nothing in it is executable.

What the model computes is for `inference`, what the map shows for `atlas`.
"""

from blood_lib.bundle.index import BUNDLE_FORMAT, BUNDLE_INDEX, EXCLUDED, UNIDENTIFIED, BundleError
from blood_lib.bundle.load import SHIPPED, load_bundle, load_bundle_files, load_bundle_zip
from blood_lib.bundle.record import Bundle, build_bundle, find_class
from blood_lib.bundle.save import check_out, open_folder, save_bundle
from blood_lib.bundle.schema import (
    COUNTED,
    NAMED,
    ROLES,
    RULER,
    ClassInfo,
    DetectedClass,
    DetectorInfo,
    Preprocessing,
    SubtypeInfo,
    Thresholds,
)

__all__ = [
    "BUNDLE_FORMAT",
    "BUNDLE_INDEX",
    "Bundle",
    "BundleError",
    "COUNTED",
    "ClassInfo",
    "DetectedClass",
    "DetectorInfo",
    "EXCLUDED",
    "NAMED",
    "Preprocessing",
    "ROLES",
    "RULER",
    "SHIPPED",
    "SubtypeInfo",
    "Thresholds",
    "UNIDENTIFIED",
    "build_bundle",
    "check_out",
    "find_class",
    "load_bundle",
    "load_bundle_files",
    "load_bundle_zip",
    "open_folder",
    "save_bundle",
]
