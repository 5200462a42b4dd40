"""Images in, answers out: probabilities, maps and statuses, the same whatever stands beside an image."""

import doctest
import io
import pickle
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blood_lib.bundle import Bundle, BundleError, ClassInfo, SubtypeInfo, Thresholds, load_bundle
from blood_lib.files.reasons import Reason
from blood_lib.images import Rejection, iter_files, load_image
from blood_lib.inference import STATUSES, Classifier, decoding, heat_map, views
from blood_lib.inference import classifier as inference
from blood_lib.inference.calibration import softmax
from blood_lib.inference.head import Head
from blood_lib.inference.results import explain
from blood_lib.inference.views import ViewMaker
from tests.tools.fixtures_bundle import (
    COLOURS,
    N_FEATURES,
    build_tiny_atlas,
    build_tiny_onnx,
    draw_cell,
    encode,
    save_tiny_bundle,
)


def noise(n: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (50, 40, 3), dtype=np.uint8)) for _ in range(n)]


def test_the_classes_are_told_apart(tiny_classifier: Classifier) -> None:
    predictions = tiny_classifier.predict([draw_cell(colour) for colour in COLOURS.values()])
    assert predictions.probs.argmax(axis=1).tolist() == [0, 1, 2]
    assert predictions.status == ["ok"] * 3


def test_shapes_and_types(tiny_classifier: Classifier) -> None:
    predictions = tiny_classifier.predict(noise(5))
    shapes = {"probs": (5, 3), "features": (5, N_FEATURES), "cams": (5, 3, 8, 8), "ood_score": (5,)}
    for name, shape in shapes.items():
        array = getattr(predictions, name)
        assert (array.shape, array.dtype) == (shape, np.float32)
    assert len(predictions) == len(predictions.status) == 5


def test_no_images_give_no_predictions(tiny_classifier: Classifier) -> None:
    assert len(tiny_classifier.predict([])) == 0
    assert list(tiny_classifier.classify([])) == []


def test_probabilities_sum_to_one_and_follow_the_temperature(tmp_path: Path) -> None:
    sharp, soft = (
        Classifier(save_tiny_bundle(tmp_path / str(t), temperature=t)).predict(noise(4)).probs for t in (1, 2)
    )
    assert np.allclose(sharp.sum(axis=1), 1, atol=1e-6)
    expected = np.sqrt(sharp) / np.sqrt(sharp).sum(axis=1, keepdims=True)  # halving the logits
    assert np.allclose(soft, expected, atol=1e-5)


def test_the_network_computes_what_its_weights_say(tiny_bundle: Bundle, tiny_classifier: Classifier) -> None:
    from onnx import load_from_string, numpy_helper

    image = Image.new("RGB", (64, 64), (200, 100, 50))
    found = tiny_classifier.predict([image])
    model = load_from_string(tiny_bundle.read("model.onnx"))
    weights = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    x = (np.array([200, 100, 50]) / 255 - 0.5) / 0.25
    inner = np.maximum((weights["conv.weight"].sum(axis=(2, 3))) @ x, 0)  # where the padding is not seen
    logits = found.features @ weights["head.weight"].T + weights["head.bias"]
    assert np.allclose(found.cams[0, :, 3, 3], weights["head.weight"] @ inner, rtol=0.02, atol=0.02)
    assert np.allclose(found.probs, softmax(logits / 1.5), atol=0.01)
    # the mean of a class's map is its logit without the bias: global average pooling and one linear layer
    assert np.allclose(found.cams.mean(axis=(2, 3)) + weights["head.bias"], logits, rtol=0.02, atol=0.02)


def test_the_maps_show_where_the_class_is_seen(tiny_classifier: Classifier) -> None:
    image = Image.new("RGB", (100, 100), "black")
    image.paste(COLOURS["red"], (60, 20, 80, 40))  # right of the middle, above it
    cam = tiny_classifier.predict([image]).cams[0, 0]
    heat = heat_map(cam, (80, 80))  # the crop: 0.8 of the image
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 50 <= column <= 70 and 10 <= row <= 30


