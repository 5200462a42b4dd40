"""Threads of a training wait for each other so that other work goes on; what that costs can be measured."""

import os
import subprocess
import sys

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


@pytest.mark.slow
def test_each_count_is_measured_alone_and_beside_others(capsys):
    small = ["--turns", "1", "--rounds", "1", "--image-size", "32", "--batch-size", "2"]
    thread_spin.main(["--counts", "1000", *small])
    head, alone, beside = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["spin", "count"]
    for line, n in ((alone, 0), (beside, count_cores())):
        assert [float(x) for x in line.split()[:3]] == [1000, n, 1] and float(line.split()[-1]) > 0
