"""Speed of our training loop with bf16, torch.compile and without channels_last, against 32 bits as usual.

Alternating in one process; compilation is counted apart, as what the first steps take. Result: benchmarks/results/.
"""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import training_loop
from training_loop import ROOT, Seconds, clock, machine, our_loop, runs_of, since

from vaelab.data.format import batches
from vaelab.data.sources import prepare
from vaelab.params.schema import Run

RESULT = ROOT / "benchmarks" / "results" / "precision.json"
WAYS: dict[str, dict[str, str | bool]] = {
    "32 bits": {}, "bf16": {"precision": "bf16-mixed"}, "compiled": {"compile": True}, "not channels_last": {},
}  # fmt: skip


@contextmanager
def layout(way: str) -> Iterator[None]:
    """Let images come as they are stored, where the way says so."""
    before = batches.FORMATS["image"]
    if way == "not channels_last":
        batches.FORMATS["image"] = before._replace(ready=lambda x: x.float().div_(255))
    try:
        yield
    finally:
        batches.FORMATS["image"] = before


def measured(run: Run, data: Path, way: str, steps: int) -> tuple[Seconds, float]:
    """Return the seconds of the steps, that passed and of the CPU, and the CPU seconds of the start before them."""
    changed = run.model_copy(update={"train": run.train.model_copy(update=WAYS[way])})
    start = clock()
    with layout(way):
        seconds = our_loop(changed, data, steps, 1)
    return seconds, since(start)[1] - seconds[1]


def main() -> None:
    """Measure each way on each kind of data and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=list(training_loop.STEPS), default=list(training_loop.STEPS))
    options = parser.parse_args()
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in options.kinds:
            (run, settings), data = runs_of(Path(folder))[name], Path(folder) / name
            prepare(settings, data)
            ways = [way for way in WAYS if name == "images" or way != "not channels_last"]
            steps = training_loop.STEPS[name][0]
            found = {way: [measured(run, data, way, 3)] for way in ways}  # the first one of each warms up
            for _ in range(options.rounds):
                for way in ways:
                    found[way].append(measured(run, data, way, steps))
            cpu = {way: statistics.median(seconds[1] for seconds, _ in found[way][1:]) for way in ways}
            result[name] = {
                way: {
                    "cpu_milliseconds_per_step": round(1000 * cpu[way] / steps, 2),
                    "cpu_ratio": round(cpu[way] / cpu["32 bits"], 3),
                    "first_start_cpu_seconds": round(found[way][0][1], 1),
                }
                for way in ways
            } | machine()
            print(name, json.dumps(result[name]))
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
