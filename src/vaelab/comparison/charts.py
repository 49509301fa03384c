"""The three numbers that tell a run's worth, beside the baselines: what a report opens with."""

from collections.abc import Iterator, Sequence

from vaelab.comparison.cells import cell
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import convention, scope
from vaelab.comparison.judge import Judgement
from vaelab.comparison.kinds import CHARTED, CHARTED_DEFECTS
from vaelab.comparison.parts import Bar, Chart, Charts, Kind
from vaelab.comparison.seeds import by_seed, deviation, mean
from vaelab.metrics.records import BASELINES, DEFECT_BASELINES
from vaelab.metrics.tables import METRICS, TABLES, better, metric

COUNT = 3
MOST = 10  # bars of runs in a chart, the best ones
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
    runs = list(_runs(name, results, judgement))
    bars = [*_first(runs, way), *_baselines(name, results, judgement)]
    ranked = [bar for bar in bars if not bar.label.endswith(BROKEN) and bar.value == bar.value]
    if len(ranked) > 1:
        best = (max if way == "higher" else min)(ranked, key=lambda bar: bar.value)
        told = len({bar.text for bar in ranked}) > 1
        bars = [bar._replace(best=told and bar in ranked and bar.text == best.text) for bar in bars]
    note = f"{way} is better" + (f"; {MOST} of {len(runs)} runs" if len(runs) > MOST else "")
    return Chart(f"{METRICS[name].full_title} on {results[0].phase}", note, bars)


def _first(runs: Sequence[Bar], way: str) -> list[Bar]:
    """The recommended run and the best others, in their order."""
    if len(runs) <= MOST:
        return list(runs)
    signs = {"higher": -1, "lower": 1}
    order = sorted(runs, key=lambda bar: (bar.kind != "chosen", bar.label.endswith(BROKEN), signs[way] * bar.value))
    return [bar for bar in runs if bar in order[:MOST]]


def _runs(name: str, results: Sequence[Result], judgement: Judgement) -> Iterator[Bar]:
    order = {name: place for place, (name, _) in enumerate(judgement.ranking)}
    groups = sorted(judgement.configurations, key=lambda group: order.get(group.name, len(order)))
    among, by_chance = _all(name, results), spread(name, results)
    for group in groups:
        values = list(by_seed(group, name).values())
        if values:
            apart = deviation(values) if len(values) > 1 else by_chance
            text = cell(name, mean(values), among, apart)
            broken = f" {BROKEN}" * any(result.broken for result in group.results)
            kind: Kind = "chosen" if group.name == judgement.recommended else "run"
            yield Bar(f"{group.name}{broken}", mean(values), text, kind)


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
