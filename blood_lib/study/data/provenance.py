"""What a result rests on: versions, hardware, seed, time, and the hash of a table.

What the result is, is left to the notebooks and to `training`.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from blood_lib.study.data.dataset import DataAtHand
from blood_lib.study.data.tables import WholeTable

__all__ = [
    "describe_data",
    "describe_environment",
    "describe_machine",
    "describe_run",
    "hash_data",
    "hash_table",
    "list_machines",
]

_PACKAGES = ("blood-cells", "numpy", "pandas", "pillow", "scikit-learn", "scipy", "openTSNE", "matplotlib")
_NETWORKS = ("torch", "torchvision", "fastai", "efficientnet-pytorch", "efficientnet-lite-pytorch")
_IF_IMPORTED = (*_NETWORKS, "openvino", "cleanlab", "plotly")


def describe_run(
    *, seed: int, began: float, data: str = "", profile: str = "", trainings: str = ""
) -> pd.DataFrame:
    """Two columns, what and value, for the last cell of a notebook; `began` is `time.time()` of its first,
    `profile` its parameter of that name, `trainings` what `experiments.tell_trainings` says of its own.
    """
    loaded = [name for name in _IF_IMPORTED if name.replace("-", "_") in sys.modules]
    torch = sys.modules.get("torch")
    device = torch.cuda.get_device_name() if torch and torch.cuda.is_available() else "CPU"
    rows = {
        "profile": profile or "none: the parameters as they stand in the notebook",
        "data": data or "not told",
        "seed": seed,
        "device": f"{device}; {_processor()}, {os.cpu_count()} cores",
        **({"threads": torch.get_num_threads()} if torch else {}),
        "time": f"{time.time() - began:.0f} s" + (", less what trainings took before" if trainings else ""),
        **({"trainings": trainings} if trainings else {}),
        "python": platform.python_version(),
    } | {name: _version(name) for name in (*_PACKAGES, *loaded)}
    return WholeTable({"what": rows.keys(), "value": [str(value) for value in rows.values()]})


def describe_data(data: DataAtHand, split: pd.DataFrame) -> str:
    """For `describe_run`: what the images are, and the beginnings of the hashes of files and split."""
    told = hash_data(data, split)
    return f"{told['images']}; files {told['files'][:16]}; split {told['split'][:16]}"


def hash_data(data: DataAtHand, split: pd.DataFrame) -> dict[str, str]:
    """What the images are, and the hashes of their files and of the split."""
    files = hash_table(data.index[["file", "sha256"]])
    return {"images": data.images, "files": files, "split": hash_table(split)}


def describe_machine() -> dict[str, object]:
    """What a run of the notebooks begins on, for JSON: hardware and versions, without loading any of it."""
    packages = (*_PACKAGES, *_IF_IMPORTED)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpus": _list_gpus(),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in packages}},
    }


def describe_environment(device: object = "cpu") -> dict[str, object]:
    """What a training runs on, for JSON: hardware, threads and versions. `device`: torch's, or its name."""
    import torch

    device = torch.device(device)
    packages = ("torch", "torchvision", "fastai", "numpy", "pillow")
    return {
        "hardware": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in packages}},
    }


def list_machines(run: Path) -> list[dict]:
    """What the training in the folder `run` ran on, see `describe_environment`: the last is the latest."""
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    return [*environment.pop("earlier", []), environment]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed as a package"


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _list_gpus() -> list[str]:
    """The names of the GPUs, as NVIDIA's driver tells them: torch would take seconds and memory for that."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def hash_table(table: pd.DataFrame) -> str:
    """sha256, hexadecimal, of the table as CSV without its row labels; the same table gives the same hash."""
    return hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
