"""The worth of scale counts right names by window."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `study`")

from blood_lib.study.detect.at_hand import open_fields
from blood_lib.study.laboratories.scale_worth import PUBLISHED, compute_scale_worth


def test_each_width_has_a_row_of_the_same_cells(tiny_classifier, tmp_path):
    cells = open_fields(tmp_path, n_drawn=4).named
    table = compute_scale_worth(tiny_classifier, cells, (2.0, 4.5))
    assert table["window"].tolist() == ["2", "4.5"] and (table["cells"] == 4).all()
    assert table["accuracy"].between(table["accuracy_low"], table["accuracy_high"]).all()
    assert PUBLISHED not in set(table["window"])
    assert np.isnan(table["accuracy of ok"]).all() == (table["ok"] == 0).all()
