"""The benchmark of single levers moves one thing at a time, and adapts to an upload as it says."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks import levers  # noqa: E402
from benchmarks.levers import adapt_norms, build_recipes, compare, score  # noqa: E402
from blood_lib import BloodError  # noqa: E402
from blood_lib.study.architectures import build_network  # noqa: E402
from blood_lib.study.augmentation import Augmentation  # noqa: E402
from blood_lib.study.recipe import Recipe  # noqa: E402

STRONG = Augmentation(
    zoom=(0.2, 0.9), near=1.3, share_near=0.3, shift=0.2, stretch=0.2, stain_gain=0.6, stain_mixing=0.3,
    gamma=0.5, white_balance=0.4, desaturate=0.9, blur_sigma=2.5, noise_sigma=0.2,
)  # fmt: skip


def _flatten(recipe: Recipe) -> dict[str, object]:
    values = asdict(recipe)
    return values | values.pop("augmentation")


def _differ(a: Recipe, b: Recipe) -> set[str]:
    one, other = _flatten(a), _flatten(b)
    return {name for name in one if one[name] != other[name]}


def test_each_recipe_moves_one_lever_and_all_of_the_augmentation_is_some_lever() -> None:
    recipes = build_recipes(Recipe(), STRONG)
    little, much = recipes["little"], recipes["all"]
    moved = {name: _differ(recipes[name], little) for name in recipes if name.startswith("little +")}
    taken = {name: _differ(recipes[name], much) for name in recipes if name.startswith("all -")}
    assert moved["little + noise"] == taken["all - noise"] == {"noise_probability", "noise_sigma"}
    assert moved.pop("little + JPEG") == _differ(recipes["all + JPEG"], much) == {"jpeg_probability"}
    assert sum(map(len, moved.values())) == len(set().union(*moved.values()))  # no field in two levers
    assert set().union(*moved.values()) == set().union(*taken.values()) == _differ(little, much)
    assert "fold_batch_norms" in _differ(recipes["all, batch norms frozen"], much)
    assert _differ(recipes["little, weights not averaged"], little) == {"ema_decay"}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = build_network("resnet18", 8, initialisation="random")
    network.train()(torch.randn(16, 3, 32, 32))  # statistics that are not those of the beginning
    return network.eval()


def test_norms_are_those_of_the_upload_alone_of_the_network_alone_or_between(network) -> None:
    upload = 3 * torch.randn(12, 3, 32, 32) + 1
    with torch.no_grad():
        own, half, whole = (adapt_norms(network, share)(upload) for share in (0.0, 0.5, 1.0))
        training = network.train()  # which normalises by the batch; there is no dropout at 0
        training.dropout.p = 0.0
        expected = training(upload)
        network.eval()
    assert torch.allclose(whole, expected, atol=1e-3)
    assert not torch.allclose(half, own, atol=1e-2) and not torch.allclose(half, whole, atol=1e-2)


def test_an_upload_is_not_remembered_and_the_network_is_left_as_it_was(network) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    adapted, one, other = adapt_norms(network, 0.5), torch.rand(6, 3, 32, 32), torch.rand(9, 3, 32, 32) - 1
    with torch.no_grad():
        first = adapted(one)
        adapted(other)
        assert torch.equal(adapted(one), first)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_an_answer_is_one_of_the_types_that_are_there() -> None:
    logits = np.array([[0, 2, 9, 1], [0, 1, 9, 2], [0, 1, 9, 3], [0, 1, 9, 3]], float)
    found = score(logits, np.array([1, 3, 3, 1]))
    assert found["error"] == 25 and found["balanced_error"] == 25
    assert found["log_loss"] == pytest.approx(np.log1p(np.exp([-1, -1, -2, 2])).mean())


def test_uploads_of_one_type_and_of_all_see_every_image_once(network, monkeypatch) -> None:
    monkeypatch.setattr(levers, "_UPLOAD", 4)
    target, seen = np.repeat([0, 3, 5], (9, 4, 2)), []

    def watch(_, views, uploads):
        seen.append(uploads)
        return np.zeros((len(views), 8), np.float32)

    monkeypatch.setattr(levers, "_predict", watch)
    sets = {"some": (np.zeros((15, 32, 32, 3), np.uint8), target)}
    together, apart = (compare(network, sets, share=1.0, one_type=one)[0] for one in (False, True))
    assert (together["upload"], apart["upload"], apart["n"]) == ("all types", "one type", 15)
    for uploads in seen:
        assert np.array_equal(np.sort(np.concatenate(uploads)), np.arange(15))
        assert max(map(len, uploads)) <= 4
    assert any(len(set(target[upload])) > 1 for upload in seen[0])
    assert all(len(set(target[upload])) == 1 for upload in seen[1])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_trained_is_shown_again_and_types_with_few_images_elsewhere_are_left_out(
    tiny_dataset, tmp_path, capsys, monkeypatch
) -> None:
    brief = replace(levers.BRIEF, arch="resnet18", initialisation="random", batch_size=8)
    monkeypatch.setattr(levers, "BRIEF", brief)
    elsewhere = tmp_path / "elsewhere"
    for i, image in enumerate(sorted(tiny_dataset.glob("*/*.jpg"))):
        name = image.parent.name if image.parent.name in ("platelet", "basophil") else "monocyte"
        (elsewhere / name).mkdir(parents=True, exist_ok=True)
        (elsewhere / name / f"{i}.jpg").write_bytes(image.read_bytes())
    options = ["--epochs", "1", "--image-size", "32", "--elsewhere", str(elsewhere)]
    command = [str(tiny_dataset), str(tmp_path / "runs"), *options, "--only", "little", "all + JPEG"]
    levers.main(command)
    said, table = capsys.readouterr().out, pd.read_csv(tmp_path / "runs" / "levers.csv")
    assert set(table["network"]) == {"little", "all + JPEG"}
    assert set(table.loc[table["seen"] == "elsewhere", "n"]) == {36}  # of 48; six basophils and platelets
    assert table[["error", "balanced_error"]].stack().between(0, 100).all() and "one type" in said
    levers.main(command)
    assert capsys.readouterr().out.endswith(said[said.index("Balanced") :])
    with pytest.raises(BloodError, match="no some; choose from little; all"):
        levers.main([*command, "some"])
