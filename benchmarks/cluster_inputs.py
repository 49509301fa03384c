"""What benchmarks/cluster.py reckons with, measured on this machine: python benchmarks/cluster_inputs.py.

Each input has a name, a value and the command, or the function of ours, that was timed: CPU seconds, under Ray wall
seconds. Writes results/cluster_inputs.json; three minutes on an idle machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from many_runs import ALONE, PARAMS, RESULTS, ROOT, STAGES, call, environment, machine, made, names, used

sys.path.insert(0, str(ROOT / "src"))

from ray_nodes import loopback_up

from vaelab.commands.repro import notes

FOUND = RESULTS / "cluster_inputs.json"
GRAPHS = (40, 160, 640)  # runs in params.yaml
CHECKS = (10, 40, 160)
LOCKS = (10, 40, 160)  # runs in dvc.lock


def main() -> None:
    """Measure each part and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args()
    if os.getpid() != 1:
        raise SystemExit(subprocess.run([*ALONE, sys.executable, *sys.argv]).returncode)
    loopback_up()
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        os.environ |= environment(Path(name))
        folder = made(Path(name) / "project", 1)
        for part in options.parts:
            keep(PARTS[part](folder))


def keep(inputs: dict[str, Any]) -> None:
    """Put inputs among those that are there."""
    there = json.loads(FOUND.read_text())["inputs"] if FOUND.is_file() else {}
    text = json.dumps({"machine": machine(), "inputs": there | inputs}, indent=1)
    FOUND.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(inputs, indent=1), flush=True)


def given(folder: Path, runs: int) -> int:
    """Put so many runs into params.yaml; return its bytes."""
    run = {"data": "tags", "preset": "narrow"}
    several = {name: run | {"train": {"seed": seed}} for seed, name in enumerate(names(runs))}
    return (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"runs": several}, sort_keys=False))


def cpu(folder: Path, *command: str) -> float:
    """CPU seconds of a command."""
    before = used()
    call(folder, *command)
    return used() - before


def own(work: Any, *words: Any) -> float:
    """CPU seconds of a function."""
    start = time.process_time()
    work(*words)
    return time.process_time() - start


def entry_of(value: Any, command: str) -> dict[str, Any]:
    """An input: what was found, and how."""
    return {"value": value, "command": command}


def files(folder: Path) -> dict[str, Any]:
    """What a copy of the project is made of, and what a run of the repository's own pipeline leaves in the cache."""
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive, tempfile.TemporaryDirectory() as there:
        count = len(archive.getmembers())
        seconds = own(archive.extractall, there)
    stages = yaml.load((ROOT / "dvc.lock").read_text(), Loader=yaml.CSafeLoader)["stages"]
    outs = [out for name, stage in stages.items() if name.endswith("@photos") and name != "prepare@photos"
            for out in stage["outs"]]  # fmt: skip
    data = stages["prepare@photos"]["outs"]
    return {
        "archive_bytes": entry_of(len(packed), "git archive HEAD | wc -c"),
        "archive_files": entry_of(count, "git archive HEAD | tar t | wc -l"),
        "unpack_cpu": entry_of(seconds, "tarfile.extractall"),
        "kept_bytes": entry_of(sum(out["size"] for out in outs), "dvc.lock: size of the outputs of photos"),
        "kept_files": entry_of(sum(out.get("nfiles", 1) for out in outs), "dvc.lock: nfiles of the outputs of photos"),
        "data_bytes": entry_of(sum(out["size"] for out in data), "dvc.lock: size of data/prepared/photos"),
    }


def pipeline(folder: Path) -> dict[str, Any]:
    """What DVC and resolve take of so many runs, and what a copy of one run takes in their place."""
    graphs, checks, resolves, sizes, copies = {}, {}, {}, {}, {}
    call(folder, "dvc", "status", "--json")  # DVC knows the digests of files from now on
    for runs in sorted({*GRAPHS, *CHECKS}):
        sizes[runs] = given(folder, runs)
        if runs in GRAPHS:
            graphs[runs] = cpu(folder, "dvc", "stage", "list", "--names-only")
        if runs in CHECKS:
            checks[runs] = cpu(folder, "dvc", "status", "--json")
            resolves[runs] = cpu(folder, "python", "stages/resolve.py")
        copies[runs] = own(notes.reduce, folder, "r00000", STAGES)
    resolved = (folder / "data/runs/r00000.yaml").stat().st_size
    return {
        "params_bytes": entry_of(sizes, "params.yaml by number of runs"),
        "resolved_bytes": entry_of(resolved, "wc -c data/runs/r00000.yaml"),
        "graph_cpu": entry_of(graphs, "dvc stage list --names-only"),
        "status_cpu": entry_of(checks, "dvc status --json"),
        "resolve_cpu": entry_of(resolves, "python stages/resolve.py"),
        "reduce_cpu": entry_of(copies, "vaelab.commands.repro.notes.reduce"),
    }


def locks(folder: Path) -> dict[str, Any]:
    """What it takes to note a stage in dvc.lock, as DVC does it and as we do for all runs at once."""
    from dvc.utils.serialize import modify_yaml

    given(folder, 1)
    call(folder, sys.executable, "-m", "vaelab", "run-one", "0")
    entry = (folder / ".scratch/notes/r00000.lock").read_text()
    lock, updates, merges = folder / "dvc.lock", {}, {}
    for runs in LOCKS:
        body = "".join(entry.partition("stages:\n")[2].replace("r00000", name) for name in names(runs))
        lock.write_text(f"schema: '2.0'\nstages:\n{body}")

        def update() -> None:
            with modify_yaml(str(lock)) as content:
                content["stages"]["train@r00000"]["cmd"] = "x"

        updates[runs] = own(update)
        merges[runs] = own(lambda: notes._with(lock.read_text(), notes._entries(lock.read_text())))
    return {
        "lock_bytes": entry_of(lock.stat().st_size / LOCKS[-1], "dvc.lock: bytes a run"),
        "lock_update_cpu": entry_of(updates, "dvc.utils.serialize.modify_yaml, as DVC after each stage"),
        "merge_cpu": entry_of(merges, "vaelab.commands.repro.notes.take_in: its text"),
    }


def on_ray(folder: Path) -> dict[str, Any]:
    """What the driver and the actor that hears tasks take."""
    said = call(folder, sys.executable, str(Path(__file__).with_name("cluster_ray.py")))
    return {name: entry_of(*found) for name, found in json.loads(said.splitlines()[-1]).items()}


PARTS = {"files": files, "pipeline": pipeline, "locks": locks, "ray": on_ray}

if __name__ == "__main__":
    main()
