"""The command `vaelab compare`: runs a set of configurations as one DVC experiment, or compares what is there."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vaelab import artifacts
from vaelab.commands.compare.configurations import OWN, entry, parsed, problems_of
from vaelab.commands.compare.experiments import SHOW, Experiment, check_project, command_line, keep_params, start
from vaelab.commands.compare.overrides import replacing, resolved_overrides, without_idle_starts
from vaelab.commands.compare.progress import stages_in_all
from vaelab.commands.compare.selection import Entry, Selection, is_suite_as_it_stands, select
from vaelab.commands.compare.tracked import untracked
from vaelab.errors import InputError
from vaelab.params.problems import Problem, check, raise_problems, suggestion
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import merge, read_params
from vaelab.params.schema import Options

if TYPE_CHECKING:
    from vaelab.commands.repro.command import Asked

COLLECTED = Path("metrics/collected")


class Words(NamedTuple):
    """What was typed: configurations, each a name and its key=value words, and words that are for all runs."""

    configurations: Sequence[tuple[str, Sequence[str]]] = ()
    everywhere: Sequence[str] = ()


def entries(words: Words) -> tuple[dict[str, Entry], Entry]:
    """Return the configurations by name and the changes to all runs, as params.yaml has them.

    Raises:
        InputError: lists every unknown option, unreadable value and name that stands twice.
    """
    found: dict[str, Entry] = {}
    problems: list[Problem] = []
    for name, own in words.configurations:
        where = f"--config {name}"
        if name in found:
            problems.append(Problem(where, "stands twice"))
        found[name] = _entry(own, where, problems)
        problems += problems_of(name, found[name], where)
    everywhere = _entry(words.everywhere, "all runs", problems)
    if "data" in everywhere or "preset" in everywhere:
        problems.append(Problem("all runs", "data and preset are of a configuration; give --data NAME, --preset NAME"))
    problems += check(Options, {key: value for key, value in everywhere.items() if key not in OWN}, "all runs")
    raise_problems("the command line", problems)
    return found, everywhere


def _entry(words: Sequence[str], where: str, problems: list[Problem]) -> Entry:
    changes, unreadable = parsed(words, where)
    made, unknown = entry(changes, where)
    problems += [*unreadable, *unknown]
    return made


def compose(
    asked: Selection, everywhere: Entry, overrides: Sequence[str], name: str | None = None, queue: bool = False
) -> Experiment:
    """Return the DVC experiment of a set of runs, checked as far as it can be before anything runs.

    Raises:
        InputError: lists everything that is wrong with the runs; or DVC cannot run an experiment here.
    """
    raw = read_yaml(artifacts.PARAMS)
    read_params(artifacts.PARAMS)
    if is_suite_as_it_stands(asked, raw) and not everywhere:
        runs, own = raw["suites"][asked.preset], [f"runs=${{suites.{asked.preset}}}"]
    else:
        runs = {name: merge(run, everywhere) for name, run in select(asked, raw).items()}
        own = replacing(runs)
    own += without_idle_starts(runs, raw.get("starts") or {})
    experiment = Experiment((*own, *overrides), name, queue)
    check_project(Path(), name)
    found = resolved_overrides(experiment.overrides, sweep=queue)
    if queue:
        raise_problems("what is to be queued", [problem for resolved in found for problem in untracked(resolved)])
    counts = {"runs": sum(len(resolved.runs) for resolved in found), "datasets": len(raw.get("datasets") or ())}
    counts["starts"] = max(len(resolved.starts) for resolved in found)
    pipeline = Path("dvc.yaml")
    return experiment._replace(stages=stages_in_all(read_yaml(pipeline), counts)) if pipeline.is_file() else experiment


def run(experiment: Experiment, asked: "Asked | None" = None) -> str:
    """Run an experiment, or queue it; return what to read and to type next.

    Args:
        experiment: to run.
        asked: how many of its runs at a time, and where; None: one after the other, in the project.

    Raises:
        StageError: a stage failed.
        InputError: DVC could not begin.
        KeyboardInterrupt: on Ctrl-C, when DVC has ended.
    """
    print(f"running: {command_line(experiment)}\n", flush=True)
    if asked is not None:
        from vaelab.commands.repro.experiment import side_by_side

        side_by_side(experiment, asked)
        experiment = experiment._replace(pull=asked.remote)
    kept = None if experiment.queue else keep_params(Path())
    names = start(experiment, Path())
    if experiment.queue:
        return "start the queue: dvc queue start -j 1\nlook at it:      dvc queue status"
    from vaelab.comparison.summary import summary_report

    back = f"cp {kept} {artifacts.PARAMS}" if kept else f"git checkout {artifacts.PARAMS}"
    lines = [
        f"report:     {artifacts.COMPARISON_TEXT} (with pictures: {artifacts.COMPARISON_HTML.name})",
        f"table:      {artifacts.COMPARISON_CSV}",
        f"experiment: {', '.join(names) or 'as before'}; all of them: {SHOW}",
        f"{artifacts.PARAMS} has these runs now; back to those before: {back} && dvc repro",
    ]
    return "\n".join([summary_report(_table()), *lines])


def _table() -> Any:
    import pandas as pd

    return pd.read_csv(artifacts.COMPARISON_CSV)


def collected(folder: Path | None, out: Path | None) -> str:
    """Compare all results that are there, without training; return the report and where it is.

    Raises:
        InputError: there are none, or the folder cannot be written.
    """
    from vaelab.commands.compare.results import existing
    from vaelab.comparison.advice import entries_of
    from vaelab.comparison.save import save

    results, place = existing(folder), out or COLLECTED
    params = read_params(artifacts.PARAMS) if artifacts.PARAMS.is_file() else None
    known = entries_of(results, params)
    text = save(results, place, params.compare if params else None, known)
    names = (artifacts.COMPARISON_CSV.name, artifacts.COMPARISON_TEXT.name, artifacts.COMPARISON_HTML.name)
    return "\n".join([text, f"written: {', '.join(str(place / name) for name in names)}"])


def changed(before: str, after: str, folder: Path | None) -> str:
    """Return the report of what changed from one run, or configuration of several seeds, to another.

    Raises:
        InputError: one of them has no result: with the command that makes it; or they do not compare.
    """
    from vaelab.commands.compare.results import existing
    from vaelab.comparison.changes import changes_report
    from vaelab.comparison.collect import Result
    from vaelab.comparison.seeds import configurations

    results = existing(folder)
    known: dict[str, Sequence[Result]] = {group.name: group.results for group in configurations(results)}
    known |= {result.run.name: [result] for result in results if result.run.name not in known}
    if missing := [name for name in (before, after) if name not in known]:
        raise InputError(_missing(missing, known))
    return changes_report(known[before], known[after])


def _missing(names: Sequence[str], known: Mapping[str, Any]) -> str:
    """Which runs have no result, and how to train each."""
    raw = read_yaml(artifacts.PARAMS) if artifacts.PARAMS.is_file() else {}
    lines = [f"no result of {', '.join(names)}; {suggestion(names[0], known)}"]
    for name in names:
        if command := _training(name, raw):
            lines.append(f"  to train {name}: {command}")
    return "\n".join(lines)


def _training(name: str, raw: Mapping[str, Any]) -> str | None:
    """The command that trains and measures a run that params.yaml knows."""
    if name in (raw.get("runs") or {}):
        return f"dvc repro evaluate@{name}"
    for suite, runs in (raw.get("suites") or {}).items():
        if name in runs:
            return f"dvc exp run -S {shlex.quote(f'+runs.{name}=${{suites.{suite}.{name}}}')}"
    return f"vaelab compare --config {name}" if name in (raw.get("presets") or {}) else None
