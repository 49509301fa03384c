"""What a driver of Ray takes for each task and message, as JSON; cluster_inputs.py gives it a namespace."""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import ray

from vaelab.commands.repro.board import Said

TASKS = 10_000
MESSAGES = 20_000


def main() -> None:
    """Measure, print."""
    ray.init(include_dashboard=False, log_to_driver=False)
    said: Any = ray.remote(Said).options(num_cpus=0).remote()
    task: Any = ray.remote(num_cpus=1)(nothing)
    ray.get([task.remote("warm", said) for _ in range(10)])
    before, start = peak(), time.monotonic()
    waiting = [task.remote(name, said) for name in (f"r{number:05d}" for number in range(TASKS))]
    submitted = time.monotonic() - start
    ray.get(waiting)
    done, after = time.monotonic() - start, peak()
    start = time.monotonic()
    for _ in range(MESSAGES):
        said.say.remote("r00000", "line", "x" * 200)
    held = len(ray.get(said.take.remote()))
    heard = (time.monotonic() - start) / held
    ray.shutdown()
    found = {
        "driver_bytes": (before, "peak memory of a process after ray.init"),
        "task_bytes": ((after - before) / TASKS, f"growth of the driver's peak by {TASKS} tasks"),
        "submit_seconds": (submitted / TASKS, f"task.remote, {TASKS} times"),
        "task_seconds": (done / TASKS, f"{TASKS} tasks that do nothing, on this machine"),
        "message_seconds": (heard, f"{MESSAGES} messages of 200 bytes to an actor, and back"),
    }
    print(json.dumps(found))


def peak() -> int:
    """Return the most memory of this process at any time, bytes; `ru_maxrss` begins with that of the process before."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def nothing(run: str, said: Any) -> str:
    """A task."""
    return run


if __name__ == "__main__":
    main()