def test_an_image_is_answered_alike_alone_among_others_and_again(tiny_classifier: Classifier) -> None:
    images = noise(33)
    together = tiny_classifier.predict(images)
    for predictions, rows in [
        (tiny_classifier.predict(images), slice(None)),
        (tiny_classifier.predict(images[::-1]), slice(None, None, -1)),
        (tiny_classifier.predict(images[7:8]), slice(7, 8)),
        (tiny_classifier.predict(images[:20]), slice(0, 20)),
    ]:
        for name in ("probs", "features", "cams"):
            assert np.array_equal(getattr(predictions, name), getattr(together, name)[rows])
        assert np.allclose(predictions.ood_score, together.ood_score[rows], atol=1e-5)


def test_half_precision_weights_give_the_same_answers(tmp_path: Path, tiny_classifier: Classifier) -> None:
    half = Classifier(save_tiny_bundle(tmp_path, half=True)).predict(noise(8))
    assert np.allclose(half.probs, tiny_classifier.predict(noise(8)).probs, atol=0.01)


def test_results_keep_the_order_of_the_files(tiny_classifier: Classifier) -> None:
    colours = list(COLOURS) * 5
    files = [(f"{i}.png", encode(draw_cell(COLOURS[colour]))) for i, colour in enumerate(colours)]
    files[3] = ("3.png", Rejection(Reason("unsent")))
    files[7] = ("7.png", b"no image")
    results = list(tiny_classifier.classify(iter(files), batch_size=4))
    assert [result.name for result in results] == [name for name, _ in files]
    sound = [i for i in range(15) if i not in (3, 7)]
    assert [results[i].label for i in sound] == [colours[i] for i in sound]
    assert [(results[i].status, results[i].label) for i in (3, 7)] == [("rejected", None)] * 2
    assert (results[3].reason.code, results[7].reason.code) == ("unsent", "no_image")


def test_classify_and_predict_agree(tiny_classifier: Classifier) -> None:
    images = noise(6)
    results = list(tiny_classifier.classify([(str(i), encode(image)) for i, image in enumerate(images)]))
    predictions = tiny_classifier.predict(images)
    for i, result in enumerate(results):
        assert np.array_equal(result.probs, predictions.probs[i])
        assert np.array_equal(result.cams, predictions.cams[i])
        assert result.confidence == pytest.approx(predictions.probs[i].max())
        assert result.status in STATUSES


@pytest.mark.parametrize(
    ("confidence", "ood_score", "status", "words"),
    [(0.0, 2.0, "ok", ""), (1.0, 2.0, "uncertain", "% sure"), (1.0, 0.0, "unfamiliar", "unlike anything")],
)
def test_each_status_has_its_reason(tmp_path: Path, confidence, ood_score, status, words) -> None:
    classifier = Classifier(save_tiny_bundle(tmp_path, thresholds=Thresholds(confidence, ood_score)))
    (result,) = classifier.classify([("red.png", encode(draw_cell()))])
    assert result.status == status
    assert (result.reason is None) == (status == "ok")
    assert words in str(result.reason or "")


def test_a_reason_never_says_more_than_the_numbers(tiny_classifier: Classifier) -> None:
    for confidence, limit, sure, needed in [
        (0.9961, 0.99614, "only 99.6% sure", "less than the 99.7%"),
        (0.99999, 1.0, "only 99.9% sure", "less than the 100.0%"),
        (0.25, 0.5, "only 25.0% sure", "less than the 50.0%"),
        (float("nan"), 0.5, "only nan% sure", "less than the 50.0%"),
    ]:
        reason = str(explain("uncertain", confidence, limit))
        assert sure in reason and needed in reason


def look_thrice(folder: Path, below: float = 1.0, ood_score: float = 2.0) -> Classifier:
    """Sees a doubtful image in a half and in all of it, too."""
    bundle = save_tiny_bundle(folder / "one")
    how = replace(bundle.preprocessing, tta_crops=(0.5, 1.0), tta_below=below)
    limits = Thresholds(confidence=0.6, ood_score=ood_score)
    return Classifier(bundle.change(files={}, preprocessing=how, thresholds=limits).save(folder / "thrice"))


