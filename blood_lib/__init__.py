"""Classify images of single blood cells with a trained bundle; the study that made the bundle is in `study`.

What is offered here loads when it is asked for, so that `blood --help` stays instant.
"""

from importlib import import_module

__all__ = ["BloodError", "Classifier", "__version__"]

__version__ = "0.1.0"

_HOMES = {"BloodError": "blood_lib.files.errors", "Classifier": "blood_lib.inference"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
