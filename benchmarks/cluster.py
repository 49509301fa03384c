"""10,000 runs on 1,000 machines, on paper: python benchmarks/cluster.py [--runs 10000] [--machines 1000].

Discrete events, with what cluster_inputs.py and many_runs.py have measured: each run waits for its turn at the machine
of the driver (the project's archive) and at the file server (data out, outputs in), works, and is taken in by the
driver. What the driver does before and after is reckoned from the measured growth. Assumed are the network and the file
server, below. Writes results/cluster.json and cluster.md.
"""

import argparse
import heapq
import json
import random
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from cluster_page import page
from many_runs import PARAMS, RESULTS, ROOT

sys.path.insert(0, str(ROOT / "src"))

from vaelab.params.reading import LARGEST, VALUES

NETWORK = 1.25e9  # bytes per second of the driver's machine: 10 Gbit/s
SERVER = 2.0e9  # bytes per second of the file server
FILES = 5_000  # files per second of the file server, made or opened
SPREAD = 0.2  # of the time of a run, more or less
CHATTER = 2.0  # messages per second of a run, at most: Lines of vaelab's board
ASSUMED = {"ways": {"vaelab repro --on ray": {"overhead_seconds": 4.0}}, "work_alone": {"wall": 6.0}}  # until measured
SIZES = (40, 200, 1000, 5000, 10_000)


class Load(NamedTuple):
    """A sweep."""

    name: str
    seconds: float  # of a run's stages
    data: float  # bytes that a run reads
    kept: float  # bytes that it leaves in the cache
    files: float  # that it leaves there


class Found(NamedTuple):
    """What came of it."""

    seconds: float  # until the last run has ended
    ideal: float  # without waiting
    network: float  # share of the time in which the driver's network is busy
    server: float  # share of the time in which the file server is busy
    waited: float  # longest wait for the file server, seconds
    messages: float  # share of the time in which the actor is busy, at its busiest


