"""The first lines of a report: how many runs are ill, and the verdict on each data set in a few words."""

from collections.abc import Mapping, Sequence

from vaelab.comparison.advice import best_of_its_size
from vaelab.comparison.cells import and_more
from vaelab.comparison.charts import alike, close, printed
from vaelab.comparison.collect import Result
from vaelab.comparison.defect_lead import finds
from vaelab.comparison.health import uncapitalised
from vaelab.comparison.judge import Judgement
from vaelab.comparison.parts import Verdict, Verdicts
from vaelab.comparison.seeds import Configuration, by_seed, mean
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.metrics.records import BASELINES
from vaelab.metrics.tables import METRICS, improves

MOST_CAUSES = 3  # in the first line


def conclusion(results: Sequence[Result]) -> str:
    """Return how many runs are ill, and of what: the worst finding of each."""
    ill, broken = sum(result.ill for result in results), sum(bool(result.broken) for result in results)
    unknown = any(result.diagnosis is None for result in results)
    return f"{_counted(len(results), ill, broken, unknown)}{f': {_causes(results)}' * bool(ill)}."


def _causes(results: Sequence[Result]) -> str:
    """The runs that are ill, by their first finding in words."""
    found: dict[str, list[str]] = {}
    for result in results:
        if result.ill:
            found.setdefault((result.diagnosis or {})["findings"][0]["cause"], []).append(result.run.name)
    told = [f"{and_more(runs)} ({uncapitalised(CAUSES[cause].name)})" for cause, runs in found.items()]
    return and_more(told, MOST_CAUSES)


def headline(judgements: Mapping[str, Judgement]) -> Verdicts:
    """Return the verdict on each data set in a few words."""
    return Verdicts([Verdict(data, _verdict(judgement)) for data, judgement in judgements.items()])


def _verdict(judgement: Judgement) -> str:
    winner = judgement.winner
    if winner is None:
        return "none recommended"
    ill = " (ill, and not broken)" * any(result.ill for result in winner.results)
    found = finds(winner.results[0])
    return f"{winner.name}{ill} {found or _beside(winner, judgement.metric)}"


def _beside(winner: Configuration, name: str) -> str:
    """Whether the best baseline of its size is better, with both numbers."""
    first, values = winner.results[0], by_seed(winner, name)
    title = METRICS[name].title
    if not values:
        return "is recommended"
    own = printed(name, mean(values.values()), winner.results)
    if (found := best_of_its_size(first, name)) is None:
        return f"reaches {title} {own}"
    there, baseline = printed(name, found[1], winner.results), BASELINES[first.run.kind][found[0]]
    if alike(name, values.values(), found[1], winner.results):
        within = close(name, mean(values.values()), found[1], winner.results)
        return f"is equal to {baseline}: {title} {own}{within}"
    verb = "is below" if improves(name, found[1], mean(values.values())) else "beats"
    return f"{verb} {baseline}: {title} {own} against {there}"


def _counted(runs: int, ill: int, broken: int, unknown: bool) -> str:
    """How many runs are ill, and how many of these are broken; unknown: of some there is no diagnosis."""
    state = "broken" if broken == ill else "ill"
    if not ill or runs == 1:
        return f"The run is {state}" if ill else f"No run is {'known to be ' * unknown}ill"
    more = "" if broken in (0, ill) else f", and {broken} of these broken"
    return f"{ill} of {runs} runs {'is' if ill == 1 else 'are'} {state}{more}"
