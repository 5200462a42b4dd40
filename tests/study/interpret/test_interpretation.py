"""What a network looks at, held against what is served; its failures counted by hand."""

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")
pytest.importorskip("onnx", reason="needs the extra `study`")

from blood_lib.bundle import load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from blood_lib.study.data.index import build_index
from blood_lib.study.interpret import interpretation
from blood_lib.study.train.networks import load_bundle_network


@pytest.fixture
def exported(tiny_export):
    """The bundle of an ordinary run, whose recipe has batch normalisation in it."""
    return tiny_export


@pytest.fixture(params=["exported", "shipped"])
def bundle(request):
    return load_bundle() if request.param == "shipped" else request.getfixturevalue("exported")


def serve_exactly(bundle, x):
    """logits, features and maps of x (B, 3, S, S) by the served file, in single precision everywhere."""
    import openvino as ov

    core, options = ov.Core(), {"INFERENCE_PRECISION_HINT": "f32"}
    model = core.compile_model(core.read_model(bundle.read("model.onnx"), b""), "CPU", options)
    return tuple(model(x.numpy())[name] for name in ("logits", "features", "maps"))


def draw_batch(bundle, n=3):
    size = bundle.preprocessing.image_size
    views = np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    return interpretation.build_batch(views)


def test_a_bundle_gives_its_network_back(bundle):
    network, recipe = load_bundle_network(bundle.path)
    x = draw_batch(bundle)
    with torch.no_grad():
        logits = network(x).numpy()
    expected, _, _ = serve_exactly(bundle, x)
    assert logits.shape == expected.shape and np.abs(logits - expected).max() < 1e-3
    assert not network.training and recipe.image_size == bundle.preprocessing.image_size


def test_a_bundle_without_a_recipe_is_refused(tiny_bundle):
    with pytest.raises(BloodError, match="recipe.json"):
        load_bundle_network(tiny_bundle.path)


def test_grad_cam_is_the_class_activation_map_of_the_served_network(bundle):
    network, _ = load_bundle_network(bundle.path)
    x, target = draw_batch(bundle), [0, 3, 7]
    cams = interpretation.compute_grad_cam(network, x, target)
    _, _, maps = serve_exactly(bundle, x)
    expected = np.einsum("bd,bdhw->bhw", network.head.weight.detach().numpy()[target], maps)
    assert cams.shape == expected.shape
    assert np.allclose(cams * cams[0].size, expected, atol=1e-3 * np.abs(expected).max())
    assert np.abs(cams[0] - interpretation.compute_grad_cam(network, x, [1, 3, 7])[0]).max() > 0


def test_deep_features_are_those_that_are_served(bundle):
    network, _ = load_bundle_network(bundle.path)
    x = draw_batch(bundle)
    _, expected, _ = serve_exactly(bundle, x)
    assert np.allclose(interpretation.compute_deep_features(network, x, batch_size=2), expected, atol=1e-3)


def test_hooks_come_off_even_when_the_pass_fails(exported):
    network, _ = load_bundle_network(exported.path)
    interpretation.compute_grad_cam(network, draw_batch(exported, 1), [0])
    for hooked in (interpretation.compute_deep_features, interpretation.compute_grad_cam):
        options = ([0],) if hooked is interpretation.compute_grad_cam else ()
        with pytest.raises(RuntimeError):
            hooked(network, torch.zeros(1, 5, 32, 32), *options)
    assert not any(module._forward_hooks for module in network.modules())


def test_images_are_described_as_they_are_classified(exported, tiny_dataset):
    images = interpretation.list_images(build_index(tiny_dataset)).sample(9, random_state=0)
    described = interpretation.describe_images(Classifier(exported), tiny_dataset, images)
    table, probs = described.table, described.probs
    assert table["file"].tolist() == images["file"].tolist() and len(described.cams) == 9
    assert table["probability"].to_numpy() == pytest.approx(probs.max(axis=1))
    assert (table["right"] == (table["answer"] == table["cell_type"])).all()
    labels = [exported.names.index(name) for name in table["cell_type"]]
    assert np.exp(-table["loss"]).to_numpy() == pytest.approx(probs[range(9), labels], rel=1e-4)
    some = described.select(table["right"].to_numpy())
    assert some.table["right"].all() and len(some.features) == table["right"].sum()


def test_a_file_that_is_no_image_is_told(exported, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"text")
    with pytest.raises(BloodError, match="a.jpg cannot be used"):
        interpretation.describe_images(
            Classifier(exported), tmp_path, pd.DataFrame({"file": ["a.jpg"], "cell_type": ["platelet"]})
        )


def test_the_pair_with_two_labels_is_listed_in_no_part(drawn_index):
    images = interpretation.list_images(drawn_index)
    apart = images[images["part"] == ""]
    assert sorted(apart["file"]) == ["monocyte/MO_91.jpg", "platelet/PLATELET_1.jpg"]
    assert set(images["part"]) == {"train", "valid", "test", ""}


def test_the_bundle_of_the_run_comes_before_the_one_that_ships(tmp_path):
    assert interpretation.find_bundle("", tmp_path) is None and interpretation.find_bundle("", "") is None
    (tmp_path / "bundle").mkdir()
    assert interpretation.find_bundle("", tmp_path) == tmp_path / "bundle"
    assert interpretation.find_bundle("other", tmp_path).name == "other"


