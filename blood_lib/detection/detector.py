"""Finds the cells of a field with a small network in OpenVINO, at the scale at which it was trained.

The scale is given (from an upload's other fields, or a pixel size), or found by looking (see `scale`).
A field of any size is gone through in tiles; boxes are in its own pixels.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from blood_lib.bundle import RULER
from blood_lib.detection.boxes import centres_of, suppress
from blood_lib.detection.decode import OVERLAP, decode
from blood_lib.detection.edges import find_border, mark_cut
from blood_lib.detection.found import Found, Kind
from blood_lib.detection.ruler import Ruler, measure
from blood_lib.detection.scale import FINEST, SURE, search_diameter, weigh

if TYPE_CHECKING:
    from openvino import CompiledModel

__all__ = ["MOST_PIXELS", "STRIDE", "Detector"]

STRIDE = 4
"""Pixels of the image for one of the network's maps."""
TILE = 768
"""The largest side of what the network sees at once, px."""
MARGIN = 96
"""By how much tiles overlap: more than the widest cell."""
MOST_PIXELS = 64_000_000
"""Of the field at the network's scale; what would be larger is seen smaller."""
_MULTIPLE = 64  # of the sides that the network sees: few shapes, each of which is compiled
_LONGEST_CROP = 2  # times as long as wide
_AGREES = 1.2  # the ratio of what was looked for to what was found, up to which once is enough
_SEEN_AS_RED = 0.3  # the score of a red cell that counts when the scale is looked for


