"""A bundle adapts to another laboratory: known truths on drawn features, and nothing is lost at home."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blood_lib.bundle import Bundle, BundleError, Thresholds, load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from blood_lib.inference.adapt import MIN_IMAGES, turn_views
from blood_lib.inference.head import Head
from blood_lib.inference.ridge import Ridge
from tests.tools.fixtures_bundle import (
    COLOURS,
    N_FEATURES,
    build_tiny_atlas,
    build_tiny_onnx,
    draw_cell,
    save_tiny_bundle,
)

NAMES = list(COLOURS)


def draw_features(target: np.ndarray, seed: int, *, elsewhere: bool = False) -> np.ndarray:
    """Cells as the tiny atlas has them, or as another laboratory has them: fainter, all of them reddish."""
    rng = np.random.default_rng(seed)
    features = np.abs(rng.normal(size=(len(target), N_FEATURES), scale=0.1))
    seen = 3 if elsewhere else N_FEATURES  # so many features show the class
    features[:, :seen][np.arange(seen) % 3 == target[:, None]] += 1
    features[:, 3::3] += 3.0 * elsewhere
    return features.astype(np.float32)


def named(target: np.ndarray) -> list[str]:
    return [NAMES[i] for i in target]


def accuracy(classifier: Classifier, features: np.ndarray, target: np.ndarray) -> float:
    return float((classifier.predict_features(features)[0].argmax(axis=1) == target).mean())


@pytest.fixture(scope="module")
def target() -> np.ndarray:
    return np.arange(60) % 3


@pytest.fixture(scope="module")
def adapted(tiny_classifier: Classifier, target: np.ndarray) -> Classifier:
    features = draw_features(target, 1, elsewhere=True)
    return tiny_classifier.adapt_features(features, named(target), date="2030-01-02")


def test_another_laboratory_is_learned_and_home_is_kept(
    tiny_classifier: Classifier, adapted: Classifier, target: np.ndarray
) -> None:
    there, home = draw_features(target, 2, elsewhere=True), draw_features(target, 3)
    assert accuracy(tiny_classifier, there, target) < 0.4 and accuracy(tiny_classifier, home, target) == 1
    assert accuracy(adapted, there, target) == 1 and accuracy(adapted, home, target) == 1


def test_the_classifier_that_was_adapted_stays_as_it_was(tiny_bundle: Bundle, target: np.ndarray) -> None:
    base, features = Classifier(tiny_bundle), draw_features(target, 2)
    before = base.predict_features(features)
    base.adapt_features(draw_features(target, 1, elsewhere=True), named(target))
    assert np.array_equal(before[0], base.predict_features(features)[0])
    assert len(base.atlas) == len(build_tiny_atlas(np.random.default_rng(0)))


def test_cells_like_the_labelled_ones_are_no_longer_unfamiliar(tmp_path: Path, target: np.ndarray) -> None:
    bundle, new = save_tiny_bundle(tmp_path), draw_features(target, 2, elsewhere=True)
    limit = 0.99 * float(Classifier(bundle).atlas.ood_score(new).min())
    strict = Classifier(bundle.change(files={}, thresholds=Thresholds(0.5, limit)))
    assert set(strict.predict_features(new)[2]) == {"unfamiliar"}
    adapted = strict.adapt_features(draw_features(target, 1, elsewhere=True), named(target))
    assert adapted.predict_features(new)[2].count("ok") >= 0.8 * len(new)


def test_the_distance_limit_rises_to_what_the_labelled_cells_need(
    tiny_bundle: Bundle, target: np.ndarray
) -> None:
    """However familiar new axes make them, cells that were not labelled lie a little off those."""
    strict = Classifier(tiny_bundle.change(files={}, thresholds=Thresholds(0.5, 1e-6)))
    adapted = strict.adapt_features(draw_features(target, 1, elsewhere=True), named(target))
    new = draw_features(target, 2, elsewhere=True)
    assert adapted.predict_features(new)[2].count("unfamiliar") < 0.2 * len(new)


def test_wrong_answers_about_the_labelled_cells_make_ok_rarer(
    tiny_classifier: Classifier, target: np.ndarray
) -> None:
    features = draw_features(target, 1, elsewhere=True)
    mixed = np.where(np.arange(len(target)) % 4 == 0, (target + 1) % 3, target)
    sure = tiny_classifier.adapt_features(features, named(target))
    unsure = tiny_classifier.adapt_features(features, named(mixed))
    (metric,) = unsure.bundle.card["metrics"]
    assert metric["value"] == pytest.approx(0.75, abs=0.05)
    ok = [classifier.predict_features(features)[2].count("ok") for classifier in (sure, unsure)]
    assert ok[0] > 0.9 * len(target) > ok[1]
    assert unsure.bundle.thresholds.confidence > sure.bundle.thresholds.confidence


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_few_cells_of_one_class_do_no_harm(tiny_classifier: Classifier, target: np.ndarray, n: int) -> None:
    features, home = draw_features(np.full(n, 1), 1, elsewhere=True), draw_features(target, 3)
    adapted = tiny_classifier.adapt_features(features, ["green"] * n)
    assert n == 1 or accuracy(adapted, features, np.full(n, 1)) == 1
    assert accuracy(adapted, home, target) == 1
    before, after = tiny_classifier.bundle.thresholds, adapted.bundle.thresholds
    assert n < MIN_IMAGES and after.confidence >= before.confidence and after.ood_score == before.ood_score


def test_the_card_says_what_was_done(tiny_bundle: Bundle, adapted: Classifier) -> None:
    card = adapted.bundle.card
    entry, (metric,) = card["adaptation"], card["metrics"]
    assert entry["labelled"] == {"red": 20, "green": 20, "blue": 20}
    assert (entry["base_sha256"], entry["date"]) == (tiny_bundle.sha256, "2030-01-02")
    assert (metric["n"], metric["value"]) == (60, 1.0) and metric["low"] < 1 == metric["high"]
    assert card["intended_use"] == tiny_bundle.card["intended_use"]


def test_the_map_has_the_new_cells(
    tiny_classifier: Classifier, adapted: Classifier, target: np.ndarray
) -> None:
    old, new = tiny_classifier.atlas, adapted.atlas
    assert len(new) == len(old) + 60 and new.target[len(old) :].tolist() == target.tolist()
    assert np.array_equal(new.embedding[: len(old)], old.embedding) and np.isfinite(new.embedding).all()
    axes = new.pca_components.astype(np.float64)
    assert len(axes) > len(old.pca_components) and np.allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-4)


def test_what_is_saved_answers_alike(adapted: Classifier, tmp_path: Path, target: np.ndarray) -> None:
    images = [draw_cell(colour) for colour in COLOURS.values()]
    bundle = adapted.save(tmp_path / "new")
    loaded = Classifier.load(tmp_path / "new")
    assert bundle.sha256 == adapted.bundle.sha256 == loaded.bundle.sha256
    ours, theirs = adapted.predict(images), loaded.predict(images)
    for name in ("probs", "features", "cams", "ood_score", "status"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    assert [path.name for path in loaded.bundle.examples] == [path.name for path in bundle.examples] != []


def test_stored_features_get_the_answer_of_their_image(adapted: Classifier) -> None:
    found = adapted.predict([draw_cell(colour) for colour in COLOURS.values()])
    probs, ood_score, status = adapted.predict_features(found.features)
    assert np.array_equal(probs, found.probs) and np.array_equal(ood_score, found.ood_score)
    assert status == found.status


def test_heat_maps_belong_to_the_new_head(tiny_classifier: Classifier, adapted: Classifier) -> None:
    image = [Image.new("RGB", (64, 64), (200, 100, 50))]
    before, after = tiny_classifier.predict(image), adapted.predict(image)
    head = Head.from_bytes(adapted.bundle.read("head.npz"))
    logits = after.cams.mean(axis=(2, 3)) + head.bias  # global average pooling and one linear layer
    assert np.allclose(logits, head(after.features), rtol=0.02, atol=0.02)
    assert np.array_equal(before.features, after.features) and not np.allclose(before.cams, after.cams)


def test_images_are_described_turned_and_mirrored_too(tiny_classifier: Classifier) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    views = turn_views(image)
    assert len({view.tobytes() for view in views}) == len(views) == 8 and views[0] is image
    features = tiny_classifier.describe([image, draw_cell()])
    assert features.shape == (2, 8, N_FEATURES)
    assert np.array_equal(features[0, 0], tiny_classifier.predict([image]).features[0])


def test_images_and_labels_make_a_classifier(tiny_classifier: Classifier) -> None:
    """The colours have the wrong names in the other laboratory."""
    images = [draw_cell(colour, (50 + i, 60)) for i in range(10) for colour in COLOURS.values()]
    adapted = tiny_classifier.adapt(images, ["Green", "azul", " RED "] * 10)
    assert adapted.predict(images[:3]).probs.argmax(axis=1).tolist() == [1, 2, 0]


def test_unknown_labels_are_told_with_the_known_ones(tiny_classifier: Classifier) -> None:
    with pytest.raises(BloodError, match=r"labels 'mauve', 'pink': .*\(red, green, blue\)"):
        tiny_classifier.adapt([draw_cell()] * 3, ["pink", "red", "mauve"])


@pytest.mark.parametrize(("images", "labels"), [([], []), ([draw_cell()], ["red", "blue"])])
def test_each_image_needs_a_label(tiny_classifier: Classifier, images: list, labels: list) -> None:
    with pytest.raises(BloodError, match="a label for each"):
        tiny_classifier.adapt(images, labels)


def test_features_of_another_network_are_refused(tiny_classifier: Classifier) -> None:
    for features in (np.zeros((2, 5)), np.full((2, N_FEATURES), np.nan), np.zeros(N_FEATURES)):
        with pytest.raises(ValueError, match="features"):
            tiny_classifier.adapt_features(features, ["red", "blue"])


def test_an_adapted_classifier_adapts_again(adapted: Classifier, target: np.ndarray) -> None:
    again = adapted.adapt_features(draw_features(target, 5), named(target))
    assert again.bundle.card["adaptation"]["base_sha256"] == adapted.bundle.sha256
    assert accuracy(again, draw_features(target, 6), target) == 1


def pack(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


WEIGHT, BIAS = np.ones((3, N_FEATURES), np.float32), np.zeros(3, np.float32)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no head", "no readable head"),
        (pickle.dumps({}), "no readable head"),
        (pack(weight=WEIGHT), "no readable head"),
        (pack(weight=WEIGHT.astype(np.float64), bias=BIAS), "no readable head"),
        (pack(weight=WEIGHT * np.float32(np.nan), bias=BIAS), "no readable head"),
        (pack(weight=WEIGHT, bias=BIAS[:2]), "no readable head"),
        (pack(weight=np.array([{}]), bias=BIAS), "no readable head"),
        (pack(weight=WEIGHT[:2], bias=BIAS[:2]), "names 3 classes, its model knows 2"),
        (pack(weight=WEIGHT[:, :5], bias=BIAS), "belongs to another model"),
    ],
)
def test_a_damaged_head_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    rng = np.random.default_rng(0)
    files = {"model.onnx": build_tiny_onnx(rng), "atlas.npz": build_tiny_atlas(rng).to_bytes()}
    bundle = save_tiny_bundle(tmp_path, files=files | {"head.npz": content})
    with pytest.raises(BundleError, match=words) as caught:
        Classifier(bundle)
    assert str(tmp_path) in str(caught.value) and str(caught.value).endswith(": get the bundle again.")


def test_a_bundle_in_memory_is_what_it_will_be_on_disk(tiny_bundle: Bundle, tmp_path: Path) -> None:
    changed = tiny_bundle.change(files={"note.txt": b"note"}, temperature=2.0)
    assert changed.read("note.txt") == b"note" and "note.txt" not in tiny_bundle.files
    saved = changed.save(tmp_path / "b")
    assert saved.sha256 == changed.sha256 != tiny_bundle.sha256
    assert saved.files == changed.files and saved.temperature == 2
    assert json.loads((tmp_path / "b" / "bundle.json").read_bytes())["files"] == saved.files
    assert load_bundle(tmp_path / "b").read("note.txt") == b"note"


def test_a_cell_that_is_left_out_is_answered_by_a_fit_without_it() -> None:
    rng = np.random.default_rng(0)
    features, target = rng.normal(size=(30, 6)).astype(np.float32), np.arange(30) // 2 % 3
    weight = np.repeat(rng.uniform(0.5, 2, 15), 2)
    left_out = Ridge(features, target, weight, 3).left_out(0.1, slice(0, 30), 2)
    wanted = np.eye(3)[target]
    full = Ridge(features, target, weight, 3)
    x = np.hstack([(features - full._mean) / full._scale, np.full((30, 1), 10.0)])
    for i in range(15):
        keep = np.arange(30) // 2 != i
        moment = (x[keep] * weight[keep, None]).T
        solved = np.linalg.solve(moment @ x[keep] + 0.1 * np.eye(7), moment @ wanted[keep])
        assert np.allclose(left_out[i], x[2 * i] @ solved, atol=1e-3)


def test_the_penalty_hardly_sees_the_bias() -> None:
    features = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    head = Ridge(features, np.zeros(40, int), np.ones(40), 2).head(1.0)
    assert np.allclose(head(features), [1, 0], atol=0.01)
