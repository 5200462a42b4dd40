"""Drawn cells of three laboratories, and their windows: shared, so do not change the files."""

import pytest

from tests.tools.drawn_fields import save_fields

TYPES = ["basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil", "neutrophil"]


@pytest.fixture(scope="session")
def drawn_laboratories(tmp_path_factory):
    """A folder as `save_fields` makes it, a cell of each of TYPES, beside 48 drawn images of PBC."""
    from blood_lib.study.data.index import DATASET
    from blood_lib.study.painter import save_dataset

    root = tmp_path_factory.mktemp("laboratories")
    save_fields(root, TYPES)
    save_dataset(root / DATASET, per_type=6, size=64, seed=0)
    return root


@pytest.fixture(scope="session")
def drawn_windows(drawn_laboratories, tmp_path_factory):
    """The folder that their windows are kept in."""
    from blood_lib.study.laboratories.cells import open_cells

    folder = tmp_path_factory.mktemp("windows")
    open_cells(drawn_laboratories, folder)
    return folder


@pytest.fixture(scope="session")
def drawn_cells(drawn_laboratories, drawn_windows):
    """The cells, from that folder."""
    from blood_lib.study.laboratories.cells import open_cells

    return open_cells(drawn_laboratories, drawn_windows)
