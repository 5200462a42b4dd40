"""Both sides of a comparison compute the same, and the comparisons run from end to end."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import bench
from benchmarks.bench import main
from benchmarks.tools.torch_network import TorchNetwork, classify, prepare
from blood_lib.bundle import Bundle, load_bundle
from blood_lib.images import load_image
from blood_lib.inference import Classifier
from tests.tools.fixtures_bundle import COLOURS, draw_cell, encode, save_tiny_bundle


@pytest.mark.parametrize("half", [False, True])
def test_torch_computes_what_openvino_computes(tmp_path: Path, half: bool) -> None:
    bundle = save_tiny_bundle(tmp_path, half=half)
    contents = [encode(draw_cell(colour)) for colour in COLOURS.values()]
    expected = classify(TorchNetwork(bundle), bundle, contents, batch_size=2).numpy()
    images = [load_image(content) for content in contents]
    assert np.allclose(Classifier(bundle).predict(images).probs, expected, atol=0.01)


@pytest.mark.slow
def test_the_shipped_network_is_as_sure_as_in_float32(real_images: Path) -> None:
    """Where the processor has bfloat16 instructions the network runs in bfloat16."""
    bundle = load_bundle()
    images = [load_image(path) for path in sorted(real_images.glob("*/[A-Z]*.jpg"))[::60]]
    with torch.inference_mode():
        x, network = prepare(images, bundle), TorchNetwork(bundle)
        logits = torch.cat([network(part) for part in x.split(32)])
    exact = (logits / bundle.temperature).softmax(1).numpy()
    probs = Classifier(bundle).predict(images).probs
    assert (probs.argmax(axis=1) == exact.argmax(axis=1)).mean() >= 0.99
    assert np.abs(probs - exact).mean() < 0.005


@pytest.mark.slow
def test_the_comparisons_run(tiny_bundle: Bundle, capsys, monkeypatch) -> None:
    monkeypatch.setattr(bench, "TRAINING", (2, 3, 32, 32))
    monkeypatch.setattr(bench, "N_REFIT", 60)
    main(["--bundle", str(tiny_bundle.path), "--repeats", "1", "--files", "8", "--batch", "8"])
    out = capsys.readouterr().out
    assert out.count("times as fast") == 5 and out.count("100.0% get the same class") == 2


def test_sides_that_do_not_agree_are_not_compared() -> None:
    assert bench._agree(np.eye(3), torch.eye(3)) == 1
    with pytest.raises(AssertionError, match="33.3% get the same class"):
        bench._agree(np.eye(3), np.eye(3)[[0, 2, 1]])


def test_all_cores_that_may_be_used_are_named(tiny_bundle: Bundle, monkeypatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(48)), raising=False)
    assert "48 cores" in bench._describe(tiny_bundle, None, 1)
