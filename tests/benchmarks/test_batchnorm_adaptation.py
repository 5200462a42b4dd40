"""The benchmark of norms that adapt to an upload: put back they change nothing, adapted they see it alone."""

import copy
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from benchmarks import batchnorm_adaptation
from benchmarks.batchnorm_adaptation import adapt_norms, compare, main, restore_norms
from blood_lib.study.train.architectures import build_network
from blood_lib.study.train.folding import fold_batch_norms


def _train_norms(network: torch.nn.Module) -> None:
    """Nothing but the norms is as in training."""
    for module in network.modules():
        module.train(isinstance(module, torch.nn.BatchNorm2d))
        module.momentum = 0.5


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = build_network("efficientnet_lite0", 8, initialisation="random")
    network.dropout.p = 0.0
    _train_norms(network)
    for x in torch.randn(8, 16, 3, 32, 32):  # until its norms know what is seen
        network(x)
    return network.eval()


def _answer(network: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(x)


def _differ(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


def test_norms_are_those_of_the_upload_alone_of_the_network_alone_or_between(network) -> None:
    upload = 3 * torch.randn(12, 3, 32, 32) + 1
    own, half, whole = (_answer(adapt_norms(network, share), upload) for share in (0.0, 0.5, 1.0))
    by_batch = copy.deepcopy(network)
    _train_norms(by_batch)
    assert torch.equal(own, _answer(network, upload))
    assert _differ(whole, _answer(by_batch, upload)) < 1e-3
    assert _differ(half, own) > 0.05 and _differ(half, whole) > 0.05


def test_an_upload_is_not_remembered_and_the_network_is_left_as_it_was(network) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    adapted, one, other = adapt_norms(network, 0.5), torch.rand(6, 3, 32, 32), torch.rand(9, 3, 32, 32) - 1
    first = _answer(adapted, one)
    _answer(adapted, other)
    assert torch.equal(_answer(adapted, one), first)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_norms_that_are_put_back_change_nothing_and_adapt_as_those_that_were_folded(network) -> None:
    in_domain, upload = torch.randn(16, 3, 32, 32), 2 * torch.randn(12, 3, 32, 32) + 1
    folded = fold_batch_norms(copy.deepcopy(network))
    restored = restore_norms(folded, in_domain)  # measures their statistics on `in_domain`
    assert _differ(_answer(restored, upload), _answer(network, upload)) < 1e-3
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    unadapted, adapted = _answer(network, in_domain), adapt_norms(restored, 1.0)
    assert _differ(_answer(adapted, in_domain), unadapted) < 1e-3
    assert _differ(_answer(adapted, upload), _answer(network, upload)) > 0.05


def test_uploads_of_one_type_and_of_all_see_every_image_once(network, monkeypatch) -> None:
    monkeypatch.setattr(batchnorm_adaptation, "_UPLOAD", 4)
    target, seen = np.repeat([0, 3, 5], (9, 4, 2)), []

    def watch(_, views, uploads):
        seen.append(uploads)
        return np.zeros((len(views), 8), np.float32)

    monkeypatch.setattr(batchnorm_adaptation, "predict", watch)
    sets = {"some": (np.zeros((15, 32, 32, 3), np.uint8), target)}
    rows = [(row["share"], row["upload"]) for row in compare(network, sets)]
    assert rows == [(0.0, "all types"), *product((0.5, 1.0), ("all types", "one type"))]
    for uploads in seen:
        assert np.array_equal(np.sort(np.concatenate(uploads)), np.arange(15))
        assert max(map(len, uploads)) <= 4
    for (_, how), uploads in zip(rows, seen, strict=True):
        alone = [len(set(target[upload])) == 1 for upload in uploads]
        assert all(alone) if how == "one type" else not all(alone)


@pytest.mark.slow
def test_bundle_and_runs_have_their_rows(tiny_dataset: Path, tiny_run: Path, tmp_path: Path, capsys) -> None:
    main([str(tiny_dataset), str(tiny_run), "--out", str(tmp_path / "batchnorm_adaptation.csv")])
    said = capsys.readouterr().out
    assert "pbc" in said and tiny_run.name in said and "both, and blurred" in said
    table = pd.read_csv(tmp_path / "batchnorm_adaptation.csv")
    assert len(table) == 2 * 5 * 3 and table["balanced"].between(0, 100).all()