def test_a_bundle_is_told_by_title_hash_and_origin(tmp_path):
    shipped = load_bundle()
    told = interpretation.describe_bundle(shipped, tmp_path)
    assert told == f'bundle "Single blood cells", sha256 {shipped.sha256[:12]}: the one that ships'
    made = shipped.change(files={}, temperature=shipped.temperature + 1).save(tmp_path / "bundle")
    assert interpretation.describe_bundle(made, tmp_path).endswith(": the one that notebook 03 made")
    assert interpretation.describe_bundle(made, tmp_path / "other").endswith(": another one")


def build_table(rows):
    """A table as `describe_images` gives it, of (cell_type, subtype, answer, loss)."""
    table = pd.DataFrame(rows, columns=["cell_type", "subtype", "answer", "loss"])
    return table.assign(right=table["cell_type"] == table["answer"])


NEUTROPHIL, IMMATURE = "neutrophil", "immature granulocyte"
FAILURES = [
    (NEUTROPHIL, "band neutrophil", IMMATURE, 3.0),
    (NEUTROPHIL, "band neutrophil", NEUTROPHIL, 0.1),
    (IMMATURE, "metamyelocyte", NEUTROPHIL, 4.0),
    (IMMATURE, "myelocyte", "monocyte", 2.0),
    (IMMATURE, "myelocyte", IMMATURE, 0.3),
    (IMMATURE, "myelocyte", IMMATURE, 0.2),
]


def test_the_worst_come_first_and_the_best_of_each_type_are_right():
    table = build_table(FAILURES)
    assert interpretation.list_top_losses(table, 3).index.tolist() == [2, 0, 3]
    assert interpretation.list_best(table).index.tolist() == [5, 1]


def test_confusions_are_counted_by_pair_whichever_is_the_label():
    pairs = interpretation.compute_confused_pairs(build_table(FAILURES))
    assert pairs["pair"].tolist() == [
        "immature granulocyte and neutrophil",
        "immature granulocyte and monocyte",
    ]
    assert pairs["errors"].tolist() == [2, 1] and pairs["share"].sum() == pytest.approx(1)
    assert interpretation.compute_confused_pairs(build_table(FAILURES[1:2])).empty


def test_confused_subtypes_by_hand():
    table = interpretation.compute_confused_subtypes(build_table(FAILURES), NEUTROPHIL, IMMATURE)
    counts = table.set_index("subtype")[["n", "taken_for_other"]]
    assert counts.loc["band neutrophil"].tolist() == [2, 1]
    assert counts.loc["metamyelocyte"].tolist() == [1, 1]
    assert counts.loc["myelocyte"].tolist() == [3, 0]  # one is taken for a third type
    band = table.iloc[0]
    assert band["share_low"] < band["share"] == 0.5 < band["share_high"]
    assert np.isnan(table.set_index("subtype").loc["promyelocyte", "share"])


def test_heat_is_shared_out_by_place():
    views = np.full((3, 30, 30, 3), 200, dtype=np.uint8)
    views[:, 12:18, 12:18] = 10
    cams = np.zeros((3, 30, 30), np.float32)
    cams[0] = 1  # spread evenly
    cams[1, 12:18, 12:18] = 5  # all on the dark square in the middle
    cams[2] = -1  # nothing speaks for the class
    shares = interpretation.compute_heat_shares(cams, views, middle=1 / 3)
    assert shares["middle"].tolist()[:2] == pytest.approx([1 / 9, 1])
    assert shares.loc[1, "nucleus"] == pytest.approx(1)
    assert shares.loc[2].isna().all()


def test_mean_heat_is_one_where_it_is_even_and_leaves_out_maps_without_any():
    cams = np.zeros((4, 3, 3), np.float32)
    cams[0, 1, 1] = 7  # in the middle, however much
    cams[1] = 2  # everywhere
    cams[2:] = -1  # nothing speaks for the class
    heats = interpretation.compute_mean_heat(cams, ["b", "a", "b", "c"], size=9)
    assert list(heats) == ["a", "b"] and np.allclose(heats["a"], 1)
    assert heats["b"].mean() == pytest.approx(1) and heats["b"].argmax() == 40


def test_heat_of_groups_is_summarised_even_where_one_is_empty():
    shares = pd.DataFrame({"middle": [0.1, 0.2, 0.3, 0.9], "nucleus": 0.5})
    mask = np.array([True, True, True, False])
    table = interpretation.summarise_heat(shares, {"some": mask, "none": np.zeros(4, dtype=bool)})
    assert table.loc["some", "middle, median"] == pytest.approx(0.2) and table.loc["some", "n"] == 3
    assert table.loc["none", "n"] == 0 and np.isnan(table.loc["none", "middle, median"])


def test_a_difference_is_found_and_none_is_not():
    rng = np.random.default_rng(0)
    same, other = rng.normal(size=(2, 50))
    assert interpretation.compute_difference(same, other + 2) < 1e-6
    assert interpretation.compute_difference(same, other) > 0.01
    assert np.isnan(interpretation.compute_difference([], same))
