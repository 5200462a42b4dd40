"""What the shipped bundle promises: right on images nobody trained it on, and wary of what is no cell."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from blood_lib.inference import Classifier

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def _crops(picture: np.ndarray, n: int, rng: np.random.Generator) -> list[Image.Image]:
    """n random squares of a picture (H, W, 3)."""
    squares = []
    for _ in range(n):
        side = int(rng.uniform(0.3, 1) * min(picture.shape[:2]))
        top, left = (rng.integers(0, length - side + 1) for length in picture.shape[:2])
        squares.append(Image.fromarray(picture[top : top + side, left : left + side]))
    return squares


def _draw_strange_images(rng: np.random.Generator) -> dict[str, list[Image.Image]]:
    """What a visitor might drop by mistake: photographs, noise, blank and smooth colour, a page of text."""
    from sklearn.datasets import load_sample_images

    page = Image.new("RGB", (600, 600), "white")
    for line in range(30):
        ImageDraw.Draw(page).text(
            (20, 20 * line), "the quick brown fox jumps over the lazy dog " * 2, "black"
        )
    colours = rng.integers(0, 256, (20, 3))
    small = rng.integers(0, 256, (20, 8, 8, 3), np.uint8)
    return {
        "photographs": [x for photo in load_sample_images().images for x in _crops(photo, 20, rng)],
        "noise": [Image.fromarray(x) for x in rng.integers(0, 256, (20, 200, 200, 3), np.uint8)],
        "one colour": [Image.new("RGB", (200, 200), tuple(map(int, colour))) for colour in colours],
        "clouds": [Image.fromarray(x).resize((200, 200), Image.Resampling.BICUBIC) for x in small],
        "text": _crops(np.asarray(page), 20, rng),
    }


def test_what_is_no_cell_is_unfamiliar(classifier: Classifier) -> None:
    for kind, images in _draw_strange_images(np.random.default_rng(0)).items():
        status = classifier.predict(images).status
        assert status.count("unfamiliar") >= 0.95 * len(images), kind


def test_the_figures_on_the_card_are_what_evaluation_gives(classifier: Classifier, real_images: Path) -> None:
    from blood_lib.study.data.split import load_split
    from blood_lib.study.evaluate.evaluation import compute_figures
    from blood_lib.study.evaluate.labelled import classify_labelled

    split = load_split(real_images)
    answers = classify_labelled(classifier, real_images, split[split["part"] == "test"])
    claimed = {
        m["name"]: m["value"]
        for m in reversed(classifier.bundle.card["metrics"])
        if "PBC" in m["where"]["en"]
    }
    measured = {figure.name: figure.value for figure in compute_figures(answers.target, answers.probs)}
    for name in ("balanced_accuracy", "macro_f1", "calibration_error"):
        assert measured[name] == pytest.approx(claimed[name], abs=0.005), name
    assert measured["accuracy"] >= 0.985 and measured["calibration_error"] <= 0.02
    few = 0.002  # two images: rounding differs from processor to processor
    assert (answers.status == "unfamiliar").mean() <= 0.01 + few
    ok = answers.select("ok")
    assert (ok.probs.argmax(axis=1) == ok.target).mean() >= 0.995 - few
