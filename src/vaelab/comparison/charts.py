"""The three numbers that tell a run's worth, beside the baselines: what a report opens with."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from vaelab.comparison.cells import cell, places
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import convention, scope
from vaelab.comparison.judge import Judgement
from vaelab.comparison.kinds import CHARTED, CHARTED_DEFECTS
from vaelab.comparison.parts import Bar, Chart, Charts, Kind
from vaelab.comparison.seeds import by_seed, deviation, mean
from vaelab.metrics.records import BASELINES, DEFECT_BASELINES
from vaelab.metrics.tables import METRICS, TABLES, better, metric

COUNT = 3
ROUNDING = 1e-9  # by which a difference of one digit may fall short of it
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


def apart(name: str, values: Iterable[float | None], by_chance: float | None = None) -> float:
    """Return the least difference of values in a row that says something: what their digits show, and more than chance.

    Args:
        name: of the metric.
        values: of the row.
        by_chance: how far they are off by chance: see `spread`; None where that is not known.
    """
    listed = [value for value in values if value is not None]
    return max(10.0 ** -places(listed, by_chance), by_chance or 0.0) * (1 - ROUNDING)


def alike(name: str, values: Collection[float], other: float, results: Sequence[Result]) -> bool:
    """Return whether the mean of a configuration's values is equal to another one of these runs, as far as can be said.

    Over several seeds what is due to chance is the standard error of their mean.
    """
    middle, error = mean(values), spread(name, results)
    if len(values) > 1:
        error = deviation(list(values)) / len(values) ** 0.5
    return middle == other or abs(middle - other) < apart(name, _all(name, results), error)


def close(name: str, one: float, other: float, results: Sequence[Result]) -> str:
    """Return how far two equal values are apart, as a part of a sentence; nothing where they are printed alike."""
    if printed(name, one, results) == printed(name, other, results):
        return ""
    return f", within {abs(one - other):.1g} {metric(name).unit}".rstrip()


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
        least = apart(name, _all(name, results), spread(name, results))
        near = [bar for bar in ranked if bar.value == best.value or abs(bar.value - best.value) < least]
        bars = [bar._replace(best=len(near) < len(ranked) and bar in near) for bar in bars]
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
