"""A run leaves what it promises, and one that was killed ends where an unbroken one does."""

import csv
import io
import json
import random
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.files.errors import BloodError
from blood_lib.study.cells import CELL_TYPES
from blood_lib.study.data.split import load_split
from blood_lib.study.train import callbacks, training
from blood_lib.study.train.architectures import build_network
from blood_lib.study.train.loaders import FRAME_SIZE, build_dls, build_targets, load_dls, load_views
from blood_lib.study.train.losses import UNKNOWN
from blood_lib.study.train.networks import load_network
from blood_lib.study.train.recipe import Recipe
from blood_lib.study.train.training import build_learner, find_device, split_layers, train
from tests.tools.fixtures_training import tiny_recipe

from fastai.learner import Learner  # isort: skip


def _losses(run):
    with (run / "log.csv").open() as file:
        return [(row["epoch"], row["train_loss"], row["valid_loss"]) for row in csv.DictReader(file)]


def test_a_run_keeps_recipe_log_split_environment_and_weights(tiny_run):
    assert {path.name for path in tiny_run.iterdir()} == {
        "recipe.json", "split.csv", "environment.json", "log.csv", "model.pt",
    }  # fmt: skip
    assert [epoch for epoch, *_ in _losses(tiny_run)] == ["1", "2"]
    assert Recipe.from_json((tiny_run / "recipe.json").read_text()) == tiny_recipe()
    version = json.loads((tiny_run / "environment.json").read_text())["versions"]["torch"]
    assert version.partition("+")[0] == torch.__version__.partition("+")[0]


class PowerCut(Exception):
    pass


def train_until_cut(folder, run, monkeypatch, *, keep_checkpoint):
    """Trains for one epoch; the power fails before or after its checkpoint is written."""
    save = callbacks.Checkpoint.after_epoch

    def fail(checkpoint):
        if keep_checkpoint:
            save(checkpoint)
        raise PowerCut("after an epoch")  # fastai adds to the message

    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(callbacks.Checkpoint, "after_epoch", fail)
        train(folder, run, tiny_recipe())
    assert len(_losses(run)) == 1


def test_a_killed_run_goes_on_and_ends_in_the_same_place(tiny_dataset, tiny_run, tmp_path, monkeypatch):
    train_until_cut(tiny_dataset, tmp_path, monkeypatch, keep_checkpoint=True)
    train(tiny_dataset, tmp_path, tiny_recipe())
    assert _losses(tmp_path) == _losses(tiny_run)
    for a, b in zip(
        *(load_network(run)[0].state_dict().values() for run in (tmp_path, tiny_run)), strict=True
    ):
        assert torch.equal(a, b)


def test_a_run_killed_between_log_and_checkpoint_logs_each_epoch_once(
    tiny_dataset, tiny_run, tmp_path, monkeypatch
):
    train_until_cut(tiny_dataset, tmp_path, monkeypatch, keep_checkpoint=False)
    train(tiny_dataset, tmp_path, tiny_recipe())
    assert _losses(tmp_path) == _losses(tiny_run)


