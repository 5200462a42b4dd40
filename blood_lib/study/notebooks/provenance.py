"""What a notebook's result rests on: profile, data, seed, time, hardware and versions.

`environment` finds hardware and versions.
"""

import hashlib
import os
import platform
import sys
import time

import pandas as pd

from blood_lib.study.data.dataset import Dataset
from blood_lib.study.environment import HEAVY_PACKAGES, PACKAGES, find_processor, find_version
from blood_lib.study.notebooks.tables import WholeTable

__all__ = ["describe_data", "describe_run", "hash_data", "hash_table"]


def describe_run(
    *, seed: int, began: float, data: str = "", profile: str = "", trainings: str = ""
) -> WholeTable:
    """Two columns, what and value, for the last cell of a notebook.

    began: `time.time()` of its first cell. profile: its parameter of that name. trainings: what
    `experiments.describe_trainings` says of its trainings.
    """
    loaded = [name for name in HEAVY_PACKAGES if name.replace("-", "_") in sys.modules]
    torch = sys.modules.get("torch")
    device = torch.cuda.get_device_name() if torch and torch.cuda.is_available() else "CPU"
    rows: dict[str, object] = {
        "profile": profile or "none: the parameters as they stand in the notebook",
        "data": data or "not told",
        "seed": seed,
        "device": f"{device}; {find_processor()}, {os.cpu_count()} cores",
        **({"threads": torch.get_num_threads()} if torch else {}),
        "time": f"{time.time() - began:.0f} s" + (", less what trainings took before" if trainings else ""),
        **({"trainings": trainings} if trainings else {}),
        "python": platform.python_version(),
    } | {name: find_version(name) for name in (*PACKAGES, *loaded)}
    return WholeTable({"what": rows.keys(), "value": [str(value) for value in rows.values()]})


def describe_data(data: Dataset, split: pd.DataFrame) -> str:
    """For `describe_run`: what the images are, and the beginnings of the hashes of files and split."""
    told = hash_data(data, split)
    return f"{told['images']}; files {told['files'][:16]}; split {told['split'][:16]}"


def hash_data(data: Dataset, split: pd.DataFrame) -> dict[str, str]:
    """What the images are, and the hashes of their files and of the split."""
    files = hash_table(data.index[["file", "sha256"]])
    return {"images": data.images, "files": files, "split": hash_table(split)}


def hash_table(table: pd.DataFrame) -> str:
    """sha256, hexadecimal, of the table as CSV without its row labels; the same table gives the same hash."""
    return hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
