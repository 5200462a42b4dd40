"""The network by itself: built from a graph and its preprocessing; what it cannot take it refuses at once."""

import numpy as np
import pytest

from blood_lib.bundle import Bundle
from blood_lib.inference.head import Head
from blood_lib.inference.network import Network
from tests.tools.fixtures_bundle import IMAGE_SIZE, N_FEATURES


@pytest.fixture(scope="module")
def network(tiny_bundle: Bundle) -> Network:
    return Network(tiny_bundle.read("model.onnx"), tiny_bundle.preprocessing)


def test_a_network_needs_no_bundle(network: Network, tiny_bundle: Bundle) -> None:
    x = np.random.default_rng(0).integers(0, 256, (4, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    same = zip(network(x), Network.from_bundle(tiny_bundle)(x), strict=True)
    assert all(np.array_equal(a, b) for a, b in same)


def test_another_head_gives_other_logits_of_the_same_features(network: Network, tiny_bundle: Bundle) -> None:
    head = Head(np.ones((3, N_FEATURES), np.float32), np.zeros(3, np.float32))
    x = np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    built = Network(tiny_bundle.read("model.onnx"), tiny_bundle.preprocessing, head=head)
    for one in (built, network.with_head(head)):
        logits, features, _ = one(x)
        assert logits[0] == pytest.approx(np.full(3, features.sum()), rel=1e-5)
    with pytest.raises(ValueError, match="weight"):
        network.with_head(Head(np.ones((2, N_FEATURES), np.float32), np.zeros(2, np.float32)))


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((IMAGE_SIZE, IMAGE_SIZE, 4), np.uint8),
        np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8),
        np.zeros((IMAGE_SIZE, IMAGE_SIZE, 3), np.float64),
    ],
)
@pytest.mark.timeout(60)
def test_bad_images_never_block_a_sound_one(network: Network, bad: np.ndarray) -> None:
    """Each bad one would keep a place in OpenVINO's queue, and the sound one wait for it for ever."""
    sound = np.zeros((IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    for _ in range(20):
        with pytest.raises(ValueError, match="should be uint8"):
            network([sound, bad])
    assert np.isfinite(network([sound])[0]).all()


def test_a_graph_that_is_none_is_refused(tiny_bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="no ONNX file"):
        Network(b"this is no graph", tiny_bundle.preprocessing)
