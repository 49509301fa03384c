"""All runs of the project at once: what is wrong with one of them is said, and keeps no other from being shown."""

from typing import NamedTuple

import streamlit as st

from vaelab import artifacts
from vaelab.comparison.collect import Result, collect_folder
from vaelab.comparison.leading import in_order
from vaelab.dashboard import project, reading
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.dashboard.runs import run_names
from vaelab.errors import InputError
from vaelab.params.resolve import read_params
from vaelab.params.schema import Params, Run


class Known(NamedTuple):
    """What is known of the runs."""

    results: list[Result]  # that were evaluated: those of params.yaml, then others whose summaries were kept
    waiting: list[Run]  # that were not
    wrong: dict[str, str]  # by run, what is wrong with its files


def known() -> Known:
    """Return the runs of the project."""
    found = Known([], [], {})
    for name in run_names():
        try:
            run, result = project.run(name), project.result(name)
        except InputError as error:
            found.wrong[name] = str(error)
            continue
        found.waiting.append(run) if result is None else found.results.append(result)
    own = set(run_names())
    found.results.extend(result for result in _others(found.wrong) if result.run.name not in own)
    params = _params(stamp(artifacts.PARAMS)) if artifacts.PARAMS.is_file() else None
    return found._replace(results=in_order(found.results, params)) if params else found


def readable() -> list[Run]:
    """Return the runs of params.yaml whose resolved files can be read."""
    found = []
    for name in run_names():
        try:
            found.append(project.run(name))
        except InputError:  # the overview says what is wrong
            continue
    return found


def scored() -> list[str]:
    """Return the runs that have anomaly scores."""
    found = []
    for run in readable():
        try:
            found += [run.name] if project.scored(run.name) else []
        except InputError:
            continue
    return found


@st.cache_resource(max_entries=1, show_spinner=False)
def _params(file: Stamp) -> Params | None:
    try:
        return read_params(artifacts.PARAMS)
    except InputError:  # it is being edited: the order is that of names
        return None


def _others(wrong: dict[str, str]) -> list[Result]:
    """The runs whose summaries were kept."""
    summaries = sorted([*artifacts.SUMMARIES.glob("*.json"), *artifacts.SUMMARIES.glob("*/*.json")])
    try:
        return _kept(tuple(stamp(path) for path in summaries)) if summaries else []
    except InputError as error:
        if not wrong:  # else it is most likely that run's fault
            wrong[str(artifacts.SUMMARIES)] = str(error)
        return []


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept(files: tuple[Stamp, ...]) -> list[Result]:
    with reading.as_written(artifacts.SUMMARIES):
        try:
            return collect_folder(note=lambda _: None)
        except InputError:  # no summary of this version is among them
            return []