def test_a_doubtful_image_is_answered_from_the_mean_of_its_views(tmp_path: Path) -> None:
    images, thrice = noise(5), look_thrice(tmp_path)
    found, bundle = thrice.predict(images), thrice.bundle
    crops = [replace(bundle.preprocessing, crop=crop, tta_crops=()) for crop in (0.8, 0.5, 1.0)]
    views = [Classifier(bundle.change(files={}, preprocessing=how)).predict(images) for how in crops]
    logs = np.mean([np.log(view.probs) for view in views], axis=0)
    assert np.allclose(found.probs, softmax(logs), atol=1e-5)
    assert not np.allclose(found.probs, views[0].probs, atol=1e-3)
    assert np.allclose(found.features, np.mean([view.features for view in views], axis=0), atol=1e-5)
    assert np.array_equal(found.cams, views[0].cams)
    assert np.array_equal(found.probs, thrice.predict_features(found.features)[0])
    results = list(thrice.classify([(str(i), encode(image)) for i, image in enumerate(images)]))
    assert np.allclose([result.probs for result in results], found.probs, atol=1e-6)
    for result, again in zip(results, thrice.reconsider(results), strict=True):
        assert np.array_equal(again.probs, result.probs) and again.ood_score == result.ood_score


def test_an_image_that_cannot_be_opened_again_keeps_its_first_answer(tmp_path: Path, monkeypatch) -> None:
    files, opened = [("a.png", encode(noise(1)[0]))], []

    def once(content: bytes):
        opened.append(content)
        return load_image(content) if len(opened) == 1 else Rejection(Reason("empty"))

    thrice = look_thrice(tmp_path)
    first = Classifier(load_bundle(tmp_path / "one")).predict(noise(1)).probs[0]
    monkeypatch.setattr(views, "load_image", once)
    found = next(thrice.classify(files))
    assert len(opened) == 2 and np.allclose(found.probs, first, atol=1e-6)


@pytest.mark.parametrize("how", [{"below": 1e-6}, {"ood_score": 0.0}], ids=["sure", "unfamiliar"])
def test_what_is_sure_or_unfamiliar_is_seen_once(tmp_path: Path, how: dict) -> None:
    thrice, images = look_thrice(tmp_path, **how), noise(5)
    once = Classifier(load_bundle(tmp_path / "one"))
    assert np.array_equal(thrice.predict(images).probs, once.predict(images).probs)


def test_an_adapted_classifier_sees_an_image_once(tmp_path: Path) -> None:
    images = noise(3)
    adapted = look_thrice(tmp_path).adapt(images, ["red", "green", "blue"])
    found = adapted.predict(images)
    assert np.array_equal(found.probs, adapted.predict_features(found.features)[0])


def test_files_are_read_only_a_little_ahead(tiny_classifier: Classifier) -> None:
    n_read = 0

    def endless():
        nonlocal n_read
        while True:
            n_read += 1
            yield f"{n_read}.png", encode(draw_cell())

    results = tiny_classifier.classify(endless(), batch_size=4)
    for _ in range(8):
        next(results)
    results.close()
    assert n_read <= 8 + 2 * 4 + 1


def test_large_files_wait_in_smaller_numbers(monkeypatch) -> None:
    content = encode(draw_cell())
    monkeypatch.setattr(decoding, "_MAX_WAITING_BYTES", 3 * len(content))
    n_read = 0

    def files():
        nonlocal n_read
        for i in range(40):
            n_read += 1
            yield f"{i}.png", content

    ahead = decoding.decode_ahead(files(), load_image, 100)
    first = next(ahead)
    assert len(first) < n_read <= 4  # what waits is decoded meanwhile
    assert len(first) + sum(map(len, ahead)) == 40


def test_first_results_wait_for_few_files(tiny_classifier: Classifier) -> None:
    n_read = 0

    def slowly():
        nonlocal n_read
        for n_read in range(1, 201):
            yield f"{n_read}.png", encode(draw_cell())

    results = tiny_classifier.classify(slowly())
    assert next(results).name == "1.png" and n_read <= 24
    assert [result.name for result in results] == [f"{i}.png" for i in range(2, 201)]


def test_giving_up_halfway_leaves_no_thread_behind(tiny_classifier: Classifier) -> None:
    before = threading.active_count()
    results = tiny_classifier.classify(((str(i), encode(draw_cell())) for i in range(500)), batch_size=4)
    next(results)
    results.close()
    assert threading.active_count() == before


def test_two_threads_may_share_a_classifier(tiny_classifier: Classifier) -> None:
    images, found = noise(20), {}
    expected = tiny_classifier.predict(images).probs

    def work(i: int) -> None:
        found[i] = [tiny_classifier.predict(images).probs for _ in range(5)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(probs, expected) for i in range(3) for probs in found[i])


