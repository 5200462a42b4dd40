"""Threads of a training wait for each other so that other work goes on; what that costs can be measured."""

import os
import subprocess
import sys

import psutil
import pytest

from benchmarks import thread_spin
from blood_lib.inference import count_cores


@pytest.mark.parametrize("own", [None, "7"])
def test_the_study_bounds_how_long_threads_spin_unless_told_otherwise(own):
    told = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    code = "import os, blood_lib.study; print(os.environ['GOMP_SPINCOUNT'])"
    env = told | ({"GOMP_SPINCOUNT": own} if own else {})
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) == int(own or 10_000)


def test_each_count_is_measured_alone_and_beside_others(capsys, monkeypatch):
    beside = []

    def measure(count, **size):
        beside.append(sum(child.cmdline() == thread_spin._BUSY for child in psutil.Process().children()))
        return count / 100

    monkeypatch.setattr(thread_spin, "measure", measure)
    thread_spin.main(["--counts", "1000", "--turns", "3"])
    assert beside == [0] * 3 + [count_cores()] * 3
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["spin", "count"]
    told = [[float(x) for x in line.split()] for line in lines]
    assert told == [[1000, n, 3, 10, 10, 10] for n in (0, count_cores())]


@pytest.mark.slow
def test_a_training_in_a_process_of_its_own_has_a_speed():
    assert thread_spin.measure(1000, image_size=32, batch_size=2, n_rounds=1) > 0
