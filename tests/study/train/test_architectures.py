"""Every network of the table keeps the shape that training, heat maps and export rely on."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.train.architectures import ARCHITECTURES, WeightsError, build_network


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_each_network_maps_images_to_logits_features_and_maps(name):
    network = build_network(name, 5, initialisation="random").eval()
    with torch.no_grad():
        logits, features, maps = network.forward_all(torch.randn(2, 3, 64, 64))
        x = torch.randn(1, 3, 64, 64)
        assert torch.allclose(network(x), network.forward_all(x)[0])
    assert logits.shape == (2, 5)
    assert features.shape == (2, ARCHITECTURES[name].n_features)
    assert maps.shape == (2, ARCHITECTURES[name].n_features, 2, 2)
    assert network.target_layer is network.body


def test_class_activation_maps_equal_grad_cam_at_the_last_layer():
    """Selvaraju et al. 2017, section 3.1: after average pooling and a linear head, both differ by 1/(h w)."""
    torch.manual_seed(0)
    network = build_network("resnet18", 4, initialisation="random").eval()
    maps = network.body(torch.randn(2, 3, 64, 64)).detach().requires_grad_()
    logits = network.head(maps.mean((2, 3)))
    for c in range(4):
        (gradient,) = torch.autograd.grad(logits[:, c].sum(), maps, retain_graph=True)
        weights = gradient.mean((2, 3), keepdim=True)  # eq. 1
        grad_cam = (weights * maps).sum(1)
        cam = torch.einsum("d,ndhw->nhw", network.head.weight[c], maps)
        assert torch.allclose(grad_cam * maps[0, 0].numel(), cam, rtol=1e-4, atol=1e-5)


def test_imagenet_weights_are_loaded_where_they_install():
    pretrained = build_network("efficientnet_lite0", 3).state_dict()
    random = build_network("efficientnet_lite0", 3, initialisation="random").state_dict()
    stem = "body.network._conv_stem.weight"
    assert not torch.equal(pretrained[stem], random[stem])


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "efficientnet_b0", "efficientnet_b5"])
def test_imagenet_weights_are_downloaded_from_their_home_and_checked(name, tmp_path, monkeypatch):
    original, asked = ARCHITECTURES[name].build_original(), []

    def download(url, target, hash_prefix, *rest, **options):
        asked.append((url, hash_prefix))
        torch.save(original.state_dict(), target)

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # nothing that was downloaded before is found
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    network = build_network(name, 3)
    assert torch.equal(next(network.body.parameters()), next(original.parameters()))
    [(url, hash_prefix)] = asked
    assert url.startswith("https://") and name.replace("_", "-") in url
    assert hash_prefix in url  # the beginning of the sha256 that the file must have


def test_imagenet_weights_can_come_from_a_local_file(tmp_path):
    original = ARCHITECTURES["resnet18"].build_original()
    torch.save(original.state_dict(), tmp_path / "weights.pt")
    network = build_network("resnet18", 3, weights=tmp_path / "weights.pt")
    assert torch.equal(network.body[0].weight, original.conv1.weight)


def test_weights_that_cannot_be_had_say_what_to_do(tmp_path):
    (tmp_path / "bad.pt").write_text("no weights")
    with pytest.raises(WeightsError, match="give a local file"):
        build_network("resnet18", 3, weights=tmp_path / "bad.pt")


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="resnet34"):
        build_network("resnet19", 3)
    with pytest.raises(ValueError, match="'imagenet' or 'random'"):
        build_network("resnet18", 3, initialisation="zeros")
