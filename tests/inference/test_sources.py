"""Whatever is given, one or many, is classified or told in one sentence, and nothing ever hangs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blood_lib.files.archives import write_zip
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from tests.tools.fixtures_bundle import draw_cell, encode


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cells")
    (folder / "a.png").write_bytes(encode(draw_cell()))
    (folder / "b.png").write_bytes(encode(draw_cell("#2ca02c")))
    (folder / "text.png").write_bytes(b"text")
    (folder / "cells.zip").write_bytes(write_zip([("c.png", encode(draw_cell()))]))
    return folder


def list_names(classifier: Classifier, given: object) -> list[tuple[str, str]]:
    return [(result.name, result.label or "-") for result in classifier.classify(given)]


def test_a_path_is_a_file_a_folder_or_an_archive(tiny_classifier: Classifier, folder: Path) -> None:
    whole = [("a.png", "red"), ("b.png", "green"), ("cells.zip/c.png", "red"), ("text.png", "-")]
    archive = folder / "cells.zip"
    for kind in (str, Path):
        assert list_names(tiny_classifier, kind(folder)) == whole
        assert list_names(tiny_classifier, kind(archive)) == [(f"{archive}/c.png", "red")]
        paths = [kind(folder / name) for name in ("b.png", "a.png")]
        assert [label for _, label in list_names(tiny_classifier, paths)] == ["green", "red"]
        assert list_names(tiny_classifier, tuple(paths)) == list_names(tiny_classifier, paths)
    assert list_names(tiny_classifier, archive.read_bytes()) == [("archive 1/c.png", "red")]


@pytest.mark.parametrize(
    "convert", [encode, Image.Image.copy, np.asarray, lambda image: np.asarray(image) / 255]
)
def test_one_image_or_many(tiny_classifier: Classifier, convert: object) -> None:
    red, green = (convert(draw_cell(colour)) for colour in ("#d62728", "#2ca02c"))
    assert list_names(tiny_classifier, red) == [("image 1", "red")]
    assert list_names(tiny_classifier, [red, green]) == [("image 1", "red"), ("image 2", "green")]
    assert list_names(tiny_classifier, ("a", green)) == [("a", "green")]
    assert list_names(tiny_classifier, [("a", red), green]) == [("a", "red"), ("image 2", "green")]


def test_an_array_of_four_axes_is_many_images(tiny_classifier: Classifier) -> None:
    many = np.stack([np.asarray(draw_cell(colour)) for colour in ("#d62728", "#2ca02c")])
    assert list_names(tiny_classifier, many) == [("image 1", "red"), ("image 2", "green")]


def test_an_opened_file_has_its_name(tiny_classifier: Classifier, folder: Path) -> None:
    with Image.open(folder / "a.png") as image:
        assert list_names(tiny_classifier, image) == [(str(folder / "a.png"), "red")]


@pytest.mark.parametrize("given", [3, None, {"a.png": b""}, [3]])
def test_what_cannot_be_taken_is_told(tiny_classifier: Classifier, given: object) -> None:
    with pytest.raises(TypeError, match=r"cannot be classified: give paths, .*\.$"):
        list(tiny_classifier.classify(given))


@pytest.mark.timeout(60)
def test_images_of_other_modes_are_converted_and_bad_ones_never_block(tiny_classifier: Classifier) -> None:
    expected = tiny_classifier.predict([draw_cell()]).probs
    for _ in range(20):
        with pytest.raises(BloodError, match="image 2 of 2 cannot be used: an array of the shape"):
            tiny_classifier.predict([draw_cell(), np.zeros((20, 30, 2), np.uint8)])
    for mode in ("RGBA", "P"):
        assert np.allclose(tiny_classifier.predict([draw_cell().convert(mode)]).probs, expected, atol=1e-5)
    assert len(tiny_classifier.predict([draw_cell().convert("L")])) == 1
    adapted = tiny_classifier.adapt([draw_cell().convert(mode) for mode in ("RGBA", "L", "1")], ["red"] * 3)
    assert adapted.class_names == tiny_classifier.class_names
    with pytest.raises(BloodError, match="put it into a list"):
        tiny_classifier.predict(draw_cell())
