"""Classify images of single blood cells with a trained bundle; the study that made the bundle is in `study`.

This file leaves everything to its modules and imports none of them, so that `blood --help` stays instant.
"""

__all__ = ["BloodError", "__version__"]

__version__ = "0.1.0"


class BloodError(Exception):
    """What went wrong and what to do about it, in one plain sentence made for the user's eyes."""
