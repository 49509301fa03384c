"""What a reader sees first of the runs on a data set: which is recommended and why, and what a baseline does better."""

from collections.abc import Iterator, Sequence

from vaelab.comparison.advice import best_of_its_size, caution, finds_more, kept_starts, places
from vaelab.comparison.cells import and_more
from vaelab.comparison.charts import alike, charted, charts, close, printed
from vaelab.comparison.collect import Result
from vaelab.comparison.defect_lead import found_defects
from vaelab.comparison.health import health_of, worst_first
from vaelab.comparison.judge import Judgement, nothing_ranked
from vaelab.comparison.leading import left_out, ranked
from vaelab.comparison.learned import below_start
from vaelab.comparison.parts import Fold, Health, Lead, Part, Picture
from vaelab.comparison.seeds import Configuration, by_seed, mean
from vaelab.comparison.verdict import ENOUGH, way_to
from vaelab.metrics.records import BASELINES
from vaelab.metrics.tables import METRICS, better, improves

FIRST_RUNS = 12  # whose health is seen at once, the worst first
STRONGER = (
    "Healthy means that no fault was found, not that a run beats every baseline: diagnosis measures against PCA of "
    "whole examples where there is one, and PCA of patches does better than"
)


def opening(results: Sequence[Result], judgement: Judgement, picture: Picture | None) -> Iterator[Part]:
    """Yield the parts of the first screen.

    Args:
        results: of the runs on one data set.
        judgement: on them.
        picture: the same examples by each run, beside a baseline.
    """
    yield Lead(lead(judgement))
    every = health(results, judgement).lines
    yield Health(every[:FIRST_RUNS])
    if rest := every[FIRST_RUNS:]:
        yield Fold(f"{len(rest)} more runs", [Health(rest)])
    yield from reasons(results, judgement)
    yield charts(results, judgement)
    if picture:
        yield picture


def reasons(results: Sequence[Result], judgement: Judgement) -> list[str]:
    """Return by which rule a run is recommended, and what speaks against it."""
    told = (_why(judgement), " ".join(_beside(results, judgement)), left_out(results, judgement))
    return [text for text in told if text]


def lead(judgement: Judgement) -> str:
    """Return what is recommended, and the one reason for and against it; of defects how many are found."""
    winner = judgement.winner
    if winner is None:
        return f"Recommended: none. {nothing_ranked(judgement)}"
    tied = any(found.within for found in judgement.against.values())
    first = f"Recommended: {winner.name}{', but within the spread of the seeds: no winner' if tied else ''}"
    who = "It" if len(winner.results) == 1 else f"Its first seed, {winner.results[0].run.name},"
    if found := found_defects(winner.results[0], who):
        return f"{first}. {found}."
    return f"{first}. {_for(judgement)}{_equal(judgement)}; {_against(winner, judgement.metric)}."


def health(results: Sequence[Result], judgement: Judgement) -> Health:
    """Return how each run is, and where the others stand behind the recommended one; of many the worst come first."""
    winner = [result.run.name for result in judgement.winner.results] if judgement.winner else []
    lines = []
    order = sorted(results, key=worst_first) if len(results) > FIRST_RUNS else ranked(results, judgement)
    for result in order:
        state = None if result.diagnosis is None else not result.ill
        behind = "" if result.run.name in winner or result.broken else _behind(result, judgement)
        start = below_start(result, judgement.metric)
        lines.append((state, f"{health_of(result)}{behind}{f'. Its {start}' * bool(start)}"))
    return Health(lines)


def _behind(result: Result, judgement: Judgement) -> str:
    """What keeps a run from being recommended."""
    name, value = judgement.metric, result.metrics[judgement.phase].get(judgement.metric)
    if value is None or judgement.winner is None:
        return ""
    text = f"; {METRICS[name].title} {printed(name, value, [result])} on {judgement.phase}"
    found, reached = best_of_its_size(result, name), result.final.get(name)
    if found is None or reached is None or not improves(name, found[1], reached):
        return text
    if alike(name, [reached], found[1], [result]):
        return text
    here, there = (printed(name, number, [result]) for number in (reached, found[1]))
    title = BASELINES[result.run.kind][found[0]]
    return f"{text}; below {title} of its size: {here} against {there} on {result.phase}"


