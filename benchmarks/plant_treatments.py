"""Prescriptions tried: of each ill plant the first one, beside a random change; how often the named metric moves.

    python benchmarks/plant_treatments.py PLANTS.yaml [NAME ...] [--folder FOLDER] [--jobs N] [--draws N] [--results]

FOLDER is one in which plants.py has run. Each ill plant whose first finding with a prescription says what to change is
run again under that change, and under random ones (vaelab.diagnosis.random_change, seeded by the run's name): what a
change leaves as it is, data and often weights, is taken over. Both are held against what the prescription promises:
that the metric moves by `least` in its `direction`. A treated run is RUN__p_…, a random one RUN__r0_…; what is there is
not made again. With --score-only a plant of which not all changes have been run is left out, and said. Printed, and
written to FOLDER/treatments.{md,json}: shares with Wilson's 95 % intervals, in all and by cause, and a line per plant.
With --results the same in benchmarks/results.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import yaml
from plant_options import chosen, parser, places, read_plan
from plant_runs import at_once, diagnose, run_plants, seconds_of, write_project
from plant_trials import Trial, has_moved, opening, report

from vaelab import artifacts, storage
from vaelab.diagnosis.case import read_case
from vaelab.diagnosis.causes.table import measured
from vaelab.diagnosis.random_change import as_groups, random_changes
from vaelab.errors import InputError
from vaelab.params.experiment import flow, laid_over
from vaelab.params.resolve import read_run, resolve

TRAINED_BY = ("data", "model", "loss", "train")  # what the weights come from


def main() -> None:
    """Try the prescriptions and the random changes, and compare them."""
    line = parser(__doc__, "treatments")
    line.add_argument("--draws", type=int, default=1, help="random changes of each plant")
    options = line.parse_args()
    plan = read_plan(options.plants)
    ill = [name for name in chosen(options, plan) if plan["expected"][name]]
    os.chdir(options.folder)
    write_project(plan)
    at_once(options.jobs, diagnose, ill)
    trials = [_checked(trial, plan) for name in ill for trial in trials_of(name, options.draws)]
    accepted = [trial for trial in trials if not trial.refused]
    treated = with_trials(plan, accepted)
    if not options.score_only:
        run_plants([trial.name for trial in accepted], treated, [], options.jobs)
    at_once(options.jobs, diagnose, [trial.name for trial in accepted])
    left = {trial.plant for trial in accepted if options.score_only and not _has_ended(trial.name)}
    rows = [row_of(trial) for trial in trials if trial.plant not in left]
    command = " ".join(["python benchmarks/plant_treatments.py", options.plants.name, *options.names])
    only = " --score-only" if options.score_only else ""
    head = f"Prescriptions tried on {options.plants.name}\n\nWritten by `{command} --draws {options.draws}{only}`."
    text = f"# {head} {opening(len(ill), rows, sorted(left))}\n\n{report(rows)}\n"
    for place in places(options, "treatments", f"treatments_{options.plants.stem}"):
        storage.write_text(place.with_suffix(".md"), text)
        storage.write_json(place.with_suffix(".json"), {"trials": rows})
    print(text)


def trials_of(plant: str, draws: int) -> Iterator[Trial]:
    """Yield the first prescription of a plant's diagnosis, and as many random changes; none where there is none."""
    if not artifacts.diagnosis(plant).exists():
        return
    findings = storage.read_json(artifacts.diagnosis(plant))["findings"]
    found = next((finding for finding in findings if finding["prescriptions"]), None)
    if found is None:
        return
    first, case = found["prescriptions"][0], read_case(read_run(artifacts.resolved(plant)))
    promise = (first["metric"], first["direction"], first["least"], measured(case, first["metric"]))
    yield Trial(plant, _name(plant, "p", first["changes"]), found["cause"], first["changes"], *promise)
    for seed in range(draws):
        changes = random_changes(case.run, seed, scored=bool(case.threshold))
        yield Trial(plant, _name(plant, f"r{seed}", changes), found["cause"], changes, *promise)


def _name(plant: str, what: str, changes: Mapping[str, Any]) -> str:
    """A run of its own for each change, so that no old one is taken for it."""
    return f"{plant}__{what}_{crc32(flow(dict(changes)).encode()):08x}"


def _checked(trial: Trial, plan: Mapping[str, Any]) -> Trial:
    """The trial, with the reason where its changes are no run."""
    data = plan["runs"][trial.plant]["data"]
    data = plan.get("edits", {}).get(data, {}).get("of", data)
    entry = {**laid_over(plan["runs"][trial.plant], as_groups(trial.changes)), "data": data}
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    presets = {name: preset for name, preset in params["presets"].items() if name == entry.get("preset")}
    params |= {"presets": presets, "datasets": {data: plan["datasets"][data]}, "runs": {trial.name: entry}}
    params |= {"suites": {}}
    storage.write_yaml(Path("trial.yaml"), params)
    try:
        resolve(Path("trial.yaml"))
    except InputError as error:
        return trial._replace(refused=str(error))
    return trial


def with_trials(plan: Mapping[str, Any], trials: Sequence[Trial]) -> dict[str, Any]:
    """Write the plants with the runs of the trials and return them; they share weights where they may."""
    runs, share = dict(plan["runs"]), dict(plan.get("share", {}))
    for trial in trials:
        runs[trial.name] = laid_over(plan["runs"][trial.plant], as_groups(trial.changes))
    write_project({**plan, "runs": runs})
    for trial in trials:
        own, treated = (read_run(artifacts.resolved(name)) for name in (trial.plant, trial.name))
        if all(getattr(own, part) == getattr(treated, part) for part in TRAINED_BY):
            share[trial.name] = trial.plant
    return {**plan, "runs": runs, "share": share}


def _has_ended(run: str) -> bool:
    return artifacts.evaluation(run).exists() or (artifacts.failed(run) / "nonfinite.json").exists()


def row_of(trial: Trial) -> dict[str, Any]:
    """Return what became of a trial: the metric before and after, whether it moved, whether the cause is gone."""
    after, gone = None, False
    if not trial.refused and artifacts.diagnosis(trial.name).exists():
        after = measured(read_case(read_run(artifacts.resolved(trial.name))), trial.metric)
        left = storage.read_json(artifacts.diagnosis(trial.name))["findings"]
        gone = trial.cause not in [finding["cause"] for finding in left]
    moved = has_moved(trial, after)
    seconds = sum(seconds_of(trial.name).values())
    return {**trial._asdict(), "after": after, "moved": moved, "gone": gone, "cpu_seconds": round(seconds, 1)}


if __name__ == "__main__":
    main()
