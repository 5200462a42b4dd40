"""How well a detector finds cells in whole fields, beside the finder without learning; both see the same.

    python -m benchmarks.fields DATA RUN [--only NAME] [--crops 50] [--repeats 20] [--speed]

DATA holds BCCD, chula_wbc, pig_fields, txl_boxes.csv and PBC_dataset_normal_DIB; RUN is a training's folder.
Only validation fields are shown, and PBC images that are not in the train split. White cells count as found
where a box overlaps theirs by 0.3; what the edge cuts is neither asked for nor an alarm. Average precision is
that of Pascal VOC 2010 at an overlap of a half. `--only` shows one laboratory, as after leaving it out.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from blood_lib.counts.counts import interval
from blood_lib.detection.baseline import find_cells
from blood_lib.detection.detector import Detector
from blood_lib.images import load_image
from blood_lib.inference import Classifier
from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.data.index import find_dataset, hash_pixels
from blood_lib.study.data.split import split_of
from blood_lib.study.detect.assessment import LOWEST, Finder, Shown, look, summarise
from blood_lib.study.detect.exporting import SERVED_KINDS, build_detector
from blood_lib.study.detect.fields import KINDS, RED, WHITE, Field, load_field_image, load_fields
from blood_lib.study.detect.measure import average_precision, compute_recall
from blood_lib.study.detect.training import load_detector

__all__ = ["main", "make_round", "measure_ruler", "measure_white"]

WINDOW = 4.5  # that of the bundle that ships, in red cells
SEEN = ("bccd", "pbc", "chula", "pigs")


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    args = _parse(argv)
    network, recipe = load_detector(args.run)
    if args.speed:
        bccd = load_fields(args.data, laboratories=("bccd",))
        valid = [field for field in bccd if field.split == "valid"]
        return _tell_speed(build_detector(network, recipe), valid, args.repeats)
    finders: dict[str, Finder] = {
        "detector": build_detector(network, recipe, lowest=LOWEST),
        "baseline": lambda image: find_cells(image, SERVED_KINDS),
    }
    names = (args.only,) if args.only else SEEN
    fields = [
        field for field in load_fields(args.data, laboratories=names) if args.only or field.split == "valid"
    ]
    for name, finder in finders.items():
        print(f"\n{name}\n{'-' * len(name)}")
        shown = look(finder, fields)
        for laboratory in names:
            _tell_laboratory(laboratory, [one for one in shown if one.field.laboratory == laboratory])
        if not args.only:
            _tell_round(finder, [field for field in fields if field.laboratory == "bccd"])
    if not args.only:
        detector = build_detector(network, recipe)
        _tell_crops(detector, args.data, args.crops, args.window)
        _tell_speed(detector, [field for field in fields if field.laboratory == "bccd"], args.repeats)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fields", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--only", choices=SEEN, help="all fields of the laboratory that RUN left out")
    parser.add_argument("--crops", type=int, default=50, help="PBC images of each cell type")
    parser.add_argument("--window", type=float, default=WINDOW, help="of these, in red cells")
    parser.add_argument("--speed", action="store_true", help="measure nothing but speed")
    parser.add_argument("--repeats", type=int, default=20, help="of each timed field")
    return parser.parse_args(argv)


def measure_white(shown: Sequence[Shown]) -> str:
    """Recall with its interval, and false alarms per field."""
    (row,) = summarise({"": shown}).to_dict("records")
    low, high = (f"{row[f'recall_{end}']:.1%}" for end in ("low", "high"))
    return (
        f"white cells {row['found']} of {row['white cells']} ({row['recall']:.1%}; {low} to "
        f"{high}), false alarms {row['false alarms']} in {row['fields']} fields "
        f"({row['per field']:.2f} a field)"
    )


def measure_ruler(shown: Sequence[Shown]) -> str:
    """How often there is a sound ruler, and how far it is from that of the boxes, where these give one."""
    pairs = [(one.ruler, one.field.diameter) for one in shown]
    ratios = np.array(
        [ruler.diameter / true for ruler, true in pairs if ruler is not None and ruler.is_sound]
    )
    if not len(ratios):
        return f"ruler in 0 of {len(pairs)} fields"
    off = np.abs(ratios - 1)
    within = ", ".join(f"{int((off <= limit).sum())} within {limit:.0%}" for limit in (0.05, 0.1, 0.15))
    return (
        f"ruler in {len(ratios)} of {len(pairs)} fields ({len(ratios) / len(pairs):.0%}): {within}; "
        f"median ratio {np.median(ratios):.3f}"
    )


def _measure_precision(shown: Sequence[Shown], truth: Callable[[Field], Field]) -> str:
    values = [
        average_precision(
            [(one.boxes(kind), one.scores(kind), truth(one.field).of_kind(kind)) for one in shown]
        )
        for kind in range(len(KINDS))
    ]
    of_kinds = ", ".join(f"{name} {value:.3f}" for name, value in zip(KINDS, values, strict=True))
    return f"mAP50 {np.nanmean(values):.3f} ({of_kinds}), {len(shown)} fields"


def _tell_laboratory(name: str, shown: Sequence[Shown]) -> None:
    print(f"{name}: {measure_white(shown)}")
    if name == "bccd":
        print(f"  against BCCD's own boxes: {_measure_precision(shown, lambda field: field.own or field)}")
    boxed = [one for one in shown if len(one.field.boxed) == len(KINDS)]
    if boxed:
        print(f"  against txl_boxes.csv: {_measure_precision(boxed, lambda field: field)}")
    enough = [one for one in boxed if len(one.field.of_kind(RED)) >= 5]
    against = "" if enough else ", against the width known of the laboratory"
    print(f"  {measure_ruler(enough or shown)}{against}")


def make_round(image: Image.Image, boxes: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """The image as a round eyepiece shows it, and (N,) bool: which boxes lie whole in the round."""
    width, height = image.size
    radius = 0.5 * max(width, height)
    x, y = np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2
    inside = np.clip(0.9 * radius - np.hypot(x[None], y[:, None]), 0, 3)[..., None] / 3
    pixels = np.asarray(image) * inside + 6 * (1 - inside)
    corners = boxes.reshape(-1, 2, 2)[:, [0, 0, 1, 1], :] * 1.0
    corners[:, 1, 1], corners[:, 2, 1] = corners[:, 3, 1], corners[:, 0, 1]
    away = np.hypot(*(corners - [width / 2, height / 2]).transpose(2, 0, 1))
    return Image.fromarray(pixels.astype(np.uint8)), (away < 0.9 * radius).all(1)


def _tell_round(finder: Finder, fields: Sequence[Field]) -> None:
    """BCCD's fields behind a round mask; cells that it cuts are neither asked for nor alarms."""
    asked = found = alarms = 0
    for field in fields:
        truth = field.of_kind(WHITE)
        image, whole = make_round(load_field_image(field), truth)
        one = Shown(field, finder(image))
        boxes = one.boxes(WHITE, sure=True)
        score = compute_recall([(boxes, truth[whole])], [image.size])
        cut = compute_recall([(boxes, truth[~whole])], [image.size])
        asked, found = asked + score.n_true, found + score.n_found
        alarms += max(0, score.n_false - cut.n_found)
    low, high = interval(found, asked)
    share = found / max(asked, 1)
    print(
        f"bccd, round view: white cells {found} of {asked} ({share:.1%}; {low:.1%} to {high:.1%}), "
        f"false alarms {alarms} in {len(fields)} fields ({alarms / max(len(fields), 1):.2f} a field)"
    )


