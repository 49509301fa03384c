"""Which of a run's own saved scores and aggregations finds defects better than those in use, by more than chance."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vaelab.anomaly.preprocessing import COMBINED
from vaelab.anomaly.select import LEAST_DEFECTS
from vaelab.comparison.collect import Result
from vaelab.comparison.paired import VALIDATION_PHASES, labelled_patches, paired_differences

PRECISION = "average_precision"


class Choice(NamedTuple):
    """Another score or aggregation of the same maps."""

    said: str
    changes: Mapping[str, Any]  # of options, by path
    gain: float  # of average precision
    low: float  # ends of its 95 % interval, paired by strip
    high: float
    on_val: bool  # chosen by labelled defects of val; else by test, which no choice may rest on


def better_choice(result: Result) -> Choice | None:
    """Return the choice of the largest gain, where its interval is above 0; by labelled val where there is such."""
    summary = (result.threshold or {}).get("summary", {})
    on_val = "by_aggregation_val" in summary and labelled_patches(result.run.name, VALIDATION_PHASES) >= LEAST_DEFECTS
    reached = summary.get("by_aggregation_val" if on_val else "by_aggregation", {})
    if COMBINED not in reached:
        return None
    found = (*_aggregations(result, reached, on_val), *_scores(result, reached, on_val))
    best = max(found, key=lambda choice: choice.gain, default=None)
    return best if best is not None and best.low > 0 else None


def _aggregations(result: Result, reached: Mapping[str, Any], on_val: bool) -> Iterator[Choice]:
    used, of = result.run.threshold.aggregation, reached[COMBINED]
    for how, numbers in of.items():
        if how != used and f"{PRECISION}_gain_low" in numbers:
            gain = numbers[PRECISION] - of[used][PRECISION]
            low, high = (numbers[f"{PRECISION}_gain_{end}"] for end in ("low", "high"))
            yield Choice(f"aggregation {how}", {"threshold.aggregation": how}, gain, low, high, on_val)


def _scores(result: Result, reached: Mapping[str, Any], on_val: bool) -> Iterator[Choice]:
    """The best of the saved scores under the aggregation in use."""
    settings, name = result.run.threshold, result.run.name
    used = settings.aggregation
    others = {score: of[used][PRECISION] for score, of in reached.items() if (score,) != settings.scores}
    gains = {score: value - reached[COMBINED][used][PRECISION] for score, value in others.items() if score != COMBINED}
    best = max(gains, key=lambda score: gains[score], default=None)
    if best is None or gains[best] <= 0:
        return
    phases = {"phases": VALIDATION_PHASES} if on_val else {}
    rows = paired_differences(name, name, settings.bootstrap, settings.seed, best, COMBINED, **phases)
    row = next(row for row in rows if row["measure"] == PRECISION)
    changes = {"threshold.scores": [best], **({"threshold.weights": []} if settings.weights else {})}
    yield Choice(f"score {best}", changes, row["difference"], row["low"], row["high"], on_val)
