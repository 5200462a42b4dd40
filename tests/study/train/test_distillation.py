"""A network that learns from teachers is told, for each view, what they say of it on average."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.__main__ import main
from blood_lib.bundle import SHIPPED, load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.inference import Classifier
from blood_lib.inference.head import Head
from blood_lib.inference.network import Network
from blood_lib.study.cli.train import DISTILLATION
from blood_lib.study.data.split import load_split
from blood_lib.study.export.export import _read_run
from blood_lib.study.train.architectures import build_network
from blood_lib.study.train.distillation import (
    Teach,
    describe_teachers,
    hash_teacher,
    is_bundle,
    keep_teachers,
    keep_training,
)
from blood_lib.study.train.loaders import load_dls
from blood_lib.study.train.networks import load_teachers
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import train
from tests.tools.fixtures_bundle import COLOURS, draw_cell
from tests.tools.fixtures_training import tiny_recipe


def build_teachers(n: int):
    torch.manual_seed(0)
    return [build_network("resnet18", 3, n_subtypes=2, initialisation="random").eval() for _ in range(n)]


def test_teachers_say_their_mean_probabilities_of_classes_and_of_subtypes():
    networks, x = build_teachers(2), torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        alone = [Teach([(network, 64)], 3).ask(x) for network in networks]
    both = Teach([(network, 64) for network in networks], 3).ask(x)
    assert torch.allclose(both, (alone[0] + alone[1]) / 2, atol=1e-6)
    assert torch.allclose(both[:, :3].sum(1), torch.ones(4))
    assert torch.allclose(both[:, 3:].sum(1), torch.ones(4))


def test_a_teacher_sees_views_at_its_own_size():
    (network,) = build_teachers(1)
    sizes = []
    network.register_forward_pre_hook(lambda _, given: sizes.append(tuple(given[0].shape[2:])))
    teach = Teach([(network, 96)], 3)
    sizes.clear()  # folding the normalisation had a look, too
    teach.ask(torch.randn(2, 3, 64, 64))
    assert sizes == [(96, 96)]


def test_a_run_that_learns_from_teachers_keeps_how_they_were_trained(tiny_dataset, tiny_run, tmp_path):
    recipe = replace(tiny_recipe(), n_epochs=1, teachers=(hash_teacher(tiny_run),), distillation=0.5, seed=1)
    run = tmp_path / "student"
    train(tiny_dataset, run, recipe, teachers=[tiny_run])
    kept = json.loads((run / "teachers" / "1" / "recipe.json").read_text())
    assert kept == json.loads(tiny_recipe().to_json())
    assert describe_teachers(run / "teachers") == ["ResNet-18, 2 epochs at 32 px"]
    assert (run / "teachers" / "1" / "training.csv").read_text() == (tiny_run / "log.csv").read_text()


def test_of_a_bundle_that_is_trained_further_all_that_tells_of_its_training_is_kept(tiny_run, tmp_path):
    assert is_bundle(SHIPPED) and not is_bundle(tiny_run)
    bundle = load_bundle(SHIPPED)
    keep_training(bundle, tmp_path / "start")
    kept = [path.relative_to(tmp_path / "start").as_posix() for path in (tmp_path / "start").rglob("*.*")]
    assert {"recipe.json", "training.csv", "teachers/1/recipe.json"} <= set(kept)
    assert all((tmp_path / "start" / name).read_bytes() == bundle.read(name) for name in kept)
    assert not any(name.endswith((".onnx", ".npz")) for name in kept)


def test_a_bundle_teaches_what_it_serves():
    taught = (hash_teacher(SHIPPED),)
    recipe = replace(tiny_recipe(), teachers=taught, distillation=0.5, subtype_weight=0.5)
    teacher = load_teachers(recipe, [SHIPPED])
    classifier = Classifier.load(SHIPPED)
    network, how = Network.from_bundle(classifier.bundle, exact=True), classifier.bundle.preprocessing
    views = [np.asarray(draw_cell(colour, (how.image_size,) * 2)) for colour in COLOURS.values()]
    logits, features = network(views)[:2]
    subtypes = Head.from_bytes(classifier.bundle.read("subtypes.npz"))(features)
    expected = np.concatenate([softmax(logits, axis=1), softmax(subtypes, axis=1)], axis=1)
    x = (np.stack(views) / 255 - how.mean) / how.std
    asked = Teach(teacher, len(classifier.class_names)).ask(torch.tensor(x.transpose(0, 3, 1, 2)).float())
    assert np.allclose(asked, expected, atol=0.01)


def test_of_a_bundle_that_teaches_its_own_teachers_are_kept_too(tmp_path):
    """In the run, and in the bundle that is made of it."""
    keep_teachers([SHIPPED], tmp_path / "teachers")
    for name in ("recipe.json", "log.csv"):
        (tmp_path / name).touch()
    kept = _read_run(tmp_path)
    told = [name for name in load_bundle(SHIPPED).files if name.endswith((".csv", "recipe.json"))]
    names = [name for name in told if not name.startswith("detector/")]
    assert "teachers/1/recipe.json" in names
    for name in names:
        assert kept[f"teachers/1/{name}"] == (SHIPPED / name).read_bytes()
    assert len(describe_teachers(tmp_path / "teachers")) == 1


def test_an_adapted_bundle_is_no_teacher(tmp_path):
    """Its head is another one than its network's, and its scores are no logits."""
    classifier = Classifier.load(SHIPPED)
    features = np.ones((1, classifier.atlas.features.shape[1]))
    classifier.adapt_features(features, classifier.class_names[:1]).save(tmp_path)
    recipe = replace(tiny_recipe(), teachers=(hash_teacher(tmp_path),), distillation=0.5)
    with pytest.raises(BloodError, match="was adapted"):
        load_teachers(recipe, [tmp_path])


