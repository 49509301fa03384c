"""Which configuration is recommended, by which rule."""

from collections.abc import Sequence
from typing import NamedTuple

from vaelab.comparison.cells import and_more
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import LIKELIHOOD, OF, VALUES, likelihood
from vaelab.comparison.seeds import Configuration, Versus, by_data, by_seed, configurations, mean, versus
from vaelab.errors import InputError
from vaelab.metrics.tables import METRICS, improves, ranking_metric
from vaelab.params.schema import Compare


class Judgement(NamedTuple):
    """What is said of the runs on one data set."""

    metric: str  # that ranks them
    phase: str  # whose values rank them
    configurations: list[Configuration]
    recommended: str | None  # a configuration
    rule: str
    ranking: list[tuple[str, float]]  # configurations that nothing breaks, best first: mean over seeds of the metric
    against: dict[str, Versus]  # the best against each other one of the ranking

    @property
    def winner(self) -> Configuration | None:
        """The recommended configuration."""
        return next((group for group in self.configurations if group.name == self.recommended), None)


def judge(results: Sequence[Result], options: Compare) -> Judgement:
    """Return the judgement on runs of one data set.

    A configuration of which a finding breaks one run is not ranked: the mean over the seeds that happened to train
    would flatter it.

    Raises:
        InputError: the data set has no split of the phase that ranks, or only some of the runs have a test split.
    """
    if len({result.phase for result in results}) > 1:
        val = ", ".join(result.run.name for result in results if result.phase == "val")
        raise InputError(f"data set {results[0].run.data!r}: {val} has no test split, others have; compare them apart")
    if any(options.phase not in result.metrics for result in results):
        raise InputError(f"compare.phase: is {options.phase}, and data set {results[0].run.data!r} has no such split")
    metric = ranking_metric(options.metric, results[0].run.kind)
    groups = configurations(results)
    ranking: list[tuple[str, float]] = []
    values = {}
    comparable, aside = _comparable(metric, groups)
    for group in comparable:
        found = by_seed(group, metric, options.phase)
        if found and not any(result.broken for result in group.results):
            values[group.name] = found
            reached = mean(found.values())
            place = sum(not improves(metric, reached, other) for _, other in ranking)
            ranking.insert(place, (group.name, reached))
    best_name = ranking[0][0] if ranking else None
    against = {name: versus(values[ranking[0][0]], values[name]) for name, _ in ranking[1:]}
    return Judgement(
        metric, options.phase, groups, best_name, _rule(metric, options.phase, groups) + aside, ranking, against,
    )  # fmt: skip


def judge_all(results: Sequence[Result], options: Compare) -> dict[str, Judgement]:
    """Return the judgement on the runs of each data set."""
    return {data: judge(group, options) for data, group in by_data(results).items()}


def nothing_ranked(judgement: Judgement) -> str:
    """Return why nothing is recommended: which configurations a finding breaks, and which lack the number."""
    groups, where = judgement.configurations, f"{METRICS[judgement.metric].title} on {judgement.phase}"
    broken = [group.name for group in groups if any(result.broken for result in group.results)]
    if len(broken) == len(groups):
        return "In every configuration a finding breaks a run."
    without = [group.name for group in groups if group.name not in broken]
    reason = f"Nothing can be ranked: {_named(without)} no {where} that is a number"
    return f"{reason}, and a finding breaks {and_more(broken)}." if broken else f"{reason}."


def _named(names: Sequence[str]) -> str:
    return f"{and_more(names)} {'has' if len(names) == 1 else 'have'}"


def best(judgement: Judgement) -> dict[str, str | float]:
    """Return what is recommended and the metric that ranks it: what `dvc exp show` lists per experiment."""
    return (
        {"best": judgement.ranking[0][0], "score": judgement.ranking[0][1]} if judgement.ranking else {"best": "none"}
    )


def _comparable(metric: str, groups: Sequence[Configuration]) -> tuple[list[Configuration], str]:
    """The configurations that one metric can rank: those of pixels where there are such; and what is said of others."""
    if metric not in (*LIKELIHOOD, *VALUES):
        return list(groups), ""
    scopes = [likelihood(group.results[0].run).partition(OF)[2] for group in groups]
    chosen = "" if "" in scopes else scopes[0]
    aside = [group.name for group, text in zip(groups, scopes, strict=True) if text != chosen]
    said = f"; {', '.join(aside)} not ranked: {METRICS[metric].title} is of features there" if aside else ""
    return [group for group, text in zip(groups, scopes, strict=True) if text == chosen], said


def _rule(metric: str, phase: str, groups: Sequence[Configuration]) -> str:
    best_of = f"the best {METRICS[metric].full_title} on {phase} (compare.metric, compare.phase)"
    if any(len(group.results) > 1 for group in groups):
        return f"{best_of}, mean over seeds, among the configurations of which no finding breaks a run"
    return f"{best_of} among the runs that no finding breaks"
