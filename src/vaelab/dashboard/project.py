"""The runs of the project in this folder, and what is there of each."""

from pathlib import Path
from typing import Any

import streamlit as st

from vaelab import artifacts
from vaelab.comparison.collect import Result, collect_folder, with_diagnosis, with_threshold
from vaelab.dashboard import reading
from vaelab.dashboard.kinds.kind import KindViews
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.dashboard.runs import run_names
from vaelab.data.format.info import DEFECT_PHASES, PHASES, DataInfo
from vaelab.data.format.prepared import read_info
from vaelab.errors import InputError
from vaelab.params.problems import check
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import read_run
from vaelab.params.schema import Compare, Run

HISTORY = "history.csv"


def run(name: str) -> Run:
    """Return a resolved run."""
    return _run(stamp(artifacts.resolved(name)))


@st.cache_resource(max_entries=256, show_spinner=False)
def _run(file: Stamp) -> Run:
    return read_run(Path(file[0]))


def info(data: str) -> DataInfo:
    """Return the description of a prepared data set."""
    return _info(stamp(artifacts.prepared(data) / "meta.json"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _info(file: Stamp) -> DataInfo:
    return read_info(Path(file[0]).parent)


def result(name: str) -> Result | None:
    """Return a run with its measures; None where it was not evaluated."""
    if not artifacts.evaluation(name).is_file():
        return None
    scores, folder = artifacts.scores(name), artifacts.thresholds(name)
    files = (
        artifacts.resolved(name), artifacts.evaluation(name), scores / HISTORY, artifacts.diagnosis(name),
        *(folder / file for file in ("summary.json", "settings.json", "scores.csv")),
    )  # fmt: skip
    return _result(name, tuple(stamp(file) for file in files))


@st.cache_resource(max_entries=256, show_spinner=False)
def _result(name: str, files: tuple[Stamp, ...]) -> Result:
    kept = artifacts.scores(name) / HISTORY
    history = reading.csv(stamp(kept)).assign(run=name) if kept.is_file() else None
    found = Result(run(name), reading.record(artifacts.evaluation(name)), history)
    return with_diagnosis(with_threshold(found), artifacts.diagnosis(name))


def results() -> list[Result]:
    """Return the runs that were evaluated: those of params.yaml, then others whose summaries were kept."""
    active = [found for name in run_names() if (found := result(name)) is not None]
    summaries = sorted([*artifacts.SUMMARIES.glob("*.json"), *artifacts.SUMMARIES.glob("*/*.json")])
    others = _kept(tuple(stamp(path) for path in summaries)) if summaries else []
    known = {found.run.name for found in active}
    return [*active, *(found for found in others if found.run.name not in known)]


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept(files: tuple[Stamp, ...]) -> list[Result]:
    try:
        return collect_folder(note=lambda _: None)
    except InputError:  # no summary of this version is among them
        return []


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
