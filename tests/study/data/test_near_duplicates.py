"""Frames that overlap are found, and no others; what is known of PBC is true of its images."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from blood_lib.study.data.index import build_index
from blood_lib.study.data.near_duplicates import (
    OVERLAP,
    SIDE,
    find_overlaps,
    group_of_pixels,
    load_frames,
    load_near_duplicates,
    search_near_duplicates,
)
from blood_lib.study.painter import draw_field


@pytest.fixture(scope="module")
def smear() -> np.ndarray:
    """The green channel of a drawn field, four frames wide."""
    field = draw_field(["monocyte", "basophil"], width=1200, height=900, seed=3)[0]
    return np.asarray(field.getchannel("G").resize((4 * SIDE, 3 * SIDE)))


def cut(smear: np.ndarray, top: int, left: int) -> np.ndarray:
    return smear[top : top + SIDE, left : left + SIDE]


def test_frames_that_overlap_are_found_with_their_shift(smear: np.ndarray) -> None:
    frames = np.stack([cut(smear, 40, 40), cut(smear, 150, 200), cut(smear, 52, 28), cut(smear, 10, 270)])
    (pair,) = find_overlaps(frames).to_dict("records")
    assert (pair["first"], pair["second"], pair["down"], pair["right"]) == (0, 2, -12, 12)
    assert pair["correlation"] == pytest.approx(1)


def test_another_exposure_and_another_noise_are_still_the_same_place(smear: np.ndarray) -> None:
    noise = np.random.default_rng(0).normal(0, 6, (SIDE, SIDE))
    other = np.clip(cut(smear, 43, 47) * 0.8 + 20 + noise, 0, 255).astype(np.uint8)
    assert len(find_overlaps(np.stack([cut(smear, 40, 40), other]))) == 1


def test_the_order_of_frames_changes_the_sign_of_a_shift_alone(smear: np.ndarray) -> None:
    frames = np.stack([cut(smear, 40, 40), cut(smear, 61, 35)])
    one, other = find_overlaps(frames).iloc[0], find_overlaps(frames[::-1]).iloc[0]
    assert (one["down"], one["right"]) == (-other["down"], -other["right"]) == (-21, 5)


def test_no_frames_and_one_frame_overlap_with_nothing(smear: np.ndarray) -> None:
    assert find_overlaps(np.empty((0, SIDE, SIDE), np.uint8)).empty
    assert find_overlaps(cut(smear, 0, 0)[None]).empty


def test_a_search_lists_overlaps_and_leaves_identical_images_to_the_audit(
    tmp_path, smear: np.ndarray
) -> None:
    folder = tmp_path / "basophil"
    folder.mkdir()
    for name, (top, left) in {"a": (40, 40), "b": (40, 40), "c": (50, 44), "d": (180, 250)}.items():
        green = Image.fromarray(cut(smear, top, left))
        Image.merge("RGB", [green] * 3).save(folder / f"BA_{name}.png")
    found = search_near_duplicates(tmp_path, build_index(tmp_path))
    assert found[["file", "other"]].to_numpy().tolist() == [
        ["basophil/BA_a.png", "basophil/BA_c.png"],
        ["basophil/BA_b.png", "basophil/BA_c.png"],
    ]
    assert not found["known"].any()


def test_known_near_duplicates_share_a_group_and_others_keep_to_themselves() -> None:
    known = load_near_duplicates()
    pixels = pd.concat([known["pixels"], pd.Series(["f" * 64])], ignore_index=True)
    groups = group_of_pixels(pixels)
    assert groups.nunique() == known["group"].nunique() + 1
    assert (known.groupby("group").size() > 1).all() and known["pixels"].is_unique


@pytest.mark.slow
def test_the_known_near_duplicates_of_the_real_dataset_overlap(real_images) -> None:
    known = load_near_duplicates()
    here = known[[(real_images / file).is_file() for file in known["file"]]].reset_index(drop=True)
    index = build_index(real_images, files=list(here["file"]))
    assert index.set_index("file")["pixels"].to_dict() == here.set_index("file")["pixels"].to_dict()
    pairs = find_overlaps(load_frames(real_images, here["file"]))
    assert (pairs["correlation"] > OVERLAP).all()
    groups = [here["group"].take(pairs[one]).to_numpy() for one in ("first", "second")]
    assert (groups[0] == groups[1]).all()
    whole = here.groupby("group").filter(lambda group: len(group) == (known["group"] == group.name).sum())
    assert set(groups[0]) == set(whole["group"])


def test_frames_that_are_alike_from_afar_alone_do_not_overlap() -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    blob = 120 + 40 * np.sin(rows / 15) * np.cos(columns / 19)
    noise = np.random.default_rng(0).normal(0, 25, (2, SIDE, SIDE))
    assert find_overlaps(np.clip(blob + noise, 0, 255).astype(np.uint8)).empty
