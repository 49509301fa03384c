"""Runs the stages of plants in a folder of their own, several at a time; what is there is not made again."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import yaml
from plant_data import make
from plant_edits import edit

from vaelab import artifacts, storage

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("train", "evaluate", "threshold", "diagnose")
SECONDS, LOGS = Path("seconds.json"), Path("logs")  # CPU seconds of each stage; what each stage said
ONE_AT_A_TIME = Lock()


def write_project(plan: Mapping[str, Any]) -> None:
    """Write params.yaml, our own with the data sets and runs of the plants, and resolve it.

    Only data sets of runs are prepared, so that each data set that is edited has a run that is never trained.
    """
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    edits = plan.get("edits", {})
    edited = {name: plan["datasets"][how["of"]] for name, how in edits.items()}
    runs = {**{f"untrained_{how['of']}": {"data": how["of"]} for how in edits.values()}, **plan["runs"]}
    params |= {"datasets": {**plan["datasets"], **edited}, "runs": runs, "suites": {}}
    storage.write_yaml(artifacts.PARAMS, params)
    if stage("resolve"):
        sys.exit(f"the plants are no runs: {Path.cwd() / LOGS}/resolve.txt says why")


def run_plants(names: Sequence[str], plan: Mapping[str, Any], again: Sequence[str], jobs: int) -> None:
    """Prepare the data sets of the runs, once each, and run their stages."""
    edits, share = plan.get("edits", {}), plan.get("share", {})
    needed = [
        *dict.fromkeys([*(share[name] for name in names if name in share), *names])
    ]  # whose weights are taken first
    used = dict.fromkeys(plan["runs"][name]["data"] for name in needed)
    plain = dict.fromkeys(edits[name]["of"] if name in edits else name for name in used)
    at_once(jobs, lambda name: prepare(name, plan), plain)
    at_once(jobs, lambda name: prepare(name, plan), [name for name in used if name in edits])
    trained: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for name in needed:
            mine = again if name in names else ()
            trained[name] = pool.submit(run_plant, name, mine, share.get(name), trained.get(share.get(name)))
    for future in trained.values():
        future.result()


def at_once(jobs: int, do: Callable[[str], Any], names: Iterable[str]) -> list[Any]:
    """Return what was done with each name, as many at once as there are jobs."""
    with ThreadPoolExecutor(jobs) as pool:
        return [*pool.map(do, names)]


def run_plant(name: str, again: Sequence[str], shared: str | None, origin: "Future[None] | None") -> None:
    """Run the stages of a plant that are not done; it may wait for the run whose weights it takes."""
    if origin is not None:
        origin.result()
    for what in STAGES[:-1]:
        if what not in again and any(place.exists() for place in _left_by(what, name)):
            continue
        if what == "train" and shared is not None:
            _copy(shared, name)
        elif what == "train" or artifacts.models(name).exists():
            stage(what, name)


def _left_by(what: str, name: str) -> tuple[Path, ...]:
    """What a stage writes last."""
    return {
        "train": (artifacts.models(name), artifacts.failed(name) / "nonfinite.json"),
        "evaluate": (artifacts.headline(name),),
        "threshold": (artifacts.threshold_metrics(name),),
    }[what]


def _copy(source: str, target: str) -> None:
    """The weights and the history of another run, whole or not at all; of one that broke off, that it did."""
    left = next((place for place in (artifacts.models, artifacts.failed) if place(source).exists()), None)
    if left is None:
        print(f"train {target}: {source}, whose weights it takes, has none", flush=True)
        return
    part = left(f".{target}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(left(source), part)
    shutil.rmtree(left(target), ignore_errors=True)
    part.rename(left(target))
    if artifacts.training(source).exists():
        shutil.copyfile(artifacts.training(source), artifacts.training(target))


def prepare(data: str, plan: Mapping[str, Any]) -> None:
    """Prepare a data set: break another one where it is of `edits`, make its files first where it is of `make`."""
    if (artifacts.prepared(data) / "meta.json").exists():
        return
    how = plan.get("edits", {}).get(data)
    if how is not None:
        edit(artifacts.prepared(how["of"]), artifacts.prepared(data), how["acts"], how.get("seed", 0))
        return
    if data in plan.get("make", {}):
        make(plan["make"][data], Path(plan["make"][data].get("path") or plan["datasets"][data]["path"]))
    stage("prepare", data)


def diagnose(name: str) -> dict[str, Any] | None:
    """Diagnose a run again; None where it was neither evaluated nor stopped."""
    left = (artifacts.evaluation(name), artifacts.failed(name) / "nonfinite.json")
    if not any(place.exists() for place in left) or stage("diagnose", name):
        return None
    return storage.read_json(artifacts.diagnosis(name))


def stage(what: str, name: str = "") -> int:
    """Run a stage script in this folder; return its exit code, note the CPU seconds and keep what it said."""
    log = LOGS / f"{what}{f'-{name}' if name else ''}.txt"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, str(ROOT / "stages" / f"{what}.py"), *([name] if name else [])]
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, "OMP_NUM_THREADS": "1"})
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = round(usage.ru_utime + usage.ru_stime, 2)
    with ONE_AT_A_TIME:
        known = json.loads(SECONDS.read_text()) if SECONDS.exists() else {}
        known.setdefault(name or what, {})[what] = seconds
        storage.write_json(SECONDS, known)
        stopped = what == "train" and (artifacts.failed(name) / "nonfinite.json").exists()
        failed = process.returncode and not stopped
        last = f": {log.read_text(errors='replace').strip().splitlines()[-1:]}" if failed else ""
        print(f"{what} {name}: {seconds:.1f} CPU s, exit code {process.returncode}{last}", flush=True)
    return process.returncode


def seconds_of(name: str) -> dict[str, float]:
    """Return the CPU seconds of the stages of a run."""
    return json.loads(SECONDS.read_text()).get(name, {}) if SECONDS.exists() else {}
