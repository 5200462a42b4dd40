"""Whole fields become a row for each cell, at one scale, and are never surer than that scale is."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from blood_lib.bundle import Bundle, BundleError, DetectedClass, DetectorInfo
from blood_lib.detection.boxes import touches_edge
from blood_lib.detection.detector import Detector
from blood_lib.detection.found import Found, Kind
from blood_lib.detection.regions import find_regions
from blood_lib.detection.ruler import RED_CELL_UM, measure
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier, Result
from blood_lib.study.painter import draw_cell

KINDS = (Kind("blue", "named"), Kind("red", "ruler"))
WINDOW = 4.5


class Finder(Detector):
    """Finds blue discs and red ones by their colour, in the detector's place."""

    def __init__(self) -> None:
        pass

    def __call__(self, image: Image.Image, **_how: float | None) -> Found:
        pixels = np.asarray(image).astype(int)
        blue = find_regions(pixels[..., 2] - pixels[..., 0] > 60)[0]
        red = find_regions(pixels[..., 0] - pixels[..., 2] > 60)[0]
        boxes, which = np.concatenate([blue, red]), np.repeat([0, 1], [len(blue), len(red)])
        is_cut = touches_edge(boxes, image.size, margin=1)
        return Found(image.size, KINDS, boxes, which, np.ones(len(boxes)), is_cut, measure(red, image.size))


def with_window(bundle: Bundle) -> Bundle:
    """The bundle, where it has a scale."""
    return bundle.change(files={}, preprocessing=replace(bundle.preprocessing, window=WINDOW))


@pytest.fixture(scope="module")
def classifier(tiny_bundle: Bundle) -> Classifier:
    return Classifier(with_window(tiny_bundle), detector=Finder())


def draw(
    n: int = 3, *, red_cell: int = 40, size: tuple[int, int] = (640, 480), n_red: int = 8, seed: int = 0
) -> Image.Image:
    """A field of `n` blue discs and `n_red` red ones, none of which touch."""
    rng, image = np.random.default_rng(seed), Image.new("RGB", size, "white")
    pen, step = ImageDraw.Draw(image), 2 * red_cell
    places = [
        (x, y) for y in range(step, size[1] - step + 1, step) for x in range(step, size[0] - step + 1, step)
    ]
    for i, place in enumerate(rng.permutation(len(places))[: n + n_red]):
        (x, y), radius = places[place], red_cell * (0.9 if i < n else 0.5)
        colour = (40, 40, 200) if i < n else (220, 120, 120)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


def draw_crop(red_cell: int = 40) -> Image.Image:
    """A blue disc in the middle of five red ones, in a square of the window's width."""
    side = round(WINDOW * red_cell)
    image = Image.new("RGB", (side, side), "white")
    pen, middle = ImageDraw.Draw(image), side / 2
    for i, angle in enumerate([0, *np.arange(5) * 2 * np.pi / 5]):
        away = 1.7 * red_cell if i else 0.0
        x, y, radius = (
            middle + away * np.cos(angle),
            middle + away * np.sin(angle),
            red_cell * (0.5 if i else 0.9),
        )
        colour = (220, 120, 120) if i else (40, 40, 200)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


def read(classifier: Classifier, *images: Image.Image, **how) -> list[Result]:
    return list(classifier.classify([(f"f{i}.png", image) for i, image in enumerate(images)], **how))


def test_each_cell_of_a_field_has_a_row_of_its_own(classifier):
    results = read(classifier, draw(), draw(seed=3))
    assert [(r.name, r.cell) for r in results] == [(f"f{i}.png", n) for i in (0, 1) for n in (1, 2, 3)]
    for result in results:
        x, y, width, height = result.box
        assert 0 <= x < x + width <= 640 and 0 <= y < y + height <= 480
        assert result.label in classifier.class_names and result.field.counts["blue"] == 3
    assert results[0].field is results[2].field is not results[3].field


def test_cells_are_numbered_as_one_reads(classifier):
    middles = [(box[1] + box[3] / 2, box[0]) for box in (r.box for r in read(classifier, draw(9)))]
    assert len(middles) == 9 and middles == sorted(
        middles, key=lambda place: (round(place[0] / 40), place[1])
    )


def test_every_window_is_as_many_red_cells_wide(classifier):
    for red_cell in (24, 48):
        for result in read(classifier, draw(red_cell=red_cell)):
            left, top, right, bottom = result.window
            assert right - left == pytest.approx(bottom - top) == pytest.approx(WINDOW * red_cell, rel=0.1)
            x, y, width, height = result.box
            assert (left + right) / 2 == pytest.approx(x + width / 2, abs=0.1)
            assert (top + bottom) / 2 == pytest.approx(y + height / 2, abs=0.1)
            size = np.sqrt(width * height) * RED_CELL_UM / red_cell
            assert result.diameter_um == pytest.approx(size, rel=0.1)


def test_a_field_without_cells_is_one_rejected_row(classifier):
    (result,) = read(classifier, draw(0))
    assert (result.status, result.reason.code, result.cell) == ("rejected", "no_cell", None)
    assert result.field.counts["blue"] == 0 < result.field.counts["red"]


def test_without_a_scale_no_cell_is_ok(classifier):
    lonely = draw(1, n_red=0)
    (result,) = read(classifier, lonely, kind="fields")
    assert result.field.scale.source == "unknown" and result.status != "ok" and result.diameter_um is None
    (result,) = read(classifier, lonely, kind="fields", pixel_size=RED_CELL_UM / 40)
    assert result.field.scale.source == "given" and result.diameter_um is not None


