"""Below which focus and which size no cell may be `ok`: what a bundle says of blurred and of small cells.

    python -m benchmarks.doubt.image_quality DATA [--bundle DIR] [--each 6]

DATA holds PBC_dataset_normal_DIB and, for the focus of other laboratories, BCCD and chula_wbc. PBC images are
of the validation split, an equal number of each type. Each is blurred by a Gaussian (sigma in pixels of the
image, 360 px a side), or made smaller. `wrong and ok` is what must not happen; beside it is what the same
bundle says without thresholds for focus and side.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from blood_lib.bundle import load_bundle
from blood_lib.images import iter_files, load_image
from blood_lib.inference import Classifier
from blood_lib.inference.fields import FIELDS
from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.data.index import find_dataset, hash_pixels
from blood_lib.study.data.split import split_of

__all__ = ["main"]

BLURS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 20)
SIDES = (16, 20, 24, 28, 32, 36, 40, 48, 64, 100)
OTHERS = {"bccd": "BCCD/JPEGImages", "chula": "chula_wbc"}
SUFFIXES = (".jpg", ".png", ".bmp")
MOST_FIELDS = 100

Labelled = list[tuple[str, Image.Image]]


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doubt.image_quality", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--each", type=int, default=6, help="images of each cell type")
    args = parser.parse_args(argv)
    bundle = load_bundle(args.bundle)
    free = bundle.change(files={}, thresholds=replace(bundle.thresholds, focus=0.0, side=0.0))
    held, plain = Classifier(bundle), Classifier(free)
    print(f"thresholds: focus {bundle.thresholds.focus:g}, side {bundle.thresholds.side:g} px\n")
    _tell_focus(plain, args.data)
    images = _load_valid(args.data, args.each)
    print(f"\n{len(images)} images of the validation split, each once")
    for sigma in BLURS:
        _tell(f"blur {sigma}", held, plain, _change(images, lambda image, s=sigma: _blur(image, s)))
    for side in SIDES:
        _tell(f"{side} px", held, plain, _change(images, lambda image, s=side: image.resize((s, s))))


def _tell_focus(classifier: Classifier, data: Path) -> None:
    print("focus by laboratory: n, lowest, 1 %, 5 %, median")
    values = {"pbc": [_focus_of(classifier, image) for _, image in _load_valid(data, 40)]}
    for name, folder in OTHERS.items():
        files = [file for file in sorted((data / folder).rglob("*.*")) if file.suffix in SUFFIXES]
        chosen = files[:: max(1, len(files) // MOST_FIELDS)]
        results = classifier.classify(iter_files(chosen), kind=FIELDS)
        values[name] = [result.focus for result in results if result.cell is not None]
    for name, focus in values.items():
        quantiles = " ".join(f"{value:.3f}" for value in np.quantile(focus, [0, 0.01, 0.05, 0.5]))
        print(f"  {name}: {len(focus)} {quantiles}")


def _focus_of(classifier: Classifier, image: Image.Image) -> float:
    return next(iter(classifier.classify([image], kind="cells"))).focus


def _load_valid(data: Path, n: int) -> Labelled:
    root, loaded = find_dataset(data), Labelled()
    for cell_type in CELL_TYPES:
        files, kept = sorted((root / cell_type.folder).glob("[!.]*.jpg")), 0
        for i in np.random.default_rng(0).permutation(len(files)):
            image = load_image(files[i])
            if isinstance(image, Image.Image) and split_of(hash_pixels(image)) == "valid":
                loaded.append((cell_type.name, image))
                kept += 1
            if kept == n:
                break
    return loaded


def _blur(image: Image.Image, sigma: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma)) if sigma else image


def _change(images: Labelled, how: Callable[[Image.Image], Image.Image]) -> Labelled:
    return [(name, how(image)) for name, image in images]


def _tell(what: str, held: Classifier, plain: Classifier, images: Labelled) -> None:
    texts = []
    for classifier in (held, plain):
        results = classifier.classify([image for _, image in images], kind="cells")
        sure = [(r.label, name) for r, (name, _) in zip(results, images, strict=True) if r.status == "ok"]
        texts.append(f"ok {len(sure)}, wrong and ok {sum(label != name for label, name in sure)}")
    print(f"  {what}: of {len(images)} {texts[0]}; without thresholds {texts[1]}")


if __name__ == "__main__":
    main()
