"""Planted pathologies: runs that are broken in one way, or healthy; how often diagnosis names what was planted.

    python benchmarks/plants.py PLANTS.yaml [NAME ...] [--folder FOLDER] [--again STAGE] [--score-only]

The file has `datasets` and `runs` as in params.yaml, `edits` (prepared data sets, copied and broken: plant_edits.py),
`share` (runs that take the weights of another run) and `expected`: of each run the root cause first, then further
findings that are true of it; [] is healthy. Runs are trained one after the other in FOLDER; what is there is not made
again, so that a killed call goes on. A name may be the beginning of several, such as p05.
Printed: what was found of each run, a table cause × found, roots named, healthy runs accused. A finding that is a mere
note accuses nobody. Result: FOLDER/scores.json.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import yaml
from plant_edits import edit
from plant_scores import scores_of, table_of

from vaelab import artifacts, storage

STAGES = ("prepare", "train", "evaluate", "threshold", "diagnose")
SECONDS = Path("seconds.json")  # CPU seconds of each stage of each run


def main() -> None:
    """Run the plants, diagnose and score them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plants", type=Path, help="the file of plants")
    parser.add_argument("names", nargs="*", help="runs, or beginnings of their names; none: all")
    parser.add_argument("--folder", type=Path, default=Path("plants"), help="where they are trained")
    parser.add_argument("--again", choices=STAGES[1:], action="append", default=[], help="a stage that is done again")
    parser.add_argument("--score-only", action="store_true", help="run nothing: diagnose and score what is there")
    options = parser.parse_args()
    plan = yaml.safe_load(options.plants.read_text(encoding="utf-8"))
    chosen = [name for name in plan["runs"] if name.startswith(tuple(options.names) or "")]
    options.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(options.folder)
    write_project(plan)
    for name in chosen:
        if not options.score_only:
            run_plant(name, plan, options.again)
    diagnosed = {name: found for name in chosen if (found := diagnose(name)) is not None}
    expected = {name: plan["expected"][name] for name in diagnosed}
    print(table_of(expected, diagnosed))
    storage.write_json(Path("scores.json"), scores_of(expected, diagnosed))


def write_project(plan: Mapping[str, Any]) -> None:
    """Write params.yaml, our own with the data sets and runs of the plants, and resolve it."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    edited = {name: plan["datasets"][how["of"]] for name, how in plan.get("edits", {}).items()}
    params |= {"datasets": {**plan["datasets"], **edited}, "runs": plan["runs"], "suites": {}}
    storage.write_yaml(artifacts.PARAMS, params)
    stage("resolve")


def run_plant(name: str, plan: Mapping[str, Any], again: Sequence[str]) -> None:
    """Run the stages of a plant that are not done."""
    prepare(plan["runs"][name]["data"], plan)
    if name in plan.get("share", {}):
        run_plant(plan["share"][name], plan, [])
    outputs = {
        "train": (artifacts.models(name), artifacts.failed(name)),
        "evaluate": (artifacts.evaluation(name),),
        "threshold": (artifacts.threshold_metrics(name),),
    }
    for what, places in outputs.items():
        if what in again or not any(place.exists() for place in places):
            if what == "train" and name in plan.get("share", {}):
                shutil.copytree(artifacts.models(plan["share"][name]), artifacts.models(name), dirs_exist_ok=True)
            elif what == "train" or artifacts.models(name).exists():
                stage(what, name)


def prepare(data: str, plan: Mapping[str, Any]) -> None:
    """Prepare a data set, by breaking another one where it is of `edits`."""
    if (artifacts.prepared(data) / "meta.json").exists():
        return
    how = plan.get("edits", {}).get(data)
    if how is None:
        stage("prepare", data)
        return
    prepare(how["of"], plan)
    edit(artifacts.prepared(how["of"]), artifacts.prepared(data), how["acts"], how.get("seed", 0))


def stage(what: str, *name: str) -> int:
    """Run a stage script in this folder; return its exit code, and note the CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, str(ROOT / "stages" / f"{what}.py"), *name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    known = json.loads(SECONDS.read_text()) if SECONDS.exists() else {}
    if name:
        known.setdefault(name[0], {})[what] = round(seconds, 2)
        storage.write_json(SECONDS, known)
        print(f"{what} {name[0]}: {seconds:.1f} CPU s, exit code {done.returncode}", flush=True)
    if done.returncode and not (what == "train" and artifacts.failed(*name).exists()):
        print(done.stderr[-1500:], file=sys.stderr)
    return done.returncode


def diagnose(name: str) -> dict[str, Any] | None:
    """Diagnose a run again; None where it was not trained."""
    if not any(True for _ in _left(name)):
        return None
    stage("diagnose", name)
    return storage.read_json(artifacts.diagnosis(name))


def _left(name: str) -> Iterator[Path]:
    yield from (place for place in (artifacts.evaluation(name), artifacts.failed(name)) if place.exists())


if __name__ == "__main__":
    main()
