"""A picture of a field with a frame about each cell that was found in it."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from blood_lib.bundle import NAMED
from blood_lib.detection.found import Found

__all__ = ["mark_cells"]

LARGEST_SIDE = 2048
"""Of the picture, px."""

_DASH = 8  # px, of the frame of a cell that the edge cuts


def mark_cells(
    image: Image.Image, found: Found, colours: Mapping[str, str], labels: Sequence[tuple[float, float, str]]
) -> Image.Image:
    """A copy of the field, at most LARGEST_SIDE a side; the frame of a cell that the edge cuts is dashed.

    colours: of each kind; labels: x, y (in the field's pixels) and the words to write there.
    """
    picture = image.copy()
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    scale, pen = picture.width / image.width, ImageDraw.Draw(picture)
    width = max(1, round(min(picture.size) / 300))
    for box, which, named, cut in zip(
        found.boxes * scale, found.which, found.with_role(NAMED), found.is_cut, strict=True
    ):
        colour = colours[found.kinds[which].name]
        frame = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        if cut:
            _draw_dashed(pen, frame, colour, width)
        else:
            pen.rectangle(frame, outline=colour, width=(2 if named else 1) * width)
    font = ImageFont.load_default(max(12, min(picture.size) / 32))
    for x, y, text in labels:
        place = (x * scale, y * scale)
        pen.rectangle(pen.textbbox(place, text, font), fill="#ffffff")
        pen.text(place, text, "#000000", font)
    return picture


def _draw_dashed(
    pen: ImageDraw.ImageDraw, frame: tuple[float, float, float, float], colour: str, width: int
) -> None:
    left, top, right, bottom = frame
    for begin in range(round(left), round(right), 2 * _DASH):
        for y in (top, bottom):
            pen.line((begin, y, min(begin + _DASH, right), y), colour, width)
    for begin in range(round(top), round(bottom), 2 * _DASH):
        for x in (left, right):
            pen.line((x, begin, x, min(begin + _DASH, bottom)), colour, width)