def cut_power_while_writing(name, monkeypatch):
    """Half of the first text goes into a file with `name` in its own, then nothing does any more."""
    really_open = io.open

    def open_(file, mode="r", *args, **options):
        opened = really_open(file, mode, *args, **options)
        if name in str(file) and "r" not in mode:
            write = opened.write

            def stop(text):
                write(text[: len(text) // 2])
                opened.close()
                raise PowerCut

            opened.write = stop
        return opened

    monkeypatch.setattr(io, "open", open_)


@pytest.mark.parametrize("name", ["recipe.json", "environment.json", "split.csv"])
def test_a_kill_while_a_run_begins_leaves_nothing_half_written(name, tiny_dataset, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_power_while_writing(name, patch)
        train(tiny_dataset, tmp_path, tiny_recipe())
    assert not (tmp_path / name).exists()
    monkeypatch.setattr(Learner, "fit_one_cycle", lambda learn, *rest, **options: None)
    with pytest.raises(FileNotFoundError):  # it goes on to its end, where there is no checkpoint to remove
        train(tiny_dataset, tmp_path, tiny_recipe())


def test_a_run_that_goes_on_elsewhere_tells_every_machine(tiny_dataset, tmp_path, monkeypatch):
    for processor in ("old", "old", "new"):
        with monkeypatch.context() as patch, pytest.raises(PowerCut):
            patch.setattr(training, "describe_environment", lambda _, name=processor: {"hardware": name})
            cut_power_while_writing("split.csv", patch)
            train(tiny_dataset, tmp_path, tiny_recipe())
    told = json.loads((tmp_path / "environment.json").read_text())
    assert told == {"hardware": "new", "earlier": [{"hardware": "old"}]}


def test_a_kill_while_the_log_is_cut_keeps_every_row(tmp_path, monkeypatch):
    log = callbacks.LogEpochs(tmp_path / "log.csv", print)
    log.file.write_text("epoch,valid_loss\n1,0.5\n2,0.4\n3,0.3\n")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_power_while_writing("log.csv", patch)
        log.keep(2)
    log.keep(2)
    assert log.file.read_text() == "epoch,valid_loss\n1,0.5\n2,0.4\n"


@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_is_for_processors_that_have_it(able, monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: able)
    autocast = callbacks.Autocast()
    autocast.learn = SimpleNamespace(dls=SimpleNamespace(device=torch.device("cpu")))
    autocast.before_batch()
    try:
        assert torch.is_autocast_enabled("cpu") is able
    finally:
        autocast.after_loss()


def test_a_gpu_multiplies_in_bfloat16():
    assert callbacks.has_bfloat16(torch.device("cuda"))


def test_a_save_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / "state.pt"
    callbacks.save_atomically({"epoch": 1}, file)
    with pytest.raises(Exception, match="pickle"):
        callbacks.save_atomically({"epoch": lambda: 2}, file)
    assert torch.load(file) == {"epoch": 1}


def test_an_epoch_draws_the_same_whatever_was_drawn_before_it():
    def draw(seed: int, epoch: int) -> tuple[float, ...]:
        seeds, train = callbacks.SeedEpochs(seed), SimpleNamespace(rng=None)
        seeds.learn = SimpleNamespace(epoch=epoch, dls=SimpleNamespace(train=train))
        seeds.before_epoch()
        return random.random(), np.random.random(), torch.rand(1).item(), train.rng.random()

    first = draw(seed=0, epoch=3)
    others = draw(seed=0, epoch=4), draw(seed=1, epoch=3)
    assert draw(seed=0, epoch=3) == first
    assert all(a != b for other in others for a, b in zip(first, other, strict=True))


def test_averaged_weights_follow_the_trained_ones_slowly():
    average = callbacks.AverageWeights(0.9)
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    average.learn = SimpleNamespace(model=model)
    average.before_fit()
    torch.nn.init.ones_(model.weight)
    average.after_step()
    first = min(0.9, 1 / 11)  # the decay warms up with the number of steps
    assert average.average.weight.item() == pytest.approx(1 - first)
    average.after_step()
    assert average.average.weight.item() == pytest.approx(1 - first * 2 / 12)


def test_a_finished_run_is_not_trained_again(tiny_dataset, tiny_run):
    before = (tiny_run / "model.pt").stat().st_mtime_ns
    train(tiny_dataset, tiny_run, tiny_recipe())
    assert (tiny_run / "model.pt").stat().st_mtime_ns == before


def test_another_recipe_does_not_go_into_the_same_folder(tiny_dataset, tiny_run):
    with pytest.raises(BloodError, match="another recipe"):
        train(tiny_dataset, tiny_run, Recipe(arch="resnet34"))


def test_other_images_do_not_go_into_the_same_folder(tiny_dataset, tiny_run, tmp_path):
    run, data = tmp_path / "run", tmp_path / "PBC_dataset_normal_DIB"
    shutil.copytree(tiny_run, run)
    (run / "model.pt").unlink()
    shutil.copytree(tiny_dataset, data)
    next(data.rglob("*.jpg")).unlink()
    with pytest.raises(BloodError, match="other images"):
        train(data, run, tiny_recipe())


def test_what_cannot_be_is_said_before_anything_is_written(tiny_dataset, tmp_path):
    for wrong in ({"arch": "resnet19"}, {"n_epochs": 0}, {"image_size": 100}, {"batch_size": 1}):
        with pytest.raises(BloodError):
            Recipe(**wrong)
    run = tmp_path / "run"
    with pytest.raises(BloodError, match="does not hold the dataset"):
        train(tmp_path, run, tiny_recipe())
    with pytest.raises(BloodError, match="choose cpu, cuda or auto"):
        train(tiny_dataset, run, tiny_recipe(), device="abacus")
    with pytest.raises(BloodError, match="too few images"):
        train(tiny_dataset, run, Recipe(image_size=32, batch_size=4096))
    (tmp_path / "bad.pt").write_text("no weights")
    with pytest.raises(BloodError, match="could not be loaded"):
        train(
            tiny_dataset, run, replace(tiny_recipe(), initialisation="imagenet"), weights=tmp_path / "bad.pt"
        )
    assert not run.exists()


def test_targets_are_the_places_of_class_and_subtype_in_their_tables():
    rows = pd.DataFrame({"cell_type": ["basophil", "neutrophil"], "subtype": ["basophil", "neutrophil"]})
    (basophil, its_subtype), (neutrophil, untold) = build_targets(rows).tolist()
    assert basophil == 0 and CELL_TYPES[neutrophil].name == "neutrophil"
    assert its_subtype >= 0 and untold == UNKNOWN  # nobody wrote down which neutrophil it is


def test_a_device_that_is_none_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto").type == find_device("cpu").type == "cpu"
    with pytest.raises(BloodError, match="choose cpu, cuda or auto"):
        find_device("gpu")
    with pytest.raises(BloodError, match="--device cpu"):
        find_device("cuda")


def test_an_unfinished_run_has_no_network(tmp_path):
    with pytest.raises(BloodError, match=r"recipe\.json is missing"):
        load_network(tmp_path)


def test_the_size_of_a_file_does_not_reach_the_network(tmp_path):
    """Sizes hint at the class in PBC: the same picture at any size must be seen the same."""
    from PIL import Image

    picture = Image.radial_gradient("L").convert("RGB")
    for side in (360, 363, 366):
        picture.resize((side, side), Image.Resampling.BICUBIC).save(tmp_path / f"{side}.png")
    views = load_views(tmp_path, ["360.png", "363.png", "366.png"], size=64, crop=0.75)
    assert views.shape == (3, 64, 64, 3)
    assert np.abs(views.astype(int) - views[0].astype(int)).max() <= 3


def test_loaders_give_normalised_batches_and_only_augment_the_training_split():
    views = np.full((8, 32, 32, 3), 128, np.uint8)
    part = (views, np.arange(8))
    dls = build_dls(part, part, vocab=list("abcdefgh"), change=lambda x: x / 2, batch_size=4)
    (x, y), (same, target) = dls.train.one_batch(), dls.valid.one_batch()
    assert x.shape == (4, 3, 32, 32) and y.shape == (4,)
    assert target.tolist() == list(range(8))
    mean = (128 / 255 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    assert torch.allclose(same, mean.view(1, 3, 1, 1).expand_as(same), atol=1e-5)
    assert not torch.allclose(x, same[:4], atol=0.01)


def test_the_layers_are_parted_without_loss_and_the_heads_come_last():
    network = build_network("resnet18", 8, n_subtypes=11, initialisation="random")
    groups = split_layers(network)
    assert len(groups) == 3
    assert {id(p) for group in groups for p in group} == {id(p) for p in network.parameters()}
    assert sum(map(len, groups)) == len(list(network.parameters()))
    assert {id(p) for p in groups[-1]} == {
        id(p) for head in (network.head, network.subtypes) for p in head.parameters()
    }


def test_first_layers_learn_at_their_share_of_the_rate(tiny_dataset, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(Learner, "fit_one_cycle", lambda learn, n, lr_max, **rest: seen.append(lr_max))
    with pytest.raises(FileNotFoundError):  # nothing was trained, so there is no checkpoint to remove
        train(tiny_dataset, tmp_path, replace(tiny_recipe(), lr=1e-2, lr_first=0.1, tfms="none"))
    assert (seen[0].start, seen[0].stop) == pytest.approx((1e-3, 1e-2))


def test_transforms_change_views_and_the_augmentation_changes_whole_frames(tiny_dataset):
    split = load_split(tiny_dataset)
    for tfms, side in (("none", 32), ("", FRAME_SIZE)):
        dls = load_dls(tiny_dataset, split, replace(tiny_recipe(), tfms=tfms), "cpu")
        assert dls.train.dataset[0][0].shape == (3, side, side)
        assert dls.train.one_batch()[0].shape == (16, 3, 32, 32)


def test_batch_statistics_follow_as_quickly_as_the_recipe_says(tiny_dataset):
    dls = load_dls(tiny_dataset, load_split(tiny_dataset), tiny_recipe(), "cpu")
    recipe = replace(tiny_recipe(), arch="efficientnet_b0")
    for momentum, expected in ((0.0, 0.01), (0.1, 0.1)):  # 0.01: efficientnet-pytorch's own
        model = build_learner(dls, replace(recipe, norm_momentum=momentum)).model
        momenta = [m.momentum for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert momenta == pytest.approx([expected] * len(momenta))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tfms": "sepia"}, "no transforms 'sepia'"),
        ({"lr_first": 0.0}, "above 0"),
        ({"distillation": 0.5}, "needs teachers"),
        ({"teachers": ("0" * 64,)}, "a share above 0"),
    ],
)
def test_what_no_recipe_can_have_is_told(values, message):
    with pytest.raises(BloodError, match=message):
        Recipe(**values)


def test_weights_that_count_alike_are_averaged_from_the_start_on():
    average = callbacks.AverageWeights(1.0, power=0.0)
    model = torch.nn.Linear(1, 1, bias=False)
    average.learn = SimpleNamespace(model=model)
    torch.nn.init.zeros_(model.weight)
    average.before_fit()
    for value in (3.0, 6.0, 3.0):
        torch.nn.init.constant_(model.weight, value)
        average.after_step()
    assert average.average.weight.item() == pytest.approx((0 + 3 + 6 + 3) / 4)


def test_a_recipe_of_laboratories_comes_back_and_names_those_that_there_are():
    recipe = replace(tiny_recipe(), laboratories=("pbc", "chula"), epoch_images=64)
    assert Recipe.from_json(recipe.to_json()) == recipe
    with pytest.raises(BloodError, match=r"some of pbc, bccd, chula.*not nowhere"):
        replace(recipe, laboratories=("nowhere",))
    with pytest.raises(BloodError, match="at least a batch of images an epoch; not 0"):
        replace(recipe, epoch_images=0)
