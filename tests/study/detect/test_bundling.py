"""A detector goes into a bundle, and all else in it stays as it is."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.bundle import ROLES
from blood_lib.detection.found import Found
from blood_lib.detection.ruler import Ruler
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from blood_lib.study.detect import bundling
from blood_lib.study.detect.bundling import add_detector, describe_classes, measure_window
from blood_lib.study.detect.exporting import SERVED_KINDS
from blood_lib.study.detect.fields import load_fields
from blood_lib.study.detect.recipe import DetectorRecipe
from blood_lib.study.detect.training import train_detector
from tests.tools.drawn_fields import save_fields


def test_the_window_is_the_median_of_pictures_with_a_sound_ruler():
    widths = iter([4.0, 4.4, 6.0, None])

    def detector(image, crop_width):
        width = next(widths)
        ruler = Ruler(360 / width, 1, 9) if width else Ruler(100, 1, 2)
        none = np.zeros((0, 4)), np.zeros(0, int), np.zeros(0), np.zeros(0, bool)
        return Found(image.size, SERVED_KINDS, *none, ruler)

    window = measure_window(detector, [Image.new("RGB", (360, 363))] * 4)
    assert window == {"red_cells": 4.4, "quartiles": [4.2, 5.2], "images": 3}
    with pytest.raises(BloodError, match="No picture shows enough red cells"):
        measure_window(lambda image, crop_width: SimpleNamespace(ruler=None), [Image.new("RGB", (9, 9))])


def test_each_kind_has_words_in_both_languages_and_a_role_of_its_own():
    classes = describe_classes()
    assert sorted(one.role for one in classes) == sorted(ROLES)
    assert len({one.colour for one in classes}) == len(classes)
    for one in classes:
        assert set(one.label) == set(one.labels) == {"en", "es"} and " " not in one.name


@pytest.mark.slow
def test_a_bundle_with_a_new_detector_is_otherwise_the_same(tiny_bundle, tiny_dataset, tmp_path, monkeypatch):
    save_fields(tmp_path / "data", ["lymphocyte"] * 4)
    (tmp_path / "data" / "PBC_dataset_normal_DIB").symlink_to(tiny_dataset)
    fields = load_fields(tmp_path / "data")
    recipe = DetectorRecipe(view_size=96, widths=(4, 8, 8, 8, 8), n_epochs=1, epoch_views=8, batch_size=4)
    train_detector(fields, recipe, tmp_path / "run", say=lambda _: None)
    window = {"red_cells": 4.5, "quartiles": [4.3, 4.7], "images": 9}
    monkeypatch.setattr(bundling, "measure_window", lambda detector, images: window)
    bundle = add_detector(tiny_bundle, tmp_path / "run", tmp_path / "data", tmp_path / "new")
    assert {name: bundle.files[name] for name in tiny_bundle.files} == tiny_bundle.files
    assert bundle.preprocessing.window == 4.5 and len(bundle.detector.classes) == len(ROLES)
    assert {name: bundle.card[name] for name in tiny_bundle.card} == tiny_bundle.card
    assert bundle.card["detector"]["added_to"] == tiny_bundle.sha256
    assert "white cells" in bundle.card["detector"]["found_in_validation_fields"]["bccd"]
    field = Image.open(fields[0].file)
    assert [result.name for result in Classifier(bundle).classify([("a.png", field)], kind="fields")]