def main() -> None:
    """Simulate, reckon, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--machines", type=int, default=1_000)
    options = parser.parse_args()
    measured = json.loads((RESULTS / "cluster_inputs.json").read_text())
    inputs = {name: entry["value"] for name, entry in measured["inputs"].items()}
    timed = RESULTS / "many_runs.json"
    short = json.loads(timed.read_text()) if timed.is_file() else ASSUMED
    over = short["ways"]["vaelab repro --on ray"]["overhead_seconds"]  # of its lane; CPU is no more than that
    sweeps = [
        Load("short runs, small data", short["work_alone"]["wall"], 1e6, 1e6, 30),
        Load("photos, 10 minutes", 600, inputs["data_bytes"], inputs["kept_bytes"], inputs["kept_files"]),
        Load("50 GB of images, 10 minutes", 600, 50e9, 1e9, inputs["kept_files"]),
    ]
    found = {load.name: simulated(load, options.runs, options.machines, inputs, over) for load in sweeps}
    driver = {size: reckoned(size, inputs) for size in SIZES}
    most = most_runs(driver[SIZES[-1]]["params_bytes"] / SIZES[-1])
    kept = {"most_runs": most, "runs": options.runs, "machines": options.machines, "driver": driver}
    kept["cluster"] = {name: one._asdict() for name, one in found.items()}
    assumed = (
        f"{NETWORK:.3g} bytes/s of network at the driver, {SERVER:.3g} bytes/s and {FILES:,} files/s of the file\n"
        f"server, {CHATTER:g} messages/s of a run, runs that take {SPREAD:.0%} more or less."
    )
    assumed += (
        f"\n\nvaelab refuses a params.yaml of more than {VALUES:,} values or {LARGEST:,} bytes: {most:,} such runs."
    )
    text = page(f"{options.runs:,} runs on {options.machines:,} machines, on paper", measured, found, driver, assumed)
    print(text)
    (RESULTS / "cluster.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "cluster.md").write_text(text, encoding="utf-8")


class Server:
    """Serves one after the other."""

    def __init__(self) -> None:
        self.free = self.busy = self.waited = 0.0

    def served(self, now: float, seconds: float) -> float:
        """When what is asked for now has been served."""
        self.waited = max(self.waited, self.free - now)
        self.free = max(self.free, now) + seconds
        self.busy += seconds
        return self.free


def simulated(load: Load, runs: int, machines: int, inputs: Mapping[str, Any], over: float) -> Found:
    """Run a sweep of `runs` runs on machines that do one at a time."""
    draw, network, server = random.Random(0), Server(), Server()
    copied, submitted, end = set[int](), 0, 0.0
    work = [load.seconds * (1 + SPREAD * (2 * draw.random() - 1)) + over for _ in range(runs)]
    events: list[tuple[float, int, str, int]] = [(0.0, machine, "free", -1) for machine in range(machines)]
    while events:
        now, machine, what, run = heapq.heappop(events)
        if what == "free":
            if submitted == runs:
                continue
            run, submitted = submitted, submitted + 1
            ready = max(now, submitted * inputs["task_seconds"])
            if machine not in copied:  # the archive stays in the machine's object store
                copied.add(machine)
                ready = network.served(ready, inputs["archive_bytes"] / NETWORK)
            event = (ready, "read")
        elif what == "read":
            event = (server.served(now, load.data / SERVER), "work")
        elif what == "work":
            event = (now + work[run], "write")
        else:
            event = (server.served(now, load.kept / SERVER + load.files / FILES), "free")
            end = max(end, event[0])
        heapq.heappush(events, (event[0], machine, event[1], run))
    busiest = min(1.0, min(machines, runs) * CHATTER * inputs["message_seconds"])
    return Found(end, sum(work) / machines, network.busy / end, server.busy / end, server.waited, busiest)


def most_runs(bytes_of_run: float) -> int:
    """How many runs params.yaml may have before it is refused as too large; a run as in many_runs.py."""
    run = {"data": "tags", "preset": "narrow", "train": {"seed": 0}}
    return int(min((VALUES - values(PARAMS)) / (1 + values(run)), LARGEST / bytes_of_run))


def values(value: Any) -> int:
    """How many values a value of YAML has, itself and keys among them."""
    return 1 + sum(values(key) + values(inner) for key, inner in value.items()) if isinstance(value, dict) else 1


def grown(points: Mapping[str, float], runs: int, power: int) -> float:
    """A measured time at another number of runs: the polynomial of this degree through the points."""
    at, values = [float(each) for each in points], list(points.values())
    if runs <= at[-1]:
        return float(np.interp(runs, at, values))
    scaled = np.linalg.lstsq(np.vander(at, power + 1) / np.array(values)[:, None], np.ones(len(at)), rcond=None)[0]
    return max(float(np.polyval(scaled, runs)), values[-1] * runs / at[-1])


def reckoned(runs: int, inputs: Mapping[str, Any]) -> dict[str, float]:
    """CPU seconds of the driver beside the cluster, and sizes, of so many runs."""
    graph = grown(inputs["graph_cpu"], runs, 2)
    status = max(grown(inputs["status_cpu"], runs, 2), graph)
    update = grown(inputs["lock_update_cpu"], runs, 1)
    return {
        "params_bytes": grown(inputs["params_bytes"], runs, 1),
        "lock_bytes": inputs["lock_bytes"] * runs,
        "resolve": grown(inputs["resolve_cpu"], runs, 2),
        "graph": graph,
        "begin": graph + status,  # dvc repro resolve prepare, dvc status
        "restore_by_stage": status + 5 * runs * update / 2,  # dvc repro, writing a lock that grows, after each stage
        "restore_at_once": graph + status + grown(inputs["merge_cpu"], runs, 1),  # dvc checkout, dvc repro
        "task_whole": graph,  # the graph in each task, if its copy has all runs
        "task_reduced": grown(inputs["reduce_cpu"], runs, 1),
        "memory_bytes": inputs["driver_bytes"] + inputs["task_bytes"] * runs,
    }


if __name__ == "__main__":
    main()
