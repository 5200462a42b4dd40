"""Fixtures that several tests of the dataset share: a spoilt drawn copy, and the real one read once."""

import pytest

from tests.tools.drawn_data import draw_files, spoil, write_files


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory):
    """The folder of a drawn copy of the dataset with every fault of the real one."""
    return write_files(tmp_path_factory.mktemp("drawn") / "PBC_dataset_normal_DIB", spoil(draw_files()))


@pytest.fixture(scope="session")
def drawn_index(drawn_dataset):
    """`build_index` of the drawn copy."""
    from blood_lib.study.data.index import build_index

    return build_index(drawn_dataset)


@pytest.fixture(scope="session")
def real_index(real_images):
    """`build_index` of the real dataset: decodes every image, once for all tests."""
    from blood_lib.study.data.index import build_index

    return build_index(real_images)
