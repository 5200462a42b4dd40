"""What a training or a run of the notebooks runs on is described for JSON, and without loading torch."""

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from blood_lib.study.environment import describe_environment, describe_machine, list_machines


def test_the_machines_of_a_training_come_in_the_order_it_was_on_them(tmp_path):
    (tmp_path / "environment.json").write_text('{"hardware": "b", "earlier": [{"hardware": "a"}]}')
    assert [one["hardware"] for one in list_machines(tmp_path)] == ["a", "b"]


def test_the_machine_is_told_without_torch_being_loaded():
    code = (
        "import json, sys; from blood_lib.study.environment import describe_machine; "
        "print(json.dumps([describe_machine(), 'torch' in sys.modules]))"
    )
    machine, has_torch = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert not has_torch
    assert machine["cores"] == os.cpu_count() and machine["processor"] and machine == describe_machine()
    assert machine["versions"]["numpy"] == np.__version__


def test_a_training_says_with_how_many_threads_it_ran():
    torch = pytest.importorskip("torch", reason="needs the extra `study`")
    told = describe_environment("cpu")
    assert told["threads"] == torch.get_num_threads() and told["hardware"] == describe_machine()["processor"]
    assert told["versions"]["python"] == platform.python_version()
