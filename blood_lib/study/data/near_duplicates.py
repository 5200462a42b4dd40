"""Near-duplicates: images whose frames overlap, so that both show the same cells with other pixels.

The list that ships names those known in PBC. What a split does with them is left to `split`.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from blood_lib.study.data.index import find_dataset, load_usable_image, select_images
from blood_lib.study.progress import Progress

__all__ = [
    "find_overlaps",
    "group_of_pixels",
    "load_frames",
    "load_near_duplicates",
    "search_near_duplicates",
]

SIDE = 96
"""Pixels a side of a frame, whatever the shape of its image."""
COARSE = 24
"""Pixels a side on which all pairs are compared; what is alike there is compared again on the whole frame."""
CANDIDATE = 0.8
"""Correlation of coarse frames. 30 pairs that overlap had 0.883 or more; of others 3 in 10,000 have 0.8."""
OVERLAP = 0.92
"""From this correlation on two frames overlap. In PBC these have 0.970 or more, other pairs under 0.88."""
_BLOCK = 2048  # frames that are compared with all others at once: 100 MB

Frames = np.ndarray
Shift = tuple[int, int]


@cache
def _read() -> pd.DataFrame:
    file = resources.files(__package__) / "near_duplicates.csv"
    with file.open(encoding="utf-8") as text:
        return pd.read_csv(text)


def load_near_duplicates() -> pd.DataFrame:
    """The known near-duplicates of PBC, as found among 12,619 of its images: group, file, pixels.

    Images of one group overlap, each with another one of it. `pixels` is as in `index`.
    """
    return _read().copy()


def group_of_pixels(pixels: pd.Series) -> pd.Series:
    """For each image's `pixels` a key that it shares with its duplicates and its known near-duplicates."""
    known = _read()
    return pixels.map(known.set_index("pixels")["group"].astype(str)).fillna(pixels)


def search_near_duplicates(
    folder: Path | str, index: pd.DataFrame, *, progress: Progress | None = None
) -> pd.DataFrame:
    """Compares all images of `index` with each other, which takes minutes for the whole of PBC.

    Returns a row per pair that overlaps and is not identical: file, other, down, right, correlation, known.
    """
    images = select_images(index).reset_index(drop=True)
    pairs = find_overlaps(load_frames(folder, images["file"], progress=progress))
    pixels = [images["pixels"].take(pairs[one]).reset_index(drop=True) for one in ("first", "second")]
    groups = [group_of_pixels(one) for one in pixels]
    table = pd.DataFrame(
        {
            "file": images["file"].take(pairs["first"]).to_numpy(),
            "other": images["file"].take(pairs["second"]).to_numpy(),
            "down": pairs["down"],
            "right": pairs["right"],
            "correlation": pairs["correlation"].round(3),
            "known": groups[0] == groups[1],
        }
    )
    return table[pixels[0] != pixels[1]].sort_values(["file", "other"]).reset_index(drop=True)


def load_frames(folder: Path | str, files: Sequence[str], *, progress: Progress | None = None) -> Frames:
    """The green channel of each file below the dataset's folder: (N, 96, 96) uint8; raises BloodError.

    Green shows red cells and nuclei best. `progress(rows, total=n)` iterates over the rows and shows it.
    """
    root = find_dataset(folder)
    with ThreadPoolExecutor(4) as pool:
        rows: Iterable[np.ndarray] = pool.map(lambda file: _load_frame(root / file), files)
        rows = rows if progress is None else progress(rows, total=len(files))
        frames = list(rows)
    return np.stack(frames) if frames else np.empty((0, SIDE, SIDE), np.uint8)


def _load_frame(path: Path) -> np.ndarray:
    green = load_usable_image(path).getchannel("G")
    return np.asarray(green.resize((SIDE, SIDE), Image.Resampling.BOX))


def find_overlaps(frames: Frames) -> pd.DataFrame:
    """The pairs of frames that overlap; frames: (N, 96, 96).

    Columns: `first` and `second`, numbers of frames; `down` and `right`, by how many 96ths of a side a thing
    lies lower and farther right in the second frame; `correlation`, Pearson's, of what both frames show.
    """
    rows = []
    for (first, second), shift in _find_candidates(frames).items():
        correlation, (down, right) = _refine(frames[first], frames[second], shift)
        if correlation >= OVERLAP:
            rows.append((first, second, down, right, correlation))
    return pd.DataFrame(rows, columns=["first", "second", "down", "right", "correlation"])


def _find_candidates(frames: Frames) -> dict[tuple[int, int], Shift]:
    """The pairs that are alike when both are coarse, and the shift, in pixels, at which they are most."""
    step = SIDE // COARSE
    coarse = frames.reshape(len(frames), COARSE, step, COARSE, step).mean(axis=(2, 4), dtype=np.float32)
    best: dict[tuple[int, int], tuple[float, Shift]] = {}
    for down, right in _list_shifts(COARSE // 4):
        here, there = _cut(coarse, (down, right))
        here, there = _standardise(here), _standardise(there)
        for start in range(0, len(frames), _BLOCK):
            alike = here[start : start + _BLOCK] @ there.T
            for i, j in np.argwhere(alike > CANDIDATE):
                first, second = start + int(i), int(j)
                if first == second:
                    continue
                # The other way round the shift is, too: each direction is compared once.
                sign = 1 if first < second else -1
                pair, shift = (
                    (min(first, second), max(first, second)),
                    (sign * step * down, sign * step * right),
                )
                best[pair] = max(best.get(pair, (0.0, shift)), (float(alike[i, j]), shift))
    return {pair: shift for pair, (_, shift) in best.items()}


def _list_shifts(most: int) -> list[Shift]:
    """Half of all shifts by up to `most`: the other half is the same pairs the other way round."""
    reach = range(-most, most + 1)
    return [(down, right) for down in reach for right in reach if (down, right) >= (0, 0)]


def _refine(first: np.ndarray, second: np.ndarray, shift: Shift) -> tuple[float, Shift]:
    """The highest correlation near `shift` and where it is."""
    reach = range(-SIDE // COARSE, SIDE // COARSE + 1)
    shifts = [(shift[0] + down, shift[1] + right) for down in reach for right in reach]
    return max((_correlate(first, second, one), one) for one in shifts)


def _correlate(first: np.ndarray, second: np.ndarray, shift: Shift) -> float:
    here, there = _cut(np.stack([first, second]).astype(np.float32), shift)
    return float(_standardise(here[:1])[0] @ _standardise(there[1:])[0])


def _cut(frames: np.ndarray, shift: Shift) -> tuple[np.ndarray, np.ndarray]:
    """Of first and second frames what both show, where the second have it `shift` pixels lower and right."""
    side = frames.shape[1]
    here = [slice(max(0, -by), side - max(0, by)) for by in shift]
    there = [slice(one.start + by, one.stop + by) for one, by in zip(here, shift, strict=True)]
    return frames[:, *here], frames[:, *there]


def _standardise(frames: np.ndarray) -> np.ndarray:
    """(N, h, w) -> (N, h * w) with mean 0 and length 1, so that a product of two is their correlation."""
    flat = frames.reshape(len(frames), np.prod(frames.shape[1:], dtype=int))
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
