"""What the stages saved: of the active runs, or of any that were measured and kept."""

import re
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from vaelab import artifacts, storage
from vaelab.data.format.info import PHASES, final_phase
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.engine import as_record, diagnose
from vaelab.errors import InputError
from vaelab.metrics.nested import DEFECT_FLOORS, FLOORS, REFERENCE, SAMPLED, baselines, flat, misshapen
from vaelab.metrics.records import DEFECT_BASELINES
from vaelab.metrics.tables import DEFECT_MEASURES
from vaelab.params.problems import check, raise_problems
from vaelab.params.resolve import read_run
from vaelab.params.schema import Run
from vaelab.params.threshold import Threshold

THRESHOLD_TABLES = ("scores", "differences", "aggregations", "defects")  # in data/thresholds/<run>, of a report


class Missing(NamedTuple):
    """An active run that is not compared."""

    run: str
    why: str


class Saved(NamedTuple):
    """What was saved of one run."""

    run: Run
    metrics: dict[str, dict[str, Any]]  # by phase as in metrics/evaluate/<run>.json, and `run`
    history: pd.DataFrame | None  # one row per epoch and phase, with the column `run`; None where none was kept
    threshold: dict[str, Any] | None = None  # what stage threshold found: summary, and rows of tables; None: no scores
    diagnosis: dict[str, Any] | None = None  # what stage diagnose found, as its file has it; None: not diagnosed


class Result(Saved):
    """One run and what was measured of it; what follows is computed once, since tables ask for it per cell."""

    @cached_property
    def flat(self) -> dict[str, dict[str, Any]]:
        """Metrics of each phase, flat."""
        return {phase: flat(values) for phase, values in self.metrics.items() if phase in PHASES}

    @property
    def final(self) -> dict[str, Any]:
        """Metrics of the phase that is reported, flat."""
        return self.flat[self.phase]

    @cached_property
    def baselines(self) -> dict[str, dict[str, Any]]:
        """What each trivial method reaches on the phase that is reported, by its name."""
        return baselines(self.metrics[self.phase])

    @property
    def references(self) -> dict[str, dict[str, Any]]:
        """What methods without a bottleneck reach on the phase that is reported, by name: no baselines."""
        found: dict[str, dict[str, Any]] = self.metrics[self.phase].get(REFERENCE, {})
        return found

    @property
    def phase(self) -> str:
        """The phase that is reported: test, or val where there is no test."""
        return final_phase(self.metrics)

    @property
    def ill(self) -> bool:
        """Whether something was found that breaks the run or costs quality."""
        return self.diagnosis is not None and not self.diagnosis["healthy"]

    @property
    def broken(self) -> list[dict[str, Any]]:
        """The findings that break the run; a run with one is never recommended."""
        return [finding for finding in (self.diagnosis or {}).get("findings", ()) if finding["severity"] == "breaks"]


def collect() -> list[Result]:
    """Return the active runs in the order of params.yaml's file names.

    Raises:
        InputError: there is none, or one of them was not evaluated yet.
    """
    results = [read(path) for path in sorted(artifacts.RUNS.glob("[!.]*.yaml"))]
    if not results:
        raise InputError(f"{artifacts.RUNS}: no resolved run; `dvc repro` makes them")
    return results


def read(path: Path) -> Result:
    """Return the run of a resolved configuration, with what its stages saved."""
    run = read_run(path)
    if run.name != path.stem:
        raise InputError(f"{path}: its run is named {run.name}; delete the file, and `dvc repro` makes what is needed")
    metrics = storage.read_json(artifacts.evaluation(run.name))
    return with_diagnosis(with_threshold(Result(run, metrics, _history(run.name))), artifacts.diagnosis(run.name))


def with_threshold(result: Result) -> Result:
    """Return a run with what stage threshold found, as metrics too: `defect_...` of the phase that is reported.

    Its options of threshold become those that were used: a summary may be older than the last threshold.

    Raises:
        InputError: the options are missing, or those of another version.
    """
    folder = artifacts.thresholds(result.run.name)
    if not (folder / "summary.json").is_file():
        return result
    summary = storage.read_json(folder / "summary.json")
    if not summary.get("scored"):
        return result
    settings = storage.read_json(folder / "settings.json")
    raise_problems(f"{folder / 'settings.json'}", check(Threshold, settings))
    tables = {name: pd.read_csv(folder / f"{name}.csv").to_dict("records") for name in THRESHOLD_TABLES}
    found = {f"defect_{name}": summary[name] for name in DEFECT_MEASURES if summary.get(name) is not None}
    known = [row for row in tables["scores"] if row["score"] in DEFECT_BASELINES and summary["labelled"]]
    floors = {row["score"]: {f"defect_{name}": row[name] for name in DEFECT_MEASURES} for row in known}
    final = {**result.metrics[result.phase], **found, **({DEFECT_FLOORS: floors} if floors else {})}
    metrics = {**result.metrics, result.phase: final}
    run = result.run.model_copy(update={"threshold": Threshold.model_validate(settings)})
    return result._replace(run=run, metrics=metrics, threshold={"summary": summary, **tables})


