"""Good, fair or poor: the measures of a split against limits, each beside the best baseline. Free of torch.

Limits alone mislead: a white page passes PSNR > 20 where pages are mostly white. So each number is also compared with
what the trivial methods reach, and `remarks` says where the two disagree: where a model does not get half of the way
from a method that knows nothing of the image to the best baseline. Healthy models get from .7 to 1.6 of it, broken ones
next to nothing. A method without a bottleneck (REFERENCES) is no baseline: copying its input is no feat.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from vaelab.errors import InputError
from vaelab.metrics.records import BASELINES, REFERENCES, SAME_FOR_ALL
from vaelab.metrics.tables import METRICS, better
from vaelab.params.blocks import Limits

Rating = Literal["good", "fair", "poor"]
Reached = Mapping[str, float | None]  # metrics of one method
ENOUGH = 0.5  # of the way to the best baseline
WORST_FIRST: tuple[Rating, ...] = ("poor", "fair", "good")


class Criterion(NamedTuple):
    """One metric, judged."""

    metric: str
    value: float
    rating: Rating  # by the limits alone
    good: float
    poor: float | None
    baseline: str | None  # the best one; None where none is measured
    baseline_value: float | None
    better_than_baseline: bool | None  # equal is not better
    way: float | None  # share of the way from the best of SAME_FOR_ALL to that baseline; None where it is one of them

    @property
    def is_trivial(self) -> bool:
        """Whether the value is next to what a trivial method reaches."""
        return self.better_than_baseline is False and (self.way is None or self.way < ENOUGH)


def verdict(
    metrics: Mapping[str, float | None], limits: Mapping[str, Limits], baselines: Mapping[str, Reached]
) -> list[Criterion]:
    """Return a criterion for each limit whose metric was measured; missing, null and NaN are left out.

    Args:
        metrics: of one split by name.
        limits: by metric. A metric that METRICS gives no preferred direction is taken to be
            better towards its good limit.
        baselines: metrics of the trivial methods, by their name.

    Raises:
        InputError: a limit is of an unknown metric, or good and poor are the wrong way round.
    """
    return [
        _criterion(name, value, limit, _higher_is_better(name, limit), _measured(name, baselines))
        for name, limit in limits.items()
        if (value := _number(metrics.get(name))) is not None
    ]


def overall(criteria: Sequence[Criterion]) -> Rating | None:
    """Return the worst rating; None where nothing was measured."""
    found = {criterion.rating for criterion in criteria}
    return next((rating for rating in WORST_FIRST if rating in found), None)


def remarks(criteria: Sequence[Criterion]) -> list[str]:
    """Return a sentence for each criterion that is near a trivial method, plainest where the limits call it good."""
    return [_remark(criterion) for criterion in criteria if criterion.is_trivial]


def _remark(c: Criterion) -> str:
    titles = {name: title for of_kind in BASELINES.values() for name, title in of_kind.items()}
    known = METRICS[c.metric]
    unit = f" {known.unit}" if known.unit else ""
    reached = f"{titles.get(c.baseline or '', c.baseline)} reaches {c.baseline_value:.4g}{unit}"
    rated = f"{known.title} {c.value:.4g}{unit} is {c.rating}"
    if c.rating == "good":
        return f"{rated} by its limit {c.good:.4g}, but means nothing here: {reached}"
    return f"{rated}, and no better than trivial: {reached}"


def _criterion(name: str, value: float, limit: Limits, higher: bool, baselines: Mapping[str, float]) -> Criterion:
    def at_least(one: float, other: float) -> bool:
        return one >= other if higher else one <= other

    poor = limit.poor is not None and at_least(limit.poor, value)
    rating: Rating = "good" if at_least(value, limit.good) else "poor" if poor else "fair"
    best = (max if higher else min)(baselines, key=lambda method: baselines[method], default=None)
    if best is None:
        return Criterion(name, value, rating, limit.good, limit.poor, None, None, None, None)
    reached, better_than = baselines[best], not at_least(baselines[best], value)
    way = way_to(best, value, baselines, higher)
    return Criterion(name, value, rating, limit.good, limit.poor, best, reached, better_than, way)


def way_to(method: str, value: float, reached: Mapping[str, float], higher: bool) -> float | None:
    """Return how much of the way from the best of SAME_FOR_ALL to a method a value gets; None where that is no way up.

    Args:
        method: a baseline.
        value: of the model.
        reached: what each baseline reaches.
        higher: whether a higher value is better.
    """
    ignorant = [other for name, other in reached.items() if name in SAME_FOR_ALL]
    if not ignorant:
        return None
    start = max(ignorant) if higher else min(ignorant)
    length = reached[method] - start
    return (value - start) / length if (length > 0) == higher and length else None


def _measured(name: str, baselines: Mapping[str, Reached]) -> dict[str, float]:
    values = {method: _number(reached.get(name)) for method, reached in baselines.items() if method not in REFERENCES}
    return {method: value for method, value in values.items() if value is not None}


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else value


def _higher_is_better(name: str, limit: Limits) -> bool:
    where = f"evaluate.verdict.{name}"
    if name not in METRICS:
        raise InputError(f"{where}: no such metric; known: {', '.join(METRICS)}")
    direction = better(name)
    if direction == "none":
        if limit.poor is None or limit.poor == limit.good:
            text = f"give a poor limit that differs from good; {name} has no preferred direction of its own"
            raise InputError(f"{where}: {text}")
        return limit.good > limit.poor
    if limit.poor is not None and limit.poor != limit.good and (limit.good > limit.poor) != (direction == "higher"):
        raise InputError(f"{where}: good {limit.good:g} and poor {limit.poor:g} are swapped; {direction} is better")
    return direction == "higher"
