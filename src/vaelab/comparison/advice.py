"""What to do next: the recommendation, and the command that trains the winner for longer."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.comparison.seeds import Configuration, by_seed, deviation, verdict_of, with_spread
from vaelab.comparison.verdict import ENOUGH, way_to
from vaelab.metrics.records import BASELINES
from vaelab.metrics.tables import TABLES, better, improves, metric
from vaelab.params.blocks import Train
from vaelab.params.experiment import added
from vaelab.params.schema import Options, RunEntry

OF_ITS_SIZE = ("pca", "patch_pca", "pca_ranks", "patch_pca_ranks")  # with as many numbers as the model has latents
LONGER = 10  # times the epochs, in the command that trains the winner for longer


def recommendation(judgement: Judgement, entries: Mapping[str, RunEntry]) -> tuple[list[str], str]:
    """Return who wins by which rule, and the command that trains the winner for longer; where none wins, a remedy.

    The command is "" where none is known.
    """
    winner = judgement.winner
    if winner is None:
        found = [finding for group in judgement.configurations for r in group.results for finding in r.broken]
        lines = ["Recommended: none. In every configuration a finding breaks a run.", f"Rule: {judgement.rule}."]
        command = next((tried["command"] for finding in found for tried in finding["prescriptions"]), "")
        return [*lines, *(["What to try first:"] if command else [])], command
    run, caution = winner.results[0].run, _caution(judgement)
    tied = any(found.within for found in judgement.against.values())
    chosen = f"{winner.name} (its first seed, {run.name})" if len(winner.results) > 1 else winner.name
    lines = [
        f"Recommended: {winner.name}{', but within the spread of the seeds: no winner' if tied else ''}",
        f"Rule: {judgement.rule}: {', '.join(_places(judgement))}. {caution}",
        *_below_pca(winner, judgement.metric),
        *_others_below_pca(judgement),
        *_kept_starts(judgement),
        f"To train {chosen} {LONGER} times as long, beside the others:",
    ]
    return lines, longer_command(run.name, run.train.epochs * LONGER, run.preset, entries[run.name], run.train)


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
    return added(f"{name}_long", preset, values)


def entries_of(results: Sequence[Result], base: Options | None = None) -> dict[str, RunEntry]:
    """Return the line of params.yaml that would make each run again: what differs from the base values.

    Args:
        results: of runs that need not be in params.yaml any more.
        base: the base values, such as all of params.yaml.
    """
    values = (base or Options()).model_dump(mode="json", include=set(Options.model_fields))
    entries = {}
    for result in results:
        own = result.run.model_dump(mode="json", include=set(Options.model_fields))
        changes = {key: change for key, change in _difference(own, values).items() if key != "visualize"}
        entries[result.run.name] = RunEntry.model_validate({"data": result.run.data, "preset": None, **changes})
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


def _places(judgement: Judgement) -> list[str]:
    """The ranking in words: each configuration with its mean, and the spread of its seeds."""
    groups, places = {group.name: group for group in judgement.configurations}, []
    for name, mean in judgement.ranking:
        values = list(by_seed(groups[name], judgement.metric, judgement.phase).values())
        places.append(f"{name} {with_spread(values, _plain(mean), _plain(deviation(values)))}")
    return places


def _plain(value: float) -> str:
    return f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.3g}"


def _caution(judgement: Judgement) -> str:
    """How far the difference between the best and the next can be trusted."""
    if all(len(group.results) == 1 for group in judgement.configurations):
        return "One seed each: a small difference may be chance."
    second = next(iter(judgement.against), None)
    return f"{judgement.recommended} against {second}: {verdict_of(judgement.against[second])}." if second else ""


def _below_pca(winner: Configuration, ranked_by: str) -> list[str]:
    """What the baseline of its size does better than the recommended configuration; a warning where it is far better.

    Far: by the metric that ranks, it does not get half of the way there from a method that knows nothing of x.
    """
    first, worse, far = winner.results[0], [], False
    for method in OF_ITS_SIZE:
        for name in TABLES[first.run.kind].shown[:4]:
            values = by_seed(winner, name)
            reached = {key: of[name] for key, of in first.baselines.items() if of.get(name) is not None}
            value = fmean(values.values()) if values else None
            if value is None or method not in reached or not improves(name, reached[method], value):
                continue
            title = BASELINES[first.run.kind][method]
            worse.append(f"{metric(name).full_title} {_plain(value)} ({title} {_plain(reached[method])})")
            way = way_to(method, value, reached, better(name) == "higher")
            far = far or (name == ranked_by and (way is None or way < ENOUGH))
    head = "Warning: PCA" if far else "PCA"
    return [f"{head} with as many numbers does better on {first.phase}: {'; '.join(worse)}."] if worse else []


def _kept_starts(judgement: Judgement) -> list[str]:
    """The runs whose training made the start no better."""
    results = (result for group in judgement.configurations for result in group.results)
    kept = [result.run.name for result in results if result.metrics["run"].get("best_epoch") == 0]
    return [f"No epoch is better on val than the start, which is kept: {', '.join(kept)}."] if kept else []


def _others_below_pca(judgement: Judgement) -> list[str]:
    """The configurations that are not recommended and that a baseline of their size beats, by the metric that ranks."""
    name, found = judgement.metric, []
    for group in judgement.configurations:
        first, values = group.results[0], by_seed(group, name)
        titles = BASELINES[first.run.kind]
        reached = {titles[key]: first.baselines.get(key, {}).get(name) for key in OF_ITS_SIZE if key in titles}
        above = {title: of for title, of in reached.items() if of is not None and values}
        above = {title: of for title, of in above.items() if improves(name, of, fmean(values.values()))}
        if above and group.name != judgement.recommended:
            best = next(title for title in above if not any(improves(name, of, above[title]) for of in above.values()))
            found.append(f"{group.name} {_plain(fmean(values.values()))} ({best} {_plain(above[best])})")
    phase = judgement.configurations[0].results[0].phase
    head = f"Below PCA with as many numbers on {phase}, {metric(name).full_title}"
    return [f"{head}: {'; '.join(found)}."] if found else []
