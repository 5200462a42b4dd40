"""The statuses of answers, and the reasons for them: each a code, its values and one sentence in English.

Other languages look the code up. Which reason applies is decided elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

__all__ = ["ANSWERED", "REASONS", "STATUSES", "Reason"]

ANSWERED = (
    "ok",
    "uncertain",
    "unfamiliar",
)  # statuses of images that have an answer, the surest first
STATUSES = (*ANSWERED, "rejected")

REASONS = {
    # about a file
    "empty": "the file is empty: export or download it again.",
    "too_large": "the file is larger than {limit} MiB: save the image smaller.",
    "not_regular": "not a regular file: give image files, folders or ZIP archives.",
    "unreadable": "the file cannot be read: {problem}.",
    "unsent": "the browser could not read the file: if it was moved or deleted, choose it again.",
    "folder_empty": "the folder holds no files, or only ones given before.",
    "folder_closed": "the folder cannot be opened: permission denied.",
    # about an archive
    "not_alone": "a saved review or a model: give it by itself.",
    "made_here": "a table or report, which cannot be opened again: open the saved review instead.",
    "zip_damaged": "the ZIP archive is damaged or incomplete: make or download it again.",
    "zip_empty": "the ZIP archive holds no files: put the images in.",
    "zip_entries": "the ZIP archive has more than {limit:,} entries: split it.",
    "zip_bytes": "the ZIP archive unpacks to more than {limit} GiB: split it.",
    "zip_inside": "a ZIP archive inside a ZIP archive: unpack it and give its images.",
    "entry_damaged": "damaged inside the ZIP archive: make or download the archive again.",
    "entry_encrypted": "encrypted inside the ZIP archive: pack it again without a password.",
    "entry_method": "packed by an unusual method: pack it again as an ordinary ZIP archive.",
    # about an image
    "no_image": "not an image that can be read: give JPEG, PNG, BMP, TIFF, WebP or GIF files.",
    "odd_tiff": "a kind of TIFF that cannot be read, such as one of fractions: save the image with 8 bits.",
    "planes": "a TIFF with 16 bits and its colours in planes: save the image with 8 bits.",
    "damaged": "the image is damaged or incomplete: export or download it again.",
    "pixels": "more than {limit} megapixels: crop the cells out of it or save it smaller.",
    "small": "only {width}x{height} pixels: a cell needs at least {limit} a side.",
    "frames": "several frames or pages in one file: save each as an image of its own.",
    "deep": "pixels of 32 bits: save the image with 8 or 16 bits.",
    "array_shape": "an array of the shape {shape}: give (height, width), (height, width, 3) or "
    "(height, width, 4).",
    "array_values": "an array of {dtype} with values that are no pixels: give uint8, uint16, bool, or floats "
    "from 0 to 1.",
    "dark": "almost black, like 12 bits kept in a file of 16: save the image with 8 bits.",
    # about a field
    "no_cell": "no cell found: if it shows cells, give a sharper photograph or crops of them.",
    # about an answer
    "uncertain": "the model is only {confidence:.1%} sure, less than the {limit:.1%} that ok takes: "
    "look at this one yourself.",
    "no_scale": "its scale is unknown, too few red cells are seen: give the pixel size, or look yourself.",
    "scale_doubtful": "its scale is in doubt, red cells here are of another size than was given or seen in "
    "other fields: look at this one yourself.",
    "strange_upload": "its scale is unknown, and most images here are unlike those that the model was "
    "trained on: look at this one yourself.",
    "out_of_focus": "out of focus: photograph it again, or look at this one yourself.",
    "few_pixels": "too small, {side} pixels where {limit} are needed: photograph it larger, or look at this "
    "one yourself.",
    "unfamiliar": "unlike anything the model was trained on: do not rely on its answer.",
}


@dataclass(frozen=True)
class Reason:
    """A code of REASONS and the values in its sentence; `str(reason)` is the sentence in English.

    Raises KeyError for an unknown code, ValueError for other values than its sentence has.
    """

    code: str
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        wanted = {name for _, name, _, _ in Formatter().parse(REASONS[self.code]) if name}
        if set(self.values) != wanted:
            raise ValueError(f"the reason {self.code} has the values {wanted}, not {set(self.values)}")
        str(self)  # a value of the wrong kind cannot be formatted

    def __str__(self) -> str:
        return REASONS[self.code].format(**self.values)
