"""Where the cells of the committed notebooks find modules and functions by their old names.

The modules themselves are in the rooms. Nothing but those cells uses the old names, and they go when the
notebooks are run again.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

__all__ = ["MOVED", "RENAMED", "install_moved_names"]

MOVED: Mapping[str, tuple[str, ...]] = {
    "architectures": ("train.architectures",),
    "classic_tfms": ("train.classic_tfms",),
    "loaders": ("train.loaders",),
    "lr_finder": ("train.lr_finder",),
    "recipe": ("train.recipe",),
    "training": ("train.training", "train.networks", "train.loaders"),
    "training_plots": ("plots.training_plots",),
    "interactive": ("plots.interactive",),
    "assessment": ("evaluate.assessment",),
    "evaluation": ("evaluate.evaluation",),
    "costs": ("evaluate.costs",),
    "leakage": ("evaluate.leakage",),
    "exploration": ("interpret.exploration",),
    "interpretation": ("interpret.interpretation",),
    "label_audit": ("interpret.label_audit",),
    "probes": ("interpret.robustness",),
    "experiments": ("notebooks.experiments",),
    "claims": ("notebooks.claims",),
    "provenance": ("notebooks.provenance",),
    "tables": ("notebooks.tables",),
    "data.at_hand": ("data.dataset",),
}
"""Old module, and the modules that have its names now; the first one that has a name gives it."""

RENAMED: Mapping[str, str] = {
    "count_torn": "count_leaked_duplicates",
    "tell_bundle": "describe_bundle",
    "tell_doubts": "describe_doubts",
    "tell_trainings": "describe_trainings",
}
"""Old name of a function, and its name now."""


class _Moved(ModuleType):
    """Stands where a module was. It loads the modules that have its names now when one is asked for."""

    def __init__(self, old: str, homes: tuple[str, ...]) -> None:
        super().__init__(f"blood_lib.study.{old}")
        self._homes = homes

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        for home in self._homes:
            module = import_module(f"blood_lib.study.{home}")
            for known in (name, RENAMED.get(name, name)):
                if hasattr(module, known):
                    return getattr(module, known)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def install_moved_names() -> None:
    """Let `from blood_lib.study import OLD` and `from blood_lib.study.OLD import name` find them."""
    for old, homes in MOVED.items():
        module = _Moved(old, homes)
        sys.modules[module.__name__] = module
        if "." not in old:
            setattr(sys.modules["blood_lib.study"], old, module)