def test_the_command_takes_a_teacher_and_leaves_the_bundle_to_another_machine(
    tiny_dataset, tiny_run, tmp_path
):
    recipe, run = tmp_path / "recipe.json", tmp_path / "student"
    recipe.write_text(replace(tiny_recipe(), n_epochs=1).to_json())
    options = ["--out", str(run), "--recipe", str(recipe), "--teacher", str(tiny_run), "--no-bundle"]
    assert main(["train", str(tiny_dataset), *options]) == 0
    assert (run / "model.pt").exists() and not (run / "bundle").exists()
    kept = Recipe.from_json((run / "recipe.json").read_text())
    assert (kept.teachers, kept.distillation) == ((hash_teacher(tiny_run),), DISTILLATION)


def test_the_wrong_teachers_are_refused_before_anything_is_written(tiny_dataset, tiny_run, tmp_path):
    recipe = replace(tiny_recipe(), teachers=("0" * 64,), distillation=0.5)
    with pytest.raises(BloodError, match="not the teachers that the recipe learns from"):
        train(tiny_dataset, tmp_path / "run", recipe, teachers=[tiny_run])
    told = replace(recipe, teachers=(hash_teacher(tiny_run),), subtype_weight=0.5)
    with pytest.raises(BloodError, match="tells no subtypes"):
        train(tiny_dataset, tmp_path / "run", told, teachers=[tiny_run])
    with pytest.raises(BloodError, match="no finished run to learn from"):
        hash_teacher(tmp_path)
    assert not (tmp_path / "run").exists()


def test_only_training_batches_are_taught(tiny_dataset):
    dls = load_dls(tiny_dataset, load_split(tiny_dataset), tiny_recipe(), "cpu")

    class Learn:
        training, yb, xb = False, ("labels",), (torch.randn(2, 3, 32, 32),)

    teach = Teach([(build_network("resnet18", dls.c, initialisation="random"), 32)], dls.c)
    teach.learn = Learn()
    teach.before_batch()
    assert len(teach.learn.yb) == 1
    Learn.training = True
    teach.before_batch()
    assert len(teach.learn.yb) == 2
