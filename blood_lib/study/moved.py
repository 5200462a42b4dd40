"""Where the cells of the committed notebooks look for modules, until they are run again.

The modules themselves are in the rooms; nothing but those cells uses the names on the left.
"""

import sys
from importlib import import_module
from types import ModuleType

__all__ = ["MOVED", "RENAMED", "install_moved_names"]

MOVED = {
    "architectures": "train.architectures",
    "classic_tfms": "train.classic_tfms",
    "loaders": "train.loaders",
    "lr_finder": "train.lr_finder",
    "recipe": "train.recipe",
    "training": "train.training",
    "training_plots": "plots.training_plots",
    "interactive": "plots.interactive",
    "assessment": "evaluate.assessment",
    "evaluation": "evaluate.evaluation",
    "costs": "evaluate.costs",
    "leakage": "evaluate.leakage",
    "exploration": "interpret.exploration",
    "interpretation": "interpret.interpretation",
    "label_audit": "interpret.label_audit",
    "probes": "interpret.robustness",
    "experiments": "notebooks.experiments",
    "claims": "notebooks.claims",
    "provenance": "data.provenance",
    "tables": "data.tables",
    "data.at_hand": "data.dataset",
}
RENAMED = {"tell_bundle": "describe_bundle"}


class _Moved(ModuleType):
    """Stands where a module was, and hands out what the module offers now, which it loads when asked."""

    def __init__(self, old: str, new: str):
        super().__init__(f"blood_lib.study.{old}")
        self._new = f"blood_lib.study.{new}"

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(self._new), RENAMED.get(name, name))


def install_moved_names() -> None:
    """Let `from blood_lib.study import OLD` and `from blood_lib.study.OLD import name` find them."""
    for old, new in MOVED.items():
        module = _Moved(old, new)
        sys.modules[module.__name__] = module
        if "." not in old:
            setattr(sys.modules["blood_lib.study"], old, module)
