"""A folded network says what it said before, and a served network can be trained further."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")
pytest.importorskip("onnx", reason="needs the extra `study`")

from blood_lib.__main__ import main
from blood_lib.bundle import load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.inference.head import Head
from blood_lib.study.export import export_onnx, store_as_float16
from blood_lib.study.train.architectures import build_network
from blood_lib.study.train.folding import fold_batch_norms, load_head, load_served_weights, mix_weights
from blood_lib.study.train.networks import load_network, load_start
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import train
from tests.tools.fixtures_training import tiny_recipe


def _network(arch, *, seed, n_classes=3):
    """A network whose batch normalisation does something."""
    torch.manual_seed(seed)
    network = build_network(arch, n_classes, initialisation="random").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1)
            module.bias.data.normal_(0, 0.1)
    return network


@pytest.mark.parametrize("arch", ["resnet18", "efficientnet_b0", "efficientnet_lite0"])
def test_folding_changes_no_output_and_leaves_no_batch_norm(arch):
    network, x = _network(arch, seed=0), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        before = network(x)
        after = fold_batch_norms(network)(x)
    assert torch.allclose(before, after, rtol=1e-3, atol=1e-5)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("arch", ["resnet18", "efficientnet_lite0"])
def test_a_served_network_comes_back(arch):
    network, x = _network(arch, seed=0), torch.randn(2, 3, 64, 64)
    content = store_as_float16(export_onnx(network, 64))
    back = load_served_weights(fold_batch_norms(_network(arch, seed=1)), content)
    with torch.no_grad():
        expected, got = network(x), back.eval()(x)
    assert (expected - got).norm() < 0.01 * expected.norm()  # weights were stored in half precision


def test_a_network_of_another_kind_is_refused():
    content = export_onnx(_network("resnet18", seed=0), 64)
    with pytest.raises(BloodError, match="--arch"):
        load_served_weights(fold_batch_norms(_network("resnet34", seed=0)), content)
    with pytest.raises(BloodError, match="other classes"):
        load_served_weights(fold_batch_norms(_network("resnet18", seed=0, n_classes=4)), content)


def test_mixed_weights_lie_between_but_for_the_subtypes():
    torch.manual_seed(0)
    start, trained = (build_network("resnet18", 3, n_subtypes=4, initialisation="random") for _ in range(2))
    wanted = 0.25 * trained.head.weight.detach() + 0.75 * start.head.weight.detach()
    subtypes = trained.subtypes.weight.detach().clone()
    mix_weights(trained, start, 0.25)
    assert torch.allclose(trained.head.weight, wanted, atol=1e-6)
    assert torch.equal(trained.subtypes.weight, subtypes)


@pytest.fixture
def first(tiny_export):
    """The bundle of a first run."""
    return tiny_export


def _further(bundle, **changes):
    values = {**vars(tiny_recipe()), "initialisation": "bundle", "start": bundle.sha256}
    return Recipe(**values | {"fold_batch_norms": True, "n_epochs": 1} | changes)


@pytest.mark.slow
def test_a_bundle_is_trained_further_and_mixed_with_where_it_began(first, tiny_dataset, tmp_path):
    """By the command line: a kept recipe, and another bundle to start from than the one it was made for."""
    kept, run = tmp_path / "recipe.json", tmp_path / "run"
    kept.write_text(_further(first, subtype_weight=0.5, mixing=0.25, start="another").to_json())
    assert (
        main(
            ["train", str(tiny_dataset), "--out", str(run), "--recipe", str(kept), "--start", str(first.path)]
        )
        == 0
    )
    (network, recipe), (trained, _) = load_network(run), load_network(run, file="trained.pt")
    start = load_start(recipe, first.path)
    assert (recipe.start, recipe.subtype_weight, recipe.n_epochs) == (first.sha256, 0.5, 1)
    weights = (one.head.weight for one in (network, trained, start))
    mixed, new, old = (weight.detach() for weight in weights)
    assert not torch.allclose(new, old, atol=1e-5)
    assert torch.allclose(mixed, 0.25 * new + 0.75 * old, atol=1e-6)
    assert load_bundle(run / "bundle").read("start/recipe.json") == first.read("recipe.json")


def test_what_is_no_recipe_is_told(tiny_dataset, tmp_path, capsys):
    (tmp_path / "recipe.json").write_text('{"augmentation": {"zoom": [1, 1]}, "colour": "red"}')
    options = ["--out", str(tmp_path / "run"), "--recipe", str(tmp_path / "recipe.json")]
    assert main(["train", str(tiny_dataset), *options]) == 1
    assert "is no recipe" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_starts_from_the_bundle_of_its_recipe_only(first, tiny_bundle, tiny_dataset, tmp_path):
    with pytest.raises(BloodError, match="not the bundle"):
        train(tiny_dataset, tmp_path / "run", _further(first), weights=tiny_bundle.path)
    with pytest.raises(BloodError, match="--start"):
        Recipe(initialisation="bundle")
    with pytest.raises(BloodError, match="--start"):
        Recipe(start=first.sha256)
    with pytest.raises(BloodError, match="Mixing"):
        Recipe(mixing=0.5)


def test_a_head_as_a_layer_gives_the_same_logits():
    rng = np.random.default_rng(0)
    head = Head(rng.normal(size=(3, 5)).astype(np.float32), rng.normal(size=3).astype(np.float32))
    features = rng.normal(size=(4, 5)).astype(np.float32)
    with torch.no_grad():
        assert np.allclose(load_head(head)(torch.from_numpy(features)), head(features), atol=1e-5)


def test_a_network_that_tells_subtypes_starts_with_the_bundle_s_head_for_them():
    bundle = load_bundle()
    recipe = replace(tiny_recipe(), arch="efficientnet_lite0", subtype_weight=0.5, fold_batch_norms=True)
    network = load_start(replace(recipe, initialisation="bundle", start=bundle.sha256), bundle.path)
    told = Head.from_bytes(bundle.read("subtypes.npz"))
    assert np.array_equal(network.subtypes.weight.detach().numpy(), told.weight)
