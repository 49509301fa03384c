"""What is said for and against the recommended run, and the command that trains it for longer."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from vaelab.comparison.cells import and_more
from vaelab.comparison.collect import Result
from vaelab.comparison.defect_lead import about_scores
from vaelab.comparison.judge import Judgement
from vaelab.comparison.learned import still_rises
from vaelab.comparison.seeds import by_seed, verdict_of, with_spread
from vaelab.metrics.records import OF_ITS_SIZE
from vaelab.metrics.tables import improves, metric
from vaelab.params.blocks import Train
from vaelab.params.experiment import added, flow
from vaelab.params.schema import Options, Params, Run, RunEntry

LONGER = 10  # times the epochs, in the command that trains the winner for longer


def next_step(judgement: Judgement, entries: Mapping[str, RunEntry]) -> tuple[str, str]:
    """Return what to do next in words, and its command, where it is one.

    Where none wins, a remedy. The winner is trained for longer where its curve on val rises still; else it is about its
    score, where defects are missed, or what its findings prescribe. Both are "" where nothing is known.
    """
    winner = judgement.winner
    if winner is None:
        return _prescribed(
            [finding for group in judgement.configurations for r in group.results for finding in r.broken]
        )
    if still_rises(winner.results[0], judgement.metric) is False:
        missed = about_scores(winner.results[0])
        return (missed, "") if missed else _prescribed((winner.results[0].diagnosis or {}).get("findings", ()))
    run = winner.results[0].run
    chosen = f"{winner.name} (its first seed, {run.name})" if len(winner.results) > 1 else winner.name
    entry = entries[run.name]
    if run.train.keep_state and run.train.decay == "none" and entry.train.start_from is None:
        command = going_on_command(run, run.train.epochs * LONGER, entry)
    else:
        command = longer_command(run.name, run.train.epochs * LONGER, run.preset, entry, run.train)
    return f"To train {chosen} {LONGER} times as long, beside the others:", command


def _prescribed(findings: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The first command that findings prescribe."""
    command = next((tried["command"] for finding in findings for tried in finding["prescriptions"]), "")
    return ("What to try first:" if command else ""), command


def best_of_its_size(result: Result, name: str) -> tuple[str, float] | None:
    """Return the best baseline with as many numbers as a run has latents, and what it reaches by a metric."""
    found = {method: result.baselines.get(method, {}).get(name) for method in OF_ITS_SIZE}
    reached = {method: value for method, value in found.items() if value is not None and value == value}
    best: str | None = None
    for method, value in reached.items():
        if best is None or improves(name, value, reached[best]):
            best = method
    return None if best is None else (best, reached[best])


def longer_command(name: str, epochs: int, preset: str | None, entry: RunEntry, train: Train | None = None) -> str:
    """Return the command that adds a run like this one with more epochs, and trains it.

    What would end it before, by the options `train` of the run, is cleared.
    """
    values = entry.given()
    ends: dict[str, int | None] = {"stop_when": None} if train and train.stop_when else {}
    ends |= {"patience": 0} if train and train.patience else {}
    own = values.get("train", {})
    if own is None and train:  # null, which nothing can be laid over: in its place all that it leaves
        own = {key: None if value == {} else value for key, value in train.model_dump(mode="json").items()}
    values["train"] = (own or {}) | {"epochs": epochs, "checkpoint_every": LONGER} | ends
    return added(f"{name}_x{LONGER}", preset, values)


def going_on_command(run: Run, epochs: int, entry: RunEntry) -> str:
    """Return the command that adds a run that goes on from this one, which kept its state, and trains it."""
    start = f"after_{run.name}"
    changed = entry.model_copy(update={"data": start})
    _, _, override = longer_command(run.name, epochs, run.preset, changed, run.train).partition(" -S ")
    made = f"++starts.{start}={flow({'data': run.data, 'run': run.name})}"
    return f"dvc exp run -S {shlex.quote(made)} -S {override} -S ++runs.{run.name}_x{LONGER}.train.go_on=true"


def entries_of(results: Sequence[Result], base: Options | None = None) -> dict[str, RunEntry]:
    """Return the line of params.yaml that would make each run again: what differs from the base values.

    Args:
        results: of runs that need not be in params.yaml any more.
        base: the base values, such as all of params.yaml.
    """
    values = (base or Options()).model_dump(mode="json", include=set(Options.model_fields))
    entries = {}
    for result in results:
        own = {name: getattr(result.run, name).model_dump(mode="json") for name in Options.model_fields}
        data, start = result.run.data, result.run.train.start_from
        for name, one in base.starts.items() if isinstance(base, Params) else ():
            if (one.data, one.run) == (result.run.data, start):
                data, own["train"]["start_from"] = name, None
        changes = {key: change for key, change in _difference(own, values).items() if key != "visualize"}
        entries[result.run.name] = RunEntry.model_validate({"data": data, "preset": None, **changes})
    return entries


def _difference(own: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {key: None for key in base if key not in own}
    for key, value in own.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            if inner := _difference(value, base[key]):
                changes[key] = inner
        elif key not in base or value != base[key]:
            changes[key] = value
    return changes


def places(judgement: Judgement) -> list[str]:
    """Return the ranking in words: each configuration with its mean, and the spread of its seeds."""
    groups, told = {group.name: group for group in judgement.configurations}, []
    for name, _ in judgement.ranking:
        values = list(by_seed(groups[name], judgement.metric, judgement.phase).values())
        told.append(f"{name} {with_spread(judgement.metric, values)}")
    return told


def caution(judgement: Judgement) -> str:
    """Return how far the difference between the best and the next can be trusted."""
    if all(len(group.results) == 1 for group in judgement.configurations):
        return "One seed each: a small difference may be chance." if len(judgement.configurations) > 1 else ""
    second = next(iter(judgement.against), None)
    return f"{judgement.recommended} against {second}: {verdict_of(judgement.against[second])}." if second else ""


def kept_starts(judgement: Judgement) -> list[str]:
    """Return a sentence on the runs whose training made the start no better."""
    results = (result for group in judgement.configurations for result in group.results)
    kept = [result.run.name for result in results if result.metrics["run"].get("best_epoch") == 0]
    return [f"No epoch is better on val than the start, which is kept: {and_more(kept)}."] if kept else []


def finds_more(judgement: Judgement) -> list[str]:
    """Return a sentence on how the recommendation relates to labelled defects, where runs were measured by such."""
    name = "defect_average_precision"
    results = [result for group in judgement.configurations for result in group.results if not result.broken]
    reached = {r.run.name: value for r in results if (value := r.final.get(name)) is not None}
    if judgement.winner is None or not reached or judgement.metric == name:
        return []
    best, own = max(reached, key=lambda run: reached[run]), judgement.winner.results[0].run.name
    text = f"It is chosen by {metric(judgement.metric).title} of normal examples; labels of test choose nothing here."
    here, there = (f"{reached.get(run, reached[best]):.3f}" for run in (own, best))
    return [text if here == there else f"{text} {best} finds more of them: average precision {there} against {here}."]
