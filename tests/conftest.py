"""One thread a process: two workers share the cores already, and what they start gets this environment."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch and NumPy are imported, which is after this
