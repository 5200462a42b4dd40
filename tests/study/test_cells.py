"""The table of cell types: complete, consistent, told apart by colour, and true to the dataset's files."""

import itertools
import json
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest

from blood_lib.study.cells import (
    CELL_TYPES,
    SUBTYPES,
    by_folder,
    by_name,
    class_infos,
    subtype_infos,
    subtype_of,
)

# What protan, deutan and tritan eyes see of linear RGB: Machado et al., IEEE TVCG 15:1291, 2009.
EYES = {
    "normal": np.eye(3),
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    """`#rrggbb` -> linear RGB (3,)."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Linear RGB (3,) -> CIE L*a*b* (3,)."""
    x, y, z = np.cbrt(np.maximum(TO_XYZ @ rgb / [0.95047, 1, 1.08883], 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(colour: str, ground: str) -> float:
    """Contrast ratio of WCAG 2."""
    light, dark = sorted((TO_XYZ[1] @ linear(c) for c in (colour, ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_eight_types_come_in_the_order_of_the_bundle():
    names = [cell_type.name for cell_type in CELL_TYPES]
    assert names == sorted(names)
    assert len(names) == 8
    assert [info.name for info in class_infos()] == names


def test_a_type_is_found_by_its_folder_and_by_its_name():
    for cell_type in CELL_TYPES:
        assert by_folder(cell_type.folder) is cell_type
        assert by_name(cell_type.name) is cell_type
    assert by_folder("ig").name == "immature granulocyte"


@pytest.mark.parametrize("look_up", [by_folder, by_name])
def test_an_unknown_type_is_answered_with_those_that_there_are(look_up):
    with pytest.raises(KeyError, match="'blast'.*basophil.*platelet"):
        look_up("blast")


@pytest.mark.parametrize(
    ("file_name", "subtype"),
    [
        ("SNE_1234.jpg", "segmented neutrophil"),
        ("neutrophil/BNE_1.jpg", "band neutrophil"),
        ("NEUTROPHIL_9.jpg", "neutrophil"),
        ("MMY_1.jpg", "metamyelocyte"),
        ("MY_1.jpg", "myelocyte"),
        ("PMY_1.jpg", "promyelocyte"),
        ("IG_1.jpg", "immature granulocyte"),
        ("PLATELET_1.jpg", "platelet"),
        (".DS_169665.jpg", None),
        ("cell.jpg", None),
    ],
)
def test_the_file_name_tells_the_subtype(file_name, subtype):
    assert subtype_of(file_name) == subtype


def test_only_what_is_in_the_differential_has_a_reference_range():
    outside = {cell_type.name for cell_type in CELL_TYPES if not cell_type.in_differential}
    assert outside == {"erythroblast", "platelet"}
    assert outside == {cell_type.name for cell_type in CELL_TYPES if cell_type.reference_range is None}


def test_what_is_counted_per_hundred_is_outside_the_differential():
    assert [cell_type.name for cell_type in CELL_TYPES if cell_type.per_hundred] == ["erythroblast"]
    assert not any(cell_type.in_differential for cell_type in CELL_TYPES if cell_type.per_hundred)


def test_a_healthy_differential_can_add_up_to_a_hundred():
    ranges = [cell_type.reference_range for cell_type in CELL_TYPES if cell_type.reference_range]
    assert all(0 <= low < high <= 100 for low, high in ranges)
    assert sum(low for low, _ in ranges) <= 100 <= sum(high for _, high in ranges)


def test_every_type_has_a_label_in_both_languages():
    for language in ("en", "es"):
        assert len({cell_type.label[language] for cell_type in CELL_TYPES}) == 8


@pytest.mark.parametrize("ground", ["#ffffff", "#1e1e1e"])
def test_the_colours_can_be_seen_on_white_and_on_dark(ground):
    # WCAG 2.2, success criterion 1.4.11: 3:1 for graphics
    assert min(contrast(cell_type.colour, ground) for cell_type in CELL_TYPES) >= 3


@pytest.mark.parametrize("eyes", EYES)
def test_colour_blind_eyes_tell_the_colours_apart(eyes):
    seen = [lab(np.clip(EYES[eyes] @ linear(cell_type.colour), 0, 1)) for cell_type in CELL_TYPES]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 14


def test_the_bundles_classes_say_the_same_and_fit_in_json():
    infos = json.loads(json.dumps([asdict(info) for info in class_infos()]))
    for cell_type, info in zip(CELL_TYPES, infos, strict=True):
        assert info["label"] == dict(cell_type.label)
        assert info["colour"] == cell_type.colour
        assert info["in_differential"] == cell_type.in_differential
        assert info["per_hundred"] == cell_type.per_hundred
        assert cell_type.name not in info["subtypes"]
    assert infos[6]["subtypes"] == ["band neutrophil", "segmented neutrophil"]


def test_the_table_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        CELL_TYPES[0].name = "other"
    with pytest.raises(TypeError):
        CELL_TYPES[0].label["en"] = "other"


def test_every_real_file_but_the_junk_has_a_subtype_of_its_folders_type(real_images):
    folders = {folder.name: folder for folder in real_images.iterdir() if folder.is_dir()}
    assert set(folders) == {cell_type.folder for cell_type in CELL_TYPES}
    for name, folder in folders.items():
        found = {subtype_of(file.name) for file in folder.iterdir() if not file.name.startswith(".")}
        assert found <= set(by_folder(name).subtypes.values())


def test_every_subtype_has_a_name_of_its_own_in_both_languages():
    infos = subtype_infos()
    assert tuple(info.name for info in infos) == SUBTYPES
    for language in ("en", "es"):
        names = [info.label[language] for info in infos]
        assert all(names) and len(set(names)) == len(names)
