"""Random views of fields: scale, place, pose, round view, writing; then stain, light and camera, in batches.

A view shows red cells about as wide as the recipe says, whatever the field's own scale.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from blood_lib.study.detect.fields import RED, Field, find_laboratory, load_field_image
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.targets import Targets, build_targets
from blood_lib.study.train.augmentation import Augmentation, apply_to_some, blur, jitter_stain

__all__ = ["Canvas", "View", "augment_views", "draw_view", "load_canvas"]

_SEEN = 0.35  # the share of a cell that a view must show of it; less is doubtful
_FINEST = 2.0  # how much finer than a view a field is kept


@dataclass(frozen=True, eq=False)
class Canvas:
    """A field as it is kept for views: no finer than they need."""

    image: Image.Image
    field: Field
    scale: float
    """Pixels of `image` for one of the field."""


@dataclass(frozen=True, eq=False)
class View:
    """What the network sees, and what it should say."""

    pixels: np.ndarray
    """(S, S, 3) uint8."""
    targets: Targets
    misses: tuple[bool, ...]
    """Of each kind: may there be cells without a box, that are not marked as unknown?"""


def load_canvas(field: Field, recipe: DetectorRecipe) -> Canvas:
    """The field, made smaller where it is finer than any view shows it."""
    image = load_field_image(field)
    scale = min(1.0, _FINEST * recipe.diameter / field.diameter)
    size = [max(1, round(side * scale)) for side in image.size]
    return Canvas(image.resize(size, Image.Resampling.BOX, reducing_gap=None), field, scale)


def draw_view(canvas: Canvas, recipe: DetectorRecipe, rng: np.random.Generator) -> View:
    """One random view of a field, before its colours change."""
    field, size = canvas.field, recipe.view_size
    is_off = rng.random() < recipe.off_scale_probability
    zoom = (
        _draw_off_scale(rng, recipe.off_scale)
        if is_off
        else np.exp(rng.uniform(-1, 1) * np.log(recipe.scale))
    )
    stretch = np.exp(rng.uniform(-1, 1, 2) * recipe.stretch)
    scale = recipe.diameter / field.diameter * zoom * stretch  # from the field's pixels to the view's
    corner = _choose_corner(rng, canvas, recipe, scale)
    pixels = _cut(canvas, scale, corner, size, fill=_choose_fill(rng))
    boxes = field.boxes * np.tile(scale, 2) - np.tile(corner, 2)
    boxes, kinds, doubtful = _clip(boxes, field.kinds, field.doubts, size)
    if rng.random() < recipe.round_probability:
        doubtful = _round_off(rng, pixels, boxes, doubtful)
    if rng.random() < recipe.writing_probability:
        pixels = _write(rng, pixels)
    pixels, boxes = _turn(rng, pixels, boxes)
    targets = (
        build_targets(boxes[:0], kinds[:0], size, boxed=(0, 1, 2))
        if is_off
        else build_targets(boxes, kinds, size, boxed=field.boxed, doubtful=doubtful)
    )
    misses = find_laboratory(field.laboratory).misses and not is_off
    return View(pixels, targets, (misses, False, False))


def _draw_off_scale(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    far = np.exp(rng.uniform(*np.log(limits)))
    return far if rng.random() < 0.5 else 1 / far


def _choose_corner(
    rng: np.random.Generator, canvas: Canvas, recipe: DetectorRecipe, scale: np.ndarray
) -> np.ndarray:
    """Left top corner of the view in the scaled field, whole pixels."""
    field, size = canvas.field, recipe.view_size
    extent = np.array(canvas.image.size) / canvas.scale * scale
    rare = field.boxes[field.kinds != RED]
    if len(rare) and rng.random() < recipe.near_probability:
        box = rare[rng.integers(len(rare))]
        middle = (box[:2] + box[2:]) / 2 * scale
        return np.round(middle - rng.uniform(0.1, 0.9, 2) * size)
    beyond = 0.25 * size
    low, high = (
        np.minimum(-beyond, (extent - size) / 2),
        np.maximum(extent - size + beyond, (extent - size) / 2),
    )
    return np.round(rng.uniform(low, high))


def _choose_fill(rng: np.random.Generator) -> tuple[int, int, int] | None:
    """What lies beyond the field: its own edge, mirrored (None), black, or any grey."""
    chance = rng.random()
    if chance < 0.4:
        return None
    grey = int(rng.integers(0, 25) if chance < 0.7 else rng.integers(0, 256))
    return (grey, grey, grey)


def _cut(
    canvas: Canvas, scale: np.ndarray, corner: np.ndarray, size: int, *, fill: tuple[int, int, int] | None
) -> np.ndarray:
    """(size, size, 3) uint8: the part of the scaled field that begins at `corner`."""
    extent = np.maximum(np.floor(np.array(canvas.image.size) / canvas.scale * scale), 1)
    low, high = np.clip(corner, 0, extent), np.clip(corner + size, 0, extent)
    view = np.empty((size, size, 3), np.uint8)
    view[:] = (0, 0, 0) if fill is None else fill
    if (high - low < 1).any():
        return view
    box = np.concatenate([low, high]) / np.tile(scale, 2) * canvas.scale
    box[2:] = np.minimum(box[2:], canvas.image.size)
    part = canvas.image.resize(tuple((high - low).astype(int)), Image.Resampling.BILINEAR, box=tuple(box))
    (x0, y0), (x1, y1) = (low - corner).astype(int), (high - corner).astype(int)
    if fill is None:
        before, after = (y0, x0), (size - y1, size - x1)
        return np.pad(np.asarray(part), ((before[0], after[0]), (before[1], after[1]), (0, 0)), mode="edge")
    view[y0:y1, x0:x1] = np.asarray(part)
    return view


def _clip(
    boxes: np.ndarray, kinds: np.ndarray, doubtful: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The boxes cut at the view's edge; those of which too little is seen are doubtful, or gone."""
    cut = np.clip(boxes, 0, size)
    seen = (cut[:, 2:] - cut[:, :2]).prod(1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)
    stays = (cut[:, 2:] - cut[:, :2] >= 1).all(1)
    return cut[stays], kinds[stays], (doubtful | (seen < _SEEN))[stays]


