"""The study: all that knows about blood, and all that needs torch and fastai."""

import os

from blood_lib.study.moved import install_moved_names

# Threads that wait for each other spin, by libgomp's own count for so long that beside other work a training
# takes many times as long; so few turns cost little where there is none (benchmarks/waiting.py).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

install_moved_names()
