"""The study: all that knows about blood, and all that needs torch and fastai."""

import os

from blood_lib.study.moved import install_moved_names

# Threads that wait for each other spin. With libgomp's own count, a training beside other work takes many
# times as long. With this one it does not, and alone it loses little (benchmarks/thread_spin.py).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

install_moved_names()
