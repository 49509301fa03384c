"""A run of the project in this folder, and what is there of it."""

from pathlib import Path
from typing import Any

import streamlit as st

from vaelab import artifacts
from vaelab.comparison.collect import Result, with_diagnosis, with_threshold
from vaelab.dashboard import reading
from vaelab.dashboard.kinds.kind import KindViews
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.data.format.info import DEFECT_PHASES, PHASES, DataInfo
from vaelab.data.format.prepared import read_info
from vaelab.errors import InputError
from vaelab.metrics.nested import misshapen
from vaelab.params.problems import check
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import read_run
from vaelab.params.schema import Compare, Run

HISTORY = "history.csv"
MOST_RUNS = 1024  # that are kept in memory


def run(name: str) -> Run:
    """Return a resolved run. Raises InputError where its file is damaged, or of another run."""
    return _run(stamp(artifacts.resolved(name)))


@st.cache_resource(max_entries=MOST_RUNS, show_spinner=False)
def _run(file: Stamp) -> Run:
    found, path = read_run(Path(file[0])), Path(file[0])
    if found.name != path.stem:
        raise InputError(f"{path}: its run is named {found.name}; delete it, and `dvc repro` makes what is needed")
    return found


def info(data: str) -> DataInfo:
    """Return the description of a prepared data set."""
    return _info(stamp(artifacts.prepared(data) / "meta.json"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _info(file: Stamp) -> DataInfo:
    return read_info(Path(file[0]).parent)


def result(name: str) -> Result | None:
    """Return a run with its measures; None where it was not evaluated.

    Raises:
        InputError: one of the files that its stages wrote is missing or damaged.
    """
    if not artifacts.evaluation(name).is_file():
        return None
    scores, folder = artifacts.scores(name), artifacts.thresholds(name)
    files = (
        artifacts.resolved(name), artifacts.evaluation(name), scores / HISTORY, artifacts.diagnosis(name),
        *(folder / file for file in ("summary.json", "settings.json", "scores.csv")),
    )  # fmt: skip
    return _result(name, tuple(stamp(file) for file in files))


@st.cache_resource(max_entries=MOST_RUNS, show_spinner=False)
def _result(name: str, files: tuple[Stamp, ...]) -> Result:
    kept, metrics = artifacts.scores(name) / HISTORY, artifacts.evaluation(name)
    history = reading.csv(stamp(kept)).assign(run=name) if kept.is_file() else None
    found = Result(run(name), reading.record(metrics), history)
    with reading.as_written(metrics):
        if wrong := misshapen({phase: found.metrics[phase] for phase in (found.phase, "val")}):
            raise InputError(f"{metrics}: {wrong}: not a mapping; delete it, and `dvc repro` makes it")
        _ = found.final, found.baselines, found.metrics["run"].get("best_epoch")
    with reading.as_written(artifacts.thresholds(name), metrics):
        found = with_threshold(found)
    with reading.as_written(artifacts.diagnosis(name), metrics):
        return with_diagnosis(found, artifacts.diagnosis(name))


def compare_options() -> Compare:
    """Return the block `compare` of params.yaml; its defaults where it is wrong, since runs can be shown without."""
    return _compare_options(stamp(artifacts.PARAMS)) if artifacts.PARAMS.is_file() else Compare()


@st.cache_resource(max_entries=2, show_spinner=False)
def _compare_options(file: Stamp) -> Compare:
    try:
        given: Any = read_yaml(Path(file[0])).get("compare", {})
    except InputError:
        return Compare()
    return Compare() if not isinstance(given, dict) or check(Compare, given) else Compare.model_validate(given)


def phases(name: str) -> list[str]:
    """Return the phases of which examples can be looked at, the one that is reported first."""
    held = reading.names(artifacts.scores(name) / "arrays.safetensors")
    found = [phase for phase in reversed(PHASES) if f"{phase}_ids" in held]
    scored = [p for p in DEFECT_PHASES if artifacts.score_reconstructions(artifacts.scores(name), p).is_file()]
    return [*found, *scored]


def scored(name: str) -> bool:
    """Return whether a run has anomaly scores."""
    return bool(reading.record(artifacts.thresholds(name) / "summary.json").get("scored"))


def views(name: str) -> KindViews:
    """Return how the examples of a run are looked at."""
    from vaelab.dashboard.kinds.kinds import views as kind_views  # it needs matplotlib, and the first page does not

    return kind_views(run(name).kind, scored(name))


def training_history(name: str) -> tuple[Path | None, bool]:
    """Return the newest history.csv of a run, and whether it is of a training that has not ended."""
    running = sorted(artifacts.SCRATCH.glob(f"{name}-*/output/{HISTORY}"), key=lambda path: path.stat().st_mtime)
    finished = artifacts.models(name) / HISTORY
    if running and (not finished.is_file() or running[-1].stat().st_mtime > finished.stat().st_mtime):
        return running[-1], True
    return (finished if finished.is_file() else None), False


def checkpoints(name: str) -> Path:
    """Return the folder of a run's checkpoints, of a training that goes on where there is one."""
    history, _ = training_history(name)
    return (history.parent if history else artifacts.models(name)) / "checkpoints"
