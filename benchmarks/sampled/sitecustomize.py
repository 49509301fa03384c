"""Seconds of each part of a Python process, CPU and wall; in the environment of benchmarks/stages.py alone.

Python imports a module of this name when it starts. Each INTERVAL of CPU time a signal looks at what runs, and the time
since the last look goes to that part. What C code needs is counted when it returns, to the part that called it.
"""

import atexit
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

INTERVAL = 0.01
# a part, and where in the stack it is seen: the first part of this order that has a frame there
PARTS = {
    "imports": ("<frozen importlib",),
    "drawing": ("/vaelab/figures/", "/matplotlib/", "/PIL/"),
    "training": ("/vaelab/training/loop.py:train_epoch",),
    "validation": ("/vaelab/training/validation.py",),
    "data": ("/vaelab/data/", "/stages/prepare.py"),
    "evaluation": ("/vaelab/evaluation/",),
    "files": ("/vaelab/storage.py", "/vaelab/models/files.py", "/vaelab/training/state.py"),
    "report": ("/vaelab/comparison/",),
    "DVC": ("/dvc/", "/bin/dvc"),
}


def clocks() -> tuple[float, float]:
    """Return CPU seconds of this process, of all threads, and wall seconds."""
    return time.process_time(), time.monotonic()


def part(frame: FrameType | None) -> str:
    """Return the part that a stack belongs to."""
    found: set[str] = set()
    while frame is not None:
        place = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        found.update(name for name, marks in PARTS.items() if any(mark in place for mark in marks))
        frame = frame.f_back
    return next((name for name in PARTS if name in found), "other")


class Sampler:
    """Adds up seconds by part until the process ends, then writes them into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.start, self.owner = folder, time.monotonic(), os.getpid()
        self.parts: dict[str, list[float]] = {}
        self.last = clocks()
        signal.signal(signal.SIGPROF, self.look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        atexit.register(self.write)

    def look(self, number: int, frame: FrameType | None) -> None:
        """Give the time since the last look to what runs now."""
        now = clocks()
        sums = self.parts.setdefault(part(frame), [0.0, 0.0])
        for i in (0, 1):
            sums[i] += now[i] - self.last[i]
        self.last = now

    def write(self) -> None:
        """Write what was found; not in a fork of the process."""
        if os.getpid() != self.owner:
            return
        signal.setitimer(signal.ITIMER_PROF, 0)
        cpu, wall = clocks()
        found = {"words": sys.argv, "start": self.start, "cpu": cpu, "wall": wall - self.start, "parts": self.parts}
        (self.folder / f"{self.owner}-{self.start}.json").write_text(json.dumps(found))


if "VAELAB_SAMPLED" in os.environ:
    Sampler(Path(os.environ["VAELAB_SAMPLED"]))
