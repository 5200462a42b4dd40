"""What a computation runs on: hardware, threads and the versions of packages.

`notebooks/provenance` reports it in a notebook, together with data and seed.
"""

import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = [
    "HEAVY_PACKAGES",
    "PACKAGES",
    "describe_environment",
    "describe_machine",
    "find_processor",
    "find_version",
    "list_machines",
]

PACKAGES = ("blood-cells", "numpy", "pandas", "pillow", "scikit-learn", "scipy", "openTSNE", "matplotlib")
_NETWORKS = ("torch", "torchvision", "fastai", "efficientnet-pytorch", "efficientnet-lite-pytorch")
HEAVY_PACKAGES = (*_NETWORKS, "openvino", "cleanlab", "plotly")
"""Not every notebook imports these."""


def describe_machine() -> dict[str, Any]:
    """What a run of the notebooks begins on, for JSON: hardware and versions, without loading any of it."""
    return {
        "processor": find_processor(),
        "cores": os.cpu_count(),
        "gpus": _list_gpus(),
        "versions": _list_versions((*PACKAGES, *HEAVY_PACKAGES)),
    }


def describe_environment(device: Any = "cpu") -> dict[str, Any]:
    """What a training runs on, for JSON: hardware, threads and versions. `device`: torch's, or its name."""
    import torch

    device = torch.device(device)
    return {
        "hardware": torch.cuda.get_device_name(device) if device.type == "cuda" else find_processor(),
        "threads": torch.get_num_threads(),
        "versions": _list_versions(("torch", "torchvision", "fastai", "numpy", "pillow")),
    }


def list_machines(run: Path) -> list[dict[str, Any]]:
    """What the training in the folder `run` ran on, see `describe_environment`: the last is the latest."""
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    return [*environment.pop("earlier", []), environment]


def find_version(package: str) -> str:
    """The version of an installed package; a sentence where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"


def find_processor() -> str:
    """The processor's name, as far as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _list_versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {"python": platform.python_version(), **{name: find_version(name) for name in packages}}


def _list_gpus() -> list[str]:
    """The names of the GPUs, from NVIDIA's driver: torch would take seconds and memory to tell."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()