class Detector:
    """Callable: an image -> `Found`. Safe to share between threads."""

    def __init__(
        self, content: bytes, kinds: Sequence[Kind], *, diameter: float, exact: bool = False
    ) -> None:
        """content: an ONNX model, see `decode`; diameter: of a red cell in what it sees best, px.

        exact: in single precision, even where the processor has bfloat16.
        """
        self.kinds, self.diameter = tuple(kinds), diameter
        self._compiled = _compile(content, len(self.kinds), exact=exact)
        self._request = self._compiled.create_infer_request()
        self._lock = threading.Lock()
        self._ruler = next(i for i, kind in enumerate(kinds) if kind.role == RULER)

    def __call__(
        self,
        image: Image.Image,
        *,
        diameter: float | None = None,
        near: float | None = None,
        crop_width: float | None = None,
    ) -> Found:
        """Find the cells of an RGB image.

        diameter: of a red cell in its pixels, where it is known. near: what it was in other fields of the
        upload. crop_width: the shorter side in red cells, if it is a picture of one cell; it is tried first.
        Where either holds, there is no search.
        """
        if diameter is not None:
            return self._find(image, diameter)
        guesses = [(near, _holds)] if near is not None else []
        if crop_width is not None and max(image.size) <= _LONGEST_CROP * min(image.size):
            guesses.insert(0, (min(image.size) / crop_width, _leaves_nothing_open))
        for guess, is_right in guesses:
            found = self._find(image, guess)
            if is_right(found, guess):
                return found
        return self._search(image)

    def _search(self, image: Image.Image) -> Found:
        sought = search_diameter(image, self._look_for_red, seen=self.diameter)
        found = self._find(image, sought or min(image.size) / 4)
        if sought is None or found.ruler is None or _agrees(found.ruler, sought):
            return found
        return self._find(image, found.ruler.diameter)

    def _find(self, image: Image.Image, diameter: float) -> Found:
        boxes, which, scores = self._go_through(image, diameter)
        ruler = self._measure(boxes, which, scores, image)
        is_cut = mark_cut(boxes, image.size, find_border(image), margin=0.04 * diameter + 1)
        return Found(image.size, self.kinds, boxes, which, scores, is_cut, ruler)

    def _measure(
        self, boxes: np.ndarray, which: np.ndarray, scores: np.ndarray, image: Image.Image
    ) -> Ruler | None:
        is_red = which == self._ruler
        return measure(boxes[is_red], image.size, scores[is_red])

    def _look_for_red(self, image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        boxes, which, scores = self.look(np.asarray(image), lowest=_SEEN_AS_RED)
        is_red = which == self._ruler
        return boxes[is_red], scores[is_red]

    def look(self, pixels: np.ndarray, *, lowest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes, kinds and scores in pixels (H, W, 3) uint8 at the network's scale, up to a tile."""
        height, width = pixels.shape[:2]
        heat, maps = self._run(_pad(pixels))
        boxes, which, scores = decode(heat, maps, stride=STRIDE, lowest=lowest)
        inside = (centres_of(boxes) < [width, height]).all(1)
        return np.clip(boxes, 0, [width, height] * 2)[inside], which[inside], scores[inside]

    def _run(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with self._lock:
            self._request.infer({0: pixels[None]})
            heat, maps = (self._request.get_output_tensor(i).data[0] for i in (0, 1))
            return heat.copy(), maps.copy()

    def _go_through(self, image: Image.Image, diameter: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All cells of `image` where red cells have `diameter`, best first."""
        scale = self.diameter / max(diameter, FINEST)
        scale = min(scale, float(np.sqrt(MOST_PIXELS / image.width / image.height)))
        size = (max(32, round(image.width * scale)), max(32, round(image.height * scale)))
        factor = np.tile(np.array(image.size) / size, 2)
        parts = [
            _keep_core(self._look_at(image, tile, factor), core, tile) for tile, core in _list_tiles(size)
        ]
        boxes, which, scores = (np.concatenate(one) for one in zip(*parts, strict=True))
        stays = _merge(boxes, which, scores) if len(parts) > 1 else np.arange(len(boxes))
        return (boxes * factor).astype(np.float32)[stays], which[stays], scores[stays]

    def _look_at(
        self, image: Image.Image, tile: tuple[int, int, int, int], factor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is found in one tile of the scaled image, in the scaled image's pixels."""
        box = tuple(np.minimum(np.array(tile) * factor, image.size * 2))
        part = image.resize(
            (tile[2] - tile[0], tile[3] - tile[1]), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0
        )
        boxes, which, scores = self.look(np.asarray(part), lowest=min(kind.lowest for kind in self.kinds))
        stays = scores >= np.array([kind.lowest for kind in self.kinds])[which]
        return boxes[stays] + np.tile(tile[:2], 2), which[stays], scores[stays]


def _holds(found: Found, diameter: float) -> bool:
    """Whether red cells have about that `diameter`."""
    return found.ruler is not None and found.ruler.is_sound and _agrees(found.ruler, diameter)


def _leaves_nothing_open(found: Found, diameter: float) -> bool:
    """Whether red cells of that `diameter` come out well; or few do, and one sure cell lies in the middle."""
    red = found.with_role(RULER)
    if weigh(found.boxes[red], found.scores[red], found.size) >= SURE:
        return found.ruler is not None and _agrees(found.ruler, diameter)
    return not (found.ruler and found.ruler.is_sound) and found.has_sure_middle()


def _agrees(ruler: Ruler, diameter: float) -> bool:
    return 1 / _AGREES < ruler.diameter / diameter < _AGREES


def _pad(pixels: np.ndarray) -> np.ndarray:
    """Filled with its own edge up to the next size that the network sees."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % _MULTIPLE), (0, -width % _MULTIPLE), (0, 0)), mode="edge")


def _list_tiles(size: tuple[int, int]) -> Iterator[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Each tile of a picture of `size`, left, top, right, bottom, and its core, whose cells are its own."""
    for top, bottom, first, last in _cut(size[1]):
        for left, right, begin, end in _cut(size[0]):
            yield (left, top, right, bottom), (begin, first, end, last)


def _cut(length: int) -> list[tuple[int, int, float, float]]:
    """A side in pieces: begin, end, and the part that no neighbour has."""
    n = max(1, int(np.ceil((length - MARGIN) / (TILE - MARGIN))))
    step = (length - MARGIN) / n
    ends = [(round(i * step), round((i + 1) * step) + MARGIN) for i in range(n)]
    ends[-1] = (ends[-1][0], length)
    borders = [-np.inf, *((ends[i][1] + ends[i + 1][0]) / 2 for i in range(n - 1)), np.inf]
    return [(*piece, borders[i], borders[i + 1]) for i, piece in enumerate(ends)]


def _keep_core(
    found: tuple[np.ndarray, np.ndarray, np.ndarray], core: tuple[float, ...], tile: tuple[int, int, int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes, which, scores = found
    middles = centres_of(boxes)
    stays = ((middles >= core[:2]) & (middles < core[2:])).all(1)
    return boxes[stays], which[stays], scores[stays]


def _merge(boxes: np.ndarray, which: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Indices of what stays where tiles meet, best first."""
    apart = boxes + (which * 1e6)[:, None]  # kinds never touch
    return suppress(apart, scores, limit=OVERLAP)


def _compile(content: bytes, n_kinds: int, *, exact: bool) -> "CompiledModel":
    """The model with pixels as they come, (1, H, W, 3) uint8, of any size; ValueError for another one."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(ov.Core().read_model(content, b""))
    images = steps.input(0)
    images.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    images.model().set_layout(ov.Layout("NCHW"))
    images.preprocess().convert_element_type(ov.Type.f32)
    model = steps.build()
    model.reshape([1, -1, -1, 3])
    shapes = [[len(port.partial_shape), *port.partial_shape[1:2]] for port in model.outputs]
    if [[n, str(size)] for n, size in shapes] != [[4, str(n_kinds)], [4, str(4 * n_kinds)]]:
        raise ValueError("its outputs are not heat and boxes of each class")
    options = {"PERFORMANCE_HINT": "LATENCY"} | ({"INFERENCE_PRECISION_HINT": "f32"} if exact else {})
    return ov.Core().compile_model(model, "CPU", options)
