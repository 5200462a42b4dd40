"""What is trained once for all tests that need it: a run on a few drawn cells, and a bundle of digits."""

import pytest


def tiny_recipe():
    """Seconds on any machine, and far from good."""
    from blood_lib.study.train.recipe import Recipe

    return Recipe(arch="resnet18", initialisation="random", image_size=32, n_epochs=2, batch_size=16)


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory):
    """48 drawn cells, six a type, laid out like the real dataset."""
    folder = tmp_path_factory.mktemp("data") / "PBC_dataset_normal_DIB"
    from blood_lib.study.painter import save_dataset

    save_dataset(folder, per_type=6, size=64, seed=0)
    return folder


@pytest.fixture(scope="session")
def tiny_run(tiny_dataset, tmp_path_factory):
    """The folder of a finished run on the tiny dataset."""
    from blood_lib.study.train.training import train

    run = tmp_path_factory.mktemp("runs") / "tiny"
    train(tiny_dataset, run, tiny_recipe())
    return run


@pytest.fixture(scope="session")
def tiny_export(tiny_dataset, tiny_run, tmp_path_factory):
    """The bundle of the tiny run, whose images stand for an external test set, too.

    It is shared, so do not change its files.
    """
    from blood_lib.study.export import export_bundle

    return export_bundle(tiny_run, tiny_dataset, tmp_path_factory.mktemp("export"), external=tiny_dataset)


@pytest.fixture(scope="session")
def digits_bundle(tmp_path_factory):
    """A bundle that has nothing to do with blood."""
    from tests.tools.digits import save_digits_bundle

    return save_digits_bundle(tmp_path_factory.mktemp("digits"))