def _round_off(
    rng: np.random.Generator, pixels: np.ndarray, boxes: np.ndarray, doubtful: np.ndarray
) -> np.ndarray:
    """Blacken all but a circle; cells outside are then doubtful, which they are at its border in any case."""
    size = len(pixels)
    radius = rng.uniform(0.4, 1.6) * size
    angle = rng.uniform(0, 2 * np.pi)
    away = max(0.0, radius - rng.uniform(0.1, 0.6) * size)
    x, y = size / 2 + away * np.cos(angle), size / 2 + away * np.sin(angle)
    axis = np.arange(size) + 0.5
    distance = np.hypot(axis[None] - x, axis[:, None] - y)
    soft = np.clip((radius - distance) / rng.uniform(1, 6), 0, 1)[..., None]
    border = rng.integers(0, 20)
    pixels[:] = (pixels * soft + border * (1 - soft)).astype(np.uint8)
    middles, reach = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).mean(1) / 2
    return doubtful | (np.hypot(*(middles - [x, y]).T) + 0.6 * reach > radius)


def _write(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Burn in a scale bar and its length."""
    image, size = Image.fromarray(pixels), len(pixels)
    draw = ImageDraw.Draw(image)
    colour = tuple(
        int(c) for c in (rng.integers(0, 256, 3) if rng.random() < 0.5 else [rng.choice([0, 255])] * 3)
    )
    x, y, width = rng.uniform(0, 0.7 * size), rng.uniform(0, 0.95 * size), rng.uniform(20, 90)
    draw.rectangle((x, y, x + width, y + rng.uniform(1, 6)), fill=colour)
    draw.text(
        (x, y - rng.uniform(10, 24)),
        f"{rng.integers(1, 100)} \u00b5m",
        fill=colour,
        font_size=rng.uniform(8, 22),
    )
    return np.array(image)


def _turn(rng: np.random.Generator, pixels: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A random quarter turn and mirror image."""
    size = len(pixels)
    for _ in range(int(rng.integers(4))):
        pixels = np.rot90(pixels)  # to the left: x becomes the way down from the right
        boxes = np.stack([boxes[:, 1], size - boxes[:, 2], boxes[:, 3], size - boxes[:, 0]], 1)
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
        boxes = np.stack([size - boxes[:, 2], boxes[:, 1], size - boxes[:, 0], boxes[:, 3]], 1)
    return np.ascontiguousarray(pixels), boxes


_AUGMENTATION = Augmentation(
    stain_gain=0.3, stain_mixing=0.1, gamma=0.25, white_balance=0.15, blur_probability=0.4, blur_sigma=2.0
)


def augment_views(x: torch.Tensor, recipe: DetectorRecipe) -> torch.Tensor:
    """Views (N, 3, S, S) in [0, 1] as other stains, lamps and cameras would show them."""
    x = apply_to_some(x, _AUGMENTATION.stain_probability, lambda part: jitter_stain(part, _AUGMENTATION))
    x = apply_to_some(x, recipe.exposure_probability, lambda part: _expose(part, recipe))
    x = apply_to_some(x, recipe.light_probability, lambda part: _light(part, recipe.light))
    x = apply_to_some(
        x, recipe.grey_probability, lambda part: part.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    )
    x = apply_to_some(
        x, _AUGMENTATION.blur_probability, lambda part: blur(part, 0.3 + 1.7 * torch.rand(len(part)))
    )
    x = apply_to_some(
        x,
        _AUGMENTATION.noise_probability,
        lambda part: part + 0.06 * torch.rand(len(part), 1, 1, 1) * torch.randn_like(part),
    )
    return x.clamp(0, 1)


def _expose(x: torch.Tensor, recipe: DetectorRecipe) -> torch.Tensor:
    """Dimmer and paler: nothing is as bright as it was, and nothing as dark."""
    brightest = 1 - (1 - recipe.dimmest) * torch.rand(len(x), 1, 1, 1)
    darkest = recipe.palest * torch.rand(len(x), 1, 1, 1)
    return brightest * (darkest + (1 - darkest) * x)


def _light(x: torch.Tensor, spread: float) -> torch.Tensor:
    """Uneven light, each colour for itself in part."""
    coarse = spread * (torch.randn(len(x), 1, 3, 3) + 0.6 * torch.randn(len(x), 3, 3, 3))
    return x * F.interpolate(coarse, size=x.shape[-2:], mode="bicubic").exp()