def _tell_crops(detector: Detector, data: Path, n: int, window: float) -> None:
    """PBC images that are kept as one cell, by cell type."""
    root, kept, seen = find_dataset(data), 0, 0
    print(f"\nPBC images kept as one cell, at most {n} of each type that are not in the train split")
    for cell_type in CELL_TYPES:
        files = sorted((root / cell_type.folder).glob("[!.]*.jpg"))
        order = np.random.default_rng(0).permutation(len(files))
        images = _load_some([files[i] for i in order], n)
        single = [detector(image, crop_width=window).shows_one_cell() for image in images]
        kept, seen = kept + sum(single), seen + len(single)
        print(f"  {cell_type.name}: {sum(single)} of {len(single)}")
    low, high = interval(kept, seen)
    print(f"  all: {kept} of {seen} ({kept / max(seen, 1):.1%}; {low:.1%} to {high:.1%})")


def _load_some(files: Sequence[Path], n: int) -> list[Image.Image]:
    """The first n images of `files` that are not in the train split."""
    images: list[Image.Image] = []
    for file in files:
        image = load_image(file)
        if isinstance(image, Image.Image) and split_of(hash_pixels(image)) != "train":
            images.append(image)
        if len(images) == n:
            break
    return images


def _tell_speed(detector: Detector, fields: Sequence[Field], repeats: int) -> None:
    """Milliseconds a field of 640 x 480: found alone, by the baseline, and named by the bundle that ships."""
    images = [(load_field_image(field), field.diameter) for field in fields[:8]]
    classifier = Classifier.load()
    ways: dict[str, Callable[[Image.Image, float], object]] = {
        "its scale looked for": lambda image, _: detector(image),
        "that of crops tried first": lambda image, _: detector(image, crop_width=WINDOW),
        "its scale known": lambda image, diameter: detector(image, diameter=diameter),
        "by the baseline": lambda image, _: find_cells(image, SERVED_KINDS),
        "found and named": lambda image, _: list(classifier.classify([image])),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for image, diameter in images * repeats:
        for name, way in ways.items():  # in turn, so that all meet the same load
            began = time.perf_counter()
            way(image, diameter)
            times[name].append(1000 * (time.perf_counter() - began))
    for name, took in times.items():
        print(
            f"one field, {name}: median {statistics.median(took):.0f} ms, "
            f"fastest {min(took):.0f} ms, n = {len(took)}"
        )


if __name__ == "__main__":
    main()
