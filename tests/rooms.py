"""The rooms of the package: who may import whom, between rooms and inside them. `test_imports.py` holds it.

MAY_IMPORT names for each room all rooms that it may import. INSIDE has the modules of a room in layers: each
may import those of the layers before its own.
"""

__all__ = ["INSIDE", "LAZY", "MAY_IMPORT"]

BASE = {"files", "bundle"}
AREA = BASE | {"dashboard/state", "dashboard/widgets"}
AREAS = {"upload", "help", "field", "chart", "gallery", "viewer", "map", "review", "report"}
STUDY = {"study/cells", "study/environment", "study/progress"}

MAY_IMPORT: dict[str, set[str]] = {
    # the core
    "files": set(),
    "images": {"files"},
    "bundle": {"files"},
    "atlas": {"files"},
    "counts": {"bundle"},
    "detection": {"bundle"},
    "inference": {"files", "images", "bundle", "atlas", "counts", "detection"},
    "tables": {"files", "inference"},
    "cli": {"files", "images", "bundle", "detection", "inference", "tables"},
    # the dashboard
    "dashboard/state": BASE | {"images", "inference"},
    "dashboard/widgets": BASE | {"images", "dashboard/state"},
    "dashboard/viewer": AREA | {"atlas", "inference"},
    "dashboard/map": AREA | {"atlas", "dashboard/viewer"},
    "dashboard/review": AREA | {"images", "detection", "inference"},
    "dashboard/gallery": AREA | {"dashboard/review"},
    "dashboard/field": AREA | {"images", "detection", "inference", "dashboard/review"},
    "dashboard/upload": AREA | {"images", "inference", "dashboard/review", "dashboard/field"},
    "dashboard/chart": AREA | {"counts"},
    "dashboard/help": AREA,
    "dashboard/report": AREA | {"inference", "tables", "dashboard/chart", "dashboard/help"},
    "dashboard/app": AREA | {"inference"} | {f"dashboard/{area}" for area in AREAS},
    "dashboard/server": BASE | {"dashboard/app", "dashboard/state"},
    # the study
    "study/cells": {"bundle"},
    "study/environment": set(),
    "study/progress": set(),
    "study/moved": set(),
    "study/painter": {"study/cells"},
    "study/data": {"files", "images", "study/painter"} | STUDY,
    "study/train": {"files", "images", "bundle", "inference", "study/data"} | STUDY,
    "study/plots": {"counts", "inference", "study/train"} | STUDY,
    "study/evaluate": BASE | {"counts", "inference", "study/data", "study/train", "study/plots"} | STUDY,
    "study/notebooks": {"files", "counts", "study/data", "study/train", "study/plots"} | STUDY,
    "study/export": BASE
    | {"atlas", "counts", "inference", "study/painter", "study/data", "study/train", "study/evaluate"}
    | STUDY,
    "study/detect": BASE
    | {"images", "counts", "detection", "study/painter"}
    | {f"study/{room}" for room in ["data", "train", "evaluate", "export"]}
    | STUDY,
    "study/laboratories": BASE
    | {"images", "counts", "inference", "detection"}
    | {f"study/{room}" for room in ["data", "train", "export", "detect"]}
    | STUDY,
    "study/interpret": BASE
    | {"images", "inference", "study/data", "study/train", "study/evaluate", "study/export"}
    | STUDY,
    "study/cli": BASE
    | {
        "inference",
        *(f"study/{room}" for room in ["data", "train", "laboratories", "evaluate", "notebooks", "export"]),
    }
    | STUDY,
    # the doors: the command line, and where the committed notebooks look for what has moved
    "__main__": {"files", "cli", "dashboard/server", "study/cli"},
    "network": {"inference"},
}

LAZY = {"__main__"}  # enters rooms only when a command runs

INSIDE: dict[str, tuple[str, ...]] = {
    "files": ("errors reasons resolution", "archives csv_tables output", "arrays paths"),
    "bundle": ("schema", "index", "record", "load model_card save"),
    "atlas": ("memory_bank transform", "atlas"),
    "counts": ("counts", "differential", "fields"),
    "inference": (
        "calibration focus head sources",
        "decoding network results ridge",
        "adapt fields parts",
        "views",
        "classifier",
    ),
    "detection": (
        "boxes regions windows",
        "decode edges ruler",
        "found scale upload_scale",
        "baseline detector marking",
    ),
    "tables": ("cells", "fields"),
    "cli": ("adapt card classify", "find"),
    "dashboard/state": ("fields memory messages", "commands", "state", "jobs", "controller"),
    "dashboard/widgets": ("markers pictures script widget", "cell_collection downloads page view"),
    "dashboard/upload": ("bundles classification stream", "uploader", "view"),
    "dashboard/field": ("describe opened", "drawing view"),
    "dashboard/gallery": ("gallery", "view"),
    "dashboard/viewer": ("neighbourhood ordering", "viewer"),
    "dashboard/map": ("data", "view"),
    "dashboard/chart": ("charts field_counts save_buttons target", "differential_table", "view"),
    "dashboard/review": (
        "checks history",
        "field_file",
        "review_file",
        "review saving",
        "keeping learning",
        "learning_panel",
    ),
    "dashboard/report": ("page", "reports"),
    "dashboard/help": ("page", "view"),
    "dashboard/server": ("compressed handlers", "script_bundle", "config", "server", "serve"),
    "study/painter": (
        "brush nuclei",
        "appearance",
        "layers",
        "scene",
        "drawing",
        "saving",
        "__init__",
        "__main__",
    ),
    "study/data": (
        "download index laboratories manifest",
        "fetch near_duplicates",
        "split",
        "audit dataset pack",
    ),
    "study/train": (
        "augmentation depthwise torchvision_ops",
        "architectures callbacks classic_tfms losses",
        "folding recipe",
        "distillation loaders",
        "networks",
        "training",
        "lr_finder",
    ),
    "study/plots": ("interactive style", "dataset detection maps quality", "heat training_plots"),
    "study/evaluate": ("costs evaluation labelled leakage", "assessment", "assessment_page"),
    "study/notebooks": ("profiles run_folder tables", "claims provenance publishing", "experiments runner"),
    "study/export": ("card graph limits", "fitting", "export", "refit", "__main__"),
    "study/detect": (
        "fields measure",
        "network recipe",
        "at_hand exporting loss targets",
        "assessment pseudo_labels views",
        "training",
        "bundling",
        "__main__",
    ),
    "study/laboratories": ("cells scale_worth", "training", "serving"),
    "study/interpret": ("exploration interpretation robustness", "label_audit"),
    "study/cli": ("options", "data evaluate refit study train"),
}
