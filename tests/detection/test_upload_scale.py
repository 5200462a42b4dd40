"""The scale of an image: who is believed, and when it is in doubt."""

import pytest

from blood_lib.detection.ruler import RED_CELL_UM, Ruler
from blood_lib.detection.upload_scale import UploadScale

SIZE = (640, 480)


def ruler(diameter: float, n_cells: int = 20) -> Ruler:
    return Ruler(diameter, 0.05 * diameter, n_cells)


def test_the_field_itself_speaks_before_its_file_and_a_person_before_both():
    alone, told = UploadScale(), UploadScale(pixel_size=RED_CELL_UM / 50)
    assert alone.settle(SIZE, ruler(48), pixel_size=0.5).source == "ruler"
    assert alone.settle(SIZE, None, pixel_size=0.5) == alone.settle(SIZE, ruler(48, 2), pixel_size=0.5)
    assert alone.settle(SIZE, None, pixel_size=0.5).um_per_pixel == pytest.approx(0.5)
    assert told.settle(SIZE, ruler(48)).diameter == pytest.approx(50)
    assert told.settle(SIZE, None).source == "given"


def test_no_source_is_no_scale():
    scale = UploadScale().settle(SIZE, None)
    assert scale.diameter is scale.um_per_pixel is None and scale.source == "unknown"


def test_fields_of_one_size_speak_together_and_those_of_another_camera_apart():
    upload = UploadScale()
    for diameter in (48, 50, 52):
        upload.add(SIZE, ruler(diameter))
    upload.add((800, 600), ruler(90))
    assert upload.settle(SIZE, None).diameter == 50
    assert upload.settle((800, 600), None).diameter == 90
    assert upload.settle((100, 100), None).source == "unknown"


def test_a_field_that_disagrees_with_the_others_is_in_doubt():
    upload = UploadScale()
    for diameter in (48, 50, 52, 70):
        upload.add(SIZE, ruler(diameter))
    assert upload.settle(SIZE, ruler(70)).doubtful and not upload.settle(SIZE, ruler(55)).doubtful


def test_fields_that_agree_on_nothing_speak_for_themselves():
    upload = UploadScale()
    for diameter in (30, 50, 90):
        upload.add(SIZE, ruler(diameter))
    assert upload.settle(SIZE, None).source == "unknown"
    assert upload.settle(SIZE, ruler(90)).diameter == 90
