"""What all tests share: figures close themselves, real images if there are any, and what is skipped where.

Leaves drawn bundles and cells to the modules named in `pytest_plugins`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

os.environ.setdefault("MPLBACKEND", "Agg")  # no test opens a window
os.environ.setdefault("LOKY_MAX_CPU_COUNT", str(os.cpu_count()))  # or joblib may warn that it cannot
if "PYTEST_XDIST_WORKER" in os.environ:  # two trainings beside each other: threads that wait for threads
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("PYTHONUNBUFFERED", None)  # the commands under test write as they do for a user
SERVERS = ("tests/browser/", "tests/dashboard/server/")
pytest_plugins = [
    f"tests.tools.fixtures_{name}" for name in ("bundle", "data", "fields", "laboratories", "training")
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Processes share the tests by file, and one of them has all that start a server."""
    from xdist.scheduler import LoadFileScheduling

    class OneServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "server" if file.startswith(SERVERS) else file

    return OneServer(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run."""
    for item in items:
        if item.get_closest_marker("network") and os.environ.get("BLOOD_NETWORK") != "1":
            item.add_marker(pytest.mark.skip(reason="uses the internet: set BLOOD_NETWORK=1 to run it"))
        if item.get_closest_marker("gpu") and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def _has_gpu() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images: $BLOOD_DATA, or else ../shared/data beside the checkout."""
    folder = Path(os.environ.get("BLOOD_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real images in {folder}: set BLOOD_DATA to the folder of PBC_dataset_normal_DIB")
    return folder


@pytest.fixture(scope="session")
def real_images(real_data: Path) -> Path:
    """The folder of the PBC dataset, one sub-folder per cell type."""
    folder = real_data / "PBC_dataset_normal_DIB"
    if not folder.is_dir():
        pytest.skip(f"no PBC_dataset_normal_DIB in {real_data}")
    return folder


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    """Close what a test has drawn, if it has drawn at all (matplotlib is not imported for it)."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