def complain(folder: Path, model: bytes | None = None, atlas: bytes | None = None, **changes) -> str:
    """The sentence about a bundle whose files have the hashes they should have."""
    rng = np.random.default_rng(0)
    files = {
        "model.onnx": model or build_tiny_onnx(rng),
        "atlas.npz": atlas or build_tiny_atlas(rng).to_bytes(),
    }
    with pytest.raises(BundleError) as caught:
        Classifier(save_tiny_bundle(folder, **({"files": files} | changes)))
    message = str(caught.value)
    assert str(folder) in message and "\n" not in message and message.endswith(": get the bundle again.")
    return message


def rebuild(change) -> bytes:
    """The tiny model after `change` of its graph."""
    import onnx

    model = onnx.load_from_string(build_tiny_onnx(np.random.default_rng(0)))
    change(model.graph)
    return model.SerializeToString()


def reduce_logits(graph, **how) -> None:
    """Let the logits be their own mean over some axes."""
    from onnx import helper

    graph.node[-1].output[0] = "all"
    graph.node.append(helper.make_node("ReduceMean", ["all"], ["logits"], **how))
    del graph.output[0].type.tensor_type.shape.dim[:]


def swap(graph, a: str, b: str) -> None:
    for port in graph.output:
        port.name = {a: b, b: a}.get(port.name, port.name)
        port.ClearField("type")
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [{a: b, b: a}.get(name, name) for name in names]


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: reduce_logits(graph, keepdims=0),
        lambda graph: reduce_logits(graph, axes=[0], keepdims=0),
        lambda graph: reduce_logits(graph, axes=[1], keepdims=0),
        lambda graph: swap(graph, "maps", "features"),
        lambda graph: swap(graph, "maps", "logits"),
        lambda graph: graph.output.pop(0),
        lambda graph: setattr(graph.initializer[1], "name", "tail.weight"),
    ],
    ids=[
        "no axis",
        "no images",
        "no classes",
        "maps for features",
        "maps for logits",
        "no logits",
        "no head",
    ],
)
def test_a_model_that_gives_something_else(tmp_path: Path, change) -> None:
    assert "cannot be used" in complain(tmp_path, rebuild(change))


def test_a_model_that_is_none(tmp_path: Path) -> None:
    assert "the model of the bundle" in complain(tmp_path, b"this is no model")


def test_a_model_that_cannot_be_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import openvino

    def refuse(*_):
        raise RuntimeError("no such primitive\nat line 3")

    monkeypatch.setattr(openvino.Core, "compile_model", refuse)
    assert "cannot be used (no such primitive)" in complain(tmp_path)


def test_answers_that_are_no_numbers_are_never_ok(tmp_path: Path) -> None:
    def spoil(graph) -> None:
        nan = np.full(3, np.nan, np.float32)
        graph.initializer[2].raw_data = nan.tobytes()

    files = {
        "model.onnx": rebuild(spoil),
        "atlas.npz": build_tiny_atlas(np.random.default_rng(0)).to_bytes(),
    }
    classifier = Classifier(save_tiny_bundle(tmp_path, files=files))
    (result,) = classifier.classify([("red.png", encode(draw_cell()))])
    assert result.status == "uncertain"


@pytest.mark.parametrize("kind", ["nothing", "pickle", "array"])
def test_an_atlas_that_is_none(tmp_path: Path, kind: str) -> None:
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    content = {"nothing": b"this is no atlas", "pickle": pickle.dumps({}), "array": array.getvalue()}[kind]
    message = complain(tmp_path, atlas=content)
    assert "no readable atlas" in message and "pickle" not in message


def test_an_atlas_of_another_model(tmp_path: Path) -> None:
    atlas = build_tiny_atlas(np.random.default_rng(0))
    atlas.features, atlas.pca_mean = atlas.features[:, :7], atlas.pca_mean[:7]
    atlas.pca_components = atlas.pca_components[:, :7]
    assert "belongs to another model" in complain(tmp_path, atlas=atlas.to_bytes())


def test_a_model_for_other_classes(tmp_path: Path) -> None:
    classes = [ClassInfo(name, {"en": name}, "#aabbcc") for name in "abcd"]
    assert "names 4 classes, its model knows 3" in complain(tmp_path, classes=classes)