def test_a_given_size_that_the_red_cells_contradict_holds_ok_back(classifier):
    for factor, doubtful in ((1.0, False), (1.5, True)):
        results = read(classifier, draw(), pixel_size=factor * RED_CELL_UM / 40)
        assert all(result.field.scale.doubtful is doubtful for result in results)
        assert not (doubtful and any(result.status == "ok" for result in results))


def test_fields_of_one_camera_lend_each_other_their_scale(classifier):
    results = read(classifier, *(draw(seed=seed) for seed in (2, 3, 4)), draw(1, n_red=0))
    assert results[-1].field.scale.source == "agreed"
    assert results[-1].field.scale.diameter == pytest.approx(40, rel=0.1)


def test_a_picture_of_one_cell_stays_one_row_and_a_switch_overrules_the_look(classifier):
    crop = draw_crop()
    (result,) = read(classifier, crop)
    assert result.cell is result.box is result.field is None
    (result,) = read(classifier, crop, kind="fields")
    assert result.cell == 1
    (result,) = read(classifier, draw(), kind="cells")
    assert result.cell is None


def test_a_crop_of_another_scale_is_seen_in_the_same_window(classifier):
    (result,) = read(classifier, draw(1, size=(400, 400)), kind="cells")
    assert result.window[2] - result.window[0] == pytest.approx(WINDOW * 40, rel=0.1)


def test_boxes_by_hand_are_classified_like_found_ones(classifier):
    image = draw()
    found = read(classifier, image)
    field = classifier.read_field("f0.png", image)
    drawn = classifier.classify_boxes(image, [result.box for result in found], field, first=4)
    assert [result.cell for result in drawn] == [4, 5, 6]
    for a, b in zip(found, drawn, strict=True):
        assert (a.label, a.status) == (b.label, b.status) and np.allclose(a.probs, b.probs, atol=1e-3)


def test_an_answer_thought_over_again_is_about_the_same_cell(classifier):
    results = read(classifier, draw())
    for before, after in zip(results, classifier.reconsider(results), strict=True):
        assert (after.cell, after.box, after.field) == (before.cell, before.box, before.field)


@pytest.mark.parametrize("how", [{"kind": "smears"}, {"pixel_size": 0.0}, {"pixel_size": 250.0}])
def test_what_cannot_be_is_refused_in_one_sentence(classifier, how):
    with pytest.raises(BloodError) as caught:
        read(classifier, draw(), **how)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_bundle_without_a_detector_says_that_it_reads_no_fields(tiny_classifier):
    assert len(read(tiny_classifier, draw())) == 1
    with pytest.raises(BloodError, match="crops"):
        read(tiny_classifier, draw(), kind="fields")


def test_a_blurred_cell_and_a_small_one_are_never_ok_and_say_why(tiny_bundle):
    limits = replace(tiny_bundle.thresholds, confidence=0.0, ood_score=1e9)
    free = Classifier(tiny_bundle.change(files={}, thresholds=limits))
    held = Classifier(tiny_bundle.change(files={}, thresholds=replace(limits, focus=0.1, side=40)))
    sharp = draw_cell("neutrophil", seed=0)
    images = [sharp, sharp.filter(ImageFilter.GaussianBlur(20)), sharp.resize((39, 39))]
    assert [result.status for result in free.classify(images)] == ["ok"] * 3
    results = list(held.classify(images))
    assert [result.reason and result.reason.code for result in results] == [
        None, "out_of_focus", "few_pixels",
    ]  # fmt: skip
    assert [result.status for result in results] == held.predict(images).status
    assert [result.status for result in held.reconsider(results)] == ["ok", "uncertain", "uncertain"]


@pytest.mark.parametrize("content", [b"", b"no model", None], ids=["empty", "text", "another network"])
def test_a_detector_that_is_none_is_said_when_it_is_needed(tiny_bundle, content):
    classes = tuple(DetectedClass(k.name, {"en": "x"}, {"en": "xs"}, k.role, "#000000", 0.4) for k in KINDS)
    content = tiny_bundle.read("model.onnx") if content is None else content
    changed = with_window(tiny_bundle).change(
        files={"detector.onnx": content}, detector=DetectorInfo(28, classes)
    )
    classifier = Classifier(changed)
    assert len(classifier.predict([draw()])) == 1
    with pytest.raises(BundleError, match="^the detector of the bundle .* get the bundle again.$"):
        read(classifier, draw())


def test_where_most_of_an_upload_is_unfamiliar_a_crop_without_a_scale_is_not_ok(tiny_bundle):
    crop, other = (Image.new("RGB", (60, 60), colour) for colour in ((128, 128, 128), (214, 39, 40)))
    bundle = with_window(tiny_bundle)
    scores = Classifier(bundle).predict([crop, other]).ood_score
    limits = replace(bundle.thresholds, confidence=0.0, ood_score=float(scores.mean()))
    known = Classifier(bundle.change(files={}, thresholds=limits), detector=Finder())
    alone, among = list(known.classify([crop] * 12)), list(known.classify([other] * 12 + [crop] * 3))
    assert scores[0] < scores[1] and {result.status for result in among[:12]} == {"unfamiliar"}
    assert {result.status for result in alone} == {"ok"}
    assert {str(result.reason and result.reason.code) for result in among[12:]} == {"strange_upload"}