def _for(judgement: Judgement) -> str:
    name, results = judgement.metric, [r for group in judgement.configurations for r in group.results]
    if len(judgement.configurations) == 1:
        return "The only configuration on these data"
    value = printed(name, judgement.ranking[0][1], results)
    return f"The best of {len(judgement.configurations)} by {METRICS[name].title} on {judgement.phase} ({value})"


def _equal(judgement: Judgement) -> str:
    """The next one, where it is no worse as far as the digits, or what is due to chance, can tell."""
    if len(judgement.ranking) < 2:
        return ""
    name, results = judgement.metric, [r for group in judgement.configurations for r in group.results]
    (_, best), (second, value), *_ = judgement.ranking
    seeds = any(len(group.results) > 1 for group in judgement.configurations)  # which `caution` tests
    return "" if seeds or not alike(name, [best], value, results) else f"; {second} is equal to it"


def _against(winner: Configuration, name: str) -> str:
    """Whether the best baseline of its size is better by the metric that ranks, on the phase that is reported."""
    first, values = winner.results[0], by_seed(winner, name)
    found = best_of_its_size(first, name)
    if found is None or not values:
        return f"there is no baseline of its size to measure its {METRICS[name].title} against"
    (method, reached), value = found, mean(values.values())
    here, there = (printed(name, number, winner.results) for number in (value, reached))
    numbers, title = f"{there} against {here} on {first.phase}", BASELINES[first.run.kind][method]
    if alike(name, values.values(), reached, winner.results):
        within = close(name, value, reached, winner.results)
        return f"it is equal to the best baseline of its size, {title} ({here} on {first.phase}{within})"
    if improves(name, reached, value):
        return f"but {title} with as many numbers does better ({numbers})"
    return f"the best baseline of its size, {title}, does worse ({numbers})"


def _why(judgement: Judgement) -> str:
    """The ranking, and how far it can be trusted; nothing where there is no choice."""
    if len(judgement.configurations) == 1 and judgement.ranking:
        return ""
    ranking = f": {and_more(places(judgement))}. {caution(judgement)}" if judgement.ranking else "."
    return f"Rule: {judgement.rule}{ranking}".rstrip()


def _beside(results: Sequence[Result], judgement: Judgement) -> Iterator[str]:
    """By which of the charts' numbers a baseline of its size is better than the recommended run."""
    winner, ranked_by = judgement.winner, judgement.metric
    if winner is None:
        return
    worse, first, far = [], winner.results[0], False
    for name in dict.fromkeys((ranked_by, *charted(results, ranked_by))):
        found, values = best_of_its_size(first, name), by_seed(winner, name)
        if found and values and improves(name, found[1], mean(values.values())):
            if alike(name, values.values(), found[1], results):
                continue
            here, there = (printed(name, number, results) for number in (mean(values.values()), found[1]))
            far = far or (name == ranked_by and _is_far(first, name, mean(values.values()), *found))
            worse.append(f"{METRICS[name].title} {here} ({BASELINES[first.run.kind][found[0]]} {there})")
    if worse:
        yield f"{'Warning: ' * far}PCA with as many numbers does better on {first.phase}: {'; '.join(worse)}."
    if below := [r.run.name for r in results if not r.ill and _below_patches(r, ranked_by)]:
        yield f"{STRONGER} {and_more(below)}."
    yield from finds_more(judgement)
    yield from kept_starts(judgement)


def _is_far(result: Result, name: str, value: float, method: str, reached: float) -> bool:
    """Whether a run does not get half of the way from a method that knows nothing of x to a better baseline."""
    known = {key: of[name] for key, of in result.baselines.items() if of.get(name) is not None}
    way = way_to(method, value, {**known, method: reached}, better(name) == "higher")
    return way is None or way < ENOUGH


def _below_patches(result: Result, name: str) -> bool:
    found, value = best_of_its_size(result, name), result.final.get(name)
    if found is None or value is None or not found[0].startswith("patch"):
        return False
    return improves(name, found[1], value) and not alike(name, [value], found[1], [result])
