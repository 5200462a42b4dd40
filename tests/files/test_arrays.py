"""Arrays in a file: equal after a round trip, bounded, and nothing pickled."""

import io

import numpy as np
import pytest

from blood_lib.files import arrays
from blood_lib.files.archives import ArchiveError, write_zip
from blood_lib.files.arrays import load_arrays, save_arrays


def test_arrays_come_back_as_they_were() -> None:
    sent = {
        "probs": np.eye(3, dtype=np.float32),
        "cams": np.ones((2, 3), np.float16),
        "scale": np.array(15.0),
    }
    back = load_arrays(save_arrays(**sent))
    assert back.keys() == sent.keys()
    for name, array in sent.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


def test_a_pickle_is_refused() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        load_arrays(save_arrays(evil=np.array([{"a": 1}], object)))


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MAX_ARRAY_BYTES", 10_000)
    bomb = save_arrays(zeros=np.zeros(10**7, np.uint8))
    assert len(bomb) < 20_000
    with pytest.raises(ArchiveError, match="unpacks to more"):
        load_arrays(bomb)


def test_an_array_that_claims_to_be_huge_is_refused() -> None:
    buffer = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (2**50,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    with pytest.raises((ValueError, MemoryError)):
        load_arrays(write_zip([("a.npy", buffer.getvalue())]))
