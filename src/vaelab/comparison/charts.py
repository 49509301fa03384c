"""The three numbers that tell a run's worth, beside the baselines: what a report opens with."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from vaelab.comparison.cells import cell
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import convention, scope
from vaelab.comparison.judge import Judgement
from vaelab.comparison.kinds import CHARTED, CHARTED_DEFECTS
from vaelab.comparison.parts import Bar, Chart, Charts, Kind
from vaelab.comparison.seeds import Configuration, by_seed, deviation
from vaelab.metrics.records import BASELINES, DEFECT_BASELINES
from vaelab.metrics.tables import METRICS, TABLES, better, metric

COUNT = 3
BROKEN = "†"  # behind the name of a run that a finding breaks


def charts(results: Sequence[Result], judgement: Judgement) -> Charts:
    """Return runs and baselines by the metric that ranks and the next most telling ones, the recommended run first."""
    return Charts([_chart(name, results, judgement) for name in charted(results, judgement.metric)])


def charted(results: Sequence[Result], ranked_by: str) -> list[str]:
    """Return the metrics of the charts: those of defects first, where such were measured."""
    kind = results[0].run.kind
    known = [*CHARTED.get(kind, ()), *(name for name in TABLES[kind].shown if better(name) in ("higher", "lower"))]
    listed = dict.fromkeys([*CHARTED_DEFECTS, ranked_by, *known])
    conventions = [convention(result.run, result.metrics) for result in results]
    alike = [name for name in listed if len({scope(name, text) for text in conventions}) == 1]
    return [name for name in alike if any(r.final.get(name) is not None for r in results)][:COUNT]


def spread(name: str, results: Sequence[Result]) -> float | None:
    """Return how far values of a metric are off by chance, where that is known; the least of the runs.

    Over seeds the standard deviation; of measures of defects a quarter of their 95 % interval; of the ELBO and its
    parts the standard error over examples.
    """
    found: list[float] = []
    for result in results:
        summary, measure = (result.threshold or {}).get("summary", {}), name.removeprefix("defect_")
        ends = [summary.get(f"{measure}_{end}") for end in ("low", "high")] if name.startswith("defect_") else []
        if ends and None not in ends:
            found.append((ends[1] - ends[0]) / 4)
        elif name in ("elbo", "negative_elbo", "negative_iw_elbo") and result.final.get("elbo_standard_error"):
            found.append(result.final["elbo_standard_error"])
    return min((value for value in found if value > 0), default=None)


def printed(name: str, value: float, results: Sequence[Result]) -> str:
    """Return a metric with as many digits as the values of these runs bear, and its unit."""
    text, unit = cell(name, value, [r.final.get(name) for r in results], spread(name, results)), metric(name).unit
    return f"{text} {unit}".strip()


def baseline_titles(result: Result) -> dict[str, str]:
    """Return the titles of what stands beside runs, by method, in the order of the records."""
    titles = {**BASELINES.get(result.run.kind, {}), **DEFECT_BASELINES}
    return {method: title for method, title in titles.items() if method in result.baselines}


def _chart(name: str, results: Sequence[Result], judgement: Judgement) -> Chart:
    way = better(name)
    bars = [*_runs(name, results, judgement), *_baselines(name, results, judgement)]
    ranked = [bar for bar in bars if not bar.label.endswith(BROKEN)]
    if len(ranked) > 1:
        best = (max if way == "higher" else min)(ranked, key=lambda bar: bar.value)
        told = len({bar.text for bar in ranked}) > 1
        bars = [bar._replace(best=told and bar in ranked and bar.text == best.text) for bar in bars]
    return Chart(f"{METRICS[name].full_title} on {results[0].phase}", f"{way} is better", bars)


def _runs(name: str, results: Sequence[Result], judgement: Judgement) -> Iterator[Bar]:
    order = {name: place for place, (name, _) in enumerate(judgement.ranking)}
    groups = sorted(judgement.configurations, key=lambda group: order.get(group.name, len(order)))
    for group in groups:
        values = list(by_seed(group, name).values())
        if values:
            text = cell(name, fmean(values), _all(name, results), _spread(name, group, results))
            broken = f" {BROKEN}" * any(result.broken for result in group.results)
            kind: Kind = "chosen" if group.name == judgement.recommended else "run"
            yield Bar(f"{group.name}{broken}", fmean(values), text, kind)


def _spread(name: str, group: Configuration, results: Sequence[Result]) -> float | None:
    values = list(by_seed(group, name).values())
    return deviation(values) if len(values) > 1 else spread(name, results)


def _baselines(name: str, results: Sequence[Result], judgement: Judgement) -> Iterator[Bar]:
    """Of the recommended run, since some are of its size; of the first one where none is."""
    winner = judgement.winner
    beside = winner.results[0] if winner else results[0]
    for method, title in baseline_titles(beside).items():
        value = beside.baselines[method].get(name)
        if value is not None and value == value:
            yield Bar(title, value, cell(name, value, _all(name, results), spread(name, results)), "baseline")


def _all(name: str, results: Sequence[Result]) -> list[float | None]:
    return [result.final.get(name) for result in results]