def test_a_heat_map_is_positive_and_at_most_one() -> None:
    cam = np.array([[-5.0, 0.0], [1.0, 4.0]])
    heat = heat_map(cam, (40, 20))
    assert (heat.shape, heat.dtype) == ((20, 40), np.float32)
    assert heat.min() == 0 and heat.max() == 1
    assert np.unravel_index(heat.argmax(), heat.shape)[1] >= 20  # right half, like the 4
    assert heat[0, 0] == 0


def test_a_heat_map_of_what_only_speaks_against_is_empty() -> None:
    assert heat_map(np.full((3, 3), -1.0), (9, 9)).max() == 0


def test_nothing_heavy_is_imported() -> None:
    heavy = ["scipy", "sklearn", "openTSNE", "torch", "pandas", "matplotlib", "openvino"]
    code = f"import blood_lib.inference, sys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_example_in_the_docstring() -> None:
    found = doctest.testmod(inference)
    assert found.attempted == 5 and found.failed == 0


def test_the_shipped_bundle_answers_alike_alone_and_among_others(real_images: Path) -> None:
    paths = sorted(real_images.glob("*/[A-Z]*.jpg"))[::500]
    classifier = Classifier.load()
    together = {result.name: result for result in classifier.classify(iter_files(paths))}
    (alone,) = classifier.classify(iter_files(paths[4:5]))
    assert np.array_equal(alone.probs, together[alone.name].probs)
    assert np.array_equal(alone.features, together[alone.name].features)


def test_decoding_does_not_wait_for_the_network(tiny_classifier: Classifier, monkeypatch) -> None:
    """The next images are decoded while the network works on a batch."""
    decoded: list[float] = []
    original = ViewMaker._decode

    def decode(self, content):
        decoded.append(time.monotonic())
        return original(self, content)

    monkeypatch.setattr(ViewMaker, "_decode", decode)
    results = tiny_classifier.classify([(str(i), encode(draw_cell())) for i in range(12)], batch_size=4)
    next(results)
    time.sleep(0.2)
    assert len(decoded) >= 8


def test_subtypes_are_told_where_the_bundle_has_a_head_for_them(tmp_path, tiny_classifier):
    names = ("dark", "light")
    weight = np.random.default_rng(0).normal(size=(2, N_FEATURES)).astype(np.float32)
    head = Head(weight, np.zeros(2, np.float32))
    infos = tuple(SubtypeInfo(name, {"en": name}) for name in names)
    bundle = tiny_classifier.bundle.change(files={"subtypes.npz": head.to_bytes()}, subtypes=infos)
    classifier = Classifier(load_bundle(bundle.save(tmp_path).path))
    (result,) = classifier.classify([("a.png", encode(draw_cell()))])
    assert result.subtype_probs.sum() == pytest.approx(1, abs=1e-5)
    assert result.subtype == names[int(head(result.features[None]).argmax())]
    (plain,) = tiny_classifier.classify([("a.png", encode(draw_cell()))])
    assert plain.subtype is None and plain.subtype_probs is None


def test_a_head_of_subtypes_that_does_not_fit_is_told(tmp_path, tiny_classifier):
    infos = (SubtypeInfo("dark", {"en": "dark"}),)
    for content in (b"no arrays", Head(np.zeros((2, 3), np.float32), np.zeros(2, np.float32)).to_bytes()):
        bundle = tiny_classifier.bundle.change(files={"subtypes.npz": content}, subtypes=infos)
        with pytest.raises(BundleError, match="subtypes"):
            Classifier(bundle)
    without = tiny_classifier.bundle.change(files={}, subtypes=infos)
    with pytest.raises(BundleError, match=r"subtypes\.npz"):
        without.save(tmp_path)


def test_a_model_that_would_read_other_files_of_the_machine_is_refused(tmp_path: Path) -> None:
    """OpenVINO would, and their bytes would come out as features."""
    (tmp_path / "secret").write_bytes(np.zeros(3, np.float32).tobytes())

    def keep_elsewhere(graph) -> None:
        bias = next(tensor for tensor in graph.initializer if tensor.name == "head.bias")
        bias.ClearField("raw_data")
        bias.data_location = 1
        bias.external_data.add(key="location", value=str(tmp_path / "secret"))

    assert "other files" in complain(tmp_path / "a", rebuild(keep_elsewhere))
    assert "no ONNX file" in complain(tmp_path / "b", b'<?xml version="1.0"?><net name="a" version="11"/>')
