"""Stands in for the core until it is there; nothing of it is left to others."""

import io
from dataclasses import dataclass

try:
    from blood_lib import BloodError
    from blood_lib.images import Rejection, load_image
except ImportError:
    from PIL import Image, UnidentifiedImageError

    class BloodError(Exception):
        """The work could not be done."""

    @dataclass(frozen=True)
    class Rejection:
        """Why there is no image."""

        reason: str

    def load_image(source):
        """RGB image or Rejection."""
        try:
            return Image.open(io.BytesIO(source)).convert("RGB")
        except (OSError, UnidentifiedImageError) as error:
            return Rejection(f"not an image: {type(error).__name__}")


__all__ = ["BloodError", "Rejection", "load_image"]