def with_diagnosis(result: Result, path: Path | None) -> Result:
    """Return a run with the findings of stage diagnose, or where its file is missing what its metrics alone tell."""
    saved = storage.read_json(path) if path is not None and path.is_file() else None
    if saved and all(finding["cause"] in CAUSES for finding in saved["findings"]):  # an earlier version knew others
        return result._replace(diagnosis=saved)
    case = Case(result.run, result.metrics)
    return result._replace(diagnosis={**as_record(diagnose(case), case), "from": "its metrics alone"})


def _history(name: str) -> pd.DataFrame:
    return pd.read_csv(artifacts.scores(name) / "history.csv").assign(run=name)


def _say(note: str) -> None:
    print(f"note: {note}", file=sys.stderr)


def collect_folder(folder: Path | None = None, note: Callable[[str], None] = _say) -> list[Result]:
    """Return the runs whose summaries, configuration and metrics in one JSON file, lie in a folder or one level below.

    Args:
        folder: by default metrics/summary, where stage evaluate leaves them.
        note: is told of each file that is left out, and of each run that gets another name.

    A file that repeats another one (the same configuration, name and metrics) counts once; of different runs with one
    name the later one gets its folder's name in front, or a number behind. The history is that of data/scores/<run>
    where the summary is the one of metrics/summary, so that it is surely of this run.

    Raises:
        InputError: there is no such folder, or no summary in it.
    """
    place = artifacts.SUMMARIES if folder is None else folder
    if not place.is_dir():
        raise InputError(f"{place}: no such folder; `dvc repro` fills {artifacts.SUMMARIES}")
    results: list[Result] = []
    for path in sorted([*place.glob("*.json"), *place.glob("*/*.json")], key=lambda p: (len(p.parts), p)):
        try:
            found = _summary(path)
        except InputError as error:
            note(f"{error}; left out")
            continue
        if not any(found.run == other.run and found.metrics == other.metrics for other in results):
            results.append(_renamed(found, path, {other.run.name for other in results}, note))
    if not results:
        raise InputError(f'{place}: no summary of a run in it or one level below ({{"config": ..., "metrics": ...}})')
    return results


def _summary(path: Path) -> Result:
    content = storage.read_json(path)
    if not isinstance(content, dict) or not {"config", "metrics"} <= content.keys():
        raise InputError(f"{path}: no summary of a run, which has config and metrics")
    config, metrics = content["config"], content["metrics"]
    if not isinstance(config, dict) or (problems := check(Run, config)):
        text = "; ".join(f"{p.path}: {p.message}" for p in problems) if isinstance(config, dict) else "not a mapping"
        raise InputError(f"{path}: its config does not fit this version ({text})")
    if not isinstance(metrics, dict) or not all(isinstance(metrics.get(phase), dict) for phase in ("val", "run")):
        raise InputError(f"{path}: its metrics lack val or run")
    if FLOORS not in metrics["val"]:
        raise InputError(f"{path}: its metrics lack {FLOORS}: an earlier version wrote it; evaluate the run again")
    if SAMPLED not in metrics["val"]:
        text = "an earlier version wrote it, with likelihoods of the posterior mean; evaluate the run again"
        raise InputError(f"{path}: its metrics lack {SAMPLED}: {text}")
    if wrong := misshapen({phase: values for phase, values in metrics.items() if phase in PHASES}):
        raise InputError(f"{path}: metrics.{wrong}: expected a mapping of methods, each to its metrics")
    run = Run.model_validate(config)
    own = artifacts.summary(run.name)
    same = own.is_file() and (own.samefile(path) or own.read_bytes() == path.read_bytes())
    kept = same and (artifacts.scores(run.name) / "history.csv").is_file()
    result = with_threshold(Result(run, metrics, _history(run.name))) if kept else Result(run, metrics, None)
    return with_diagnosis(result, artifacts.diagnosis(run.name) if kept else None)


def _renamed(result: Result, path: Path, taken: set[str], note: Callable[[str], None]) -> Result:
    old = result.run.name
    if old not in taken:
        return result
    name = longer = f"{re.sub('[^a-z0-9_]+', '_', path.parent.name.lower()).lstrip('_0123456789') or 'run'}_{old}"
    number = 1
    while name in taken:
        number += 1
        name = f"{longer}_{number}"
    note(f"{path}: another run is named {old}; this one is listed as {name}")
    history = None if result.history is None else result.history.assign(run=name)
    return result._replace(run=result.run.model_copy(update={"name": name}), history=history)
