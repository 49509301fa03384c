"""Signs of the values of the data, before any model: another light, another range. Values lie in [0, 1]."""

from collections.abc import Callable, Mapping
from itertools import combinations
from math import sqrt

from vaelab import artifacts
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Reading, Sign

TRAINED, HELD_OUT = "train", ("val", "test")
ENOUGH = 5  # examples of a group, below which its light is chance
STEP = 1 / 255  # in which values are stored
FEW = 3  # clusters of a group, below which those of another phase may differ by chance
CHANCE = 3.0  # factors of n examples are divided by 1 + (CHANCE / n)²: photographs then pass 1.4 by chance in < 1 %

KNOWN = {"mean", "std", "min", "max", "examples"}
Values = Mapping[str, float]  # mean, std, min, max, examples
Measure = Callable[[Values, Values], float]


def compared(case: Case, measure: Measure) -> dict[str, dict[str, float]]:
    """Return by phase and group what a measure says of its values there and in training."""
    statistics, found = _statistics(case), dict[str, dict[str, float]]()
    for phase in HELD_OUT:
        for group, values in statistics.get(phase, {}).items():
            train = statistics.get(TRAINED, {}).get(group)
            if train and min(values.get("examples", 0), train.get("examples", 0)) >= ENOUGH:
                found.setdefault(phase, {})[group] = measure(values, train)
    return found


def _statistics(case: Case) -> dict[str, dict[str, Values]]:
    """The statistics by phase and group, of groups of which all is known."""
    found: Mapping[str, Mapping[str, Values]] = case.data.get("statistics", {})
    return {phase: {name: of for name, of in groups.items() if set(of) >= KNOWN} for phase, groups in found.items()}


def group_offset(case: Case) -> Reading | None:
    """Return the largest difference of a group's mean value between training and another split."""
    return _of_groups(case, offset)


def split_offset(case: Case) -> Reading | None:
    """Return the difference of mean value from training that all groups of a split have, in the worst split."""
    return _of_splits(case, offset)


def group_offset_errors(case: Case) -> Reading | None:
    """Return the largest difference of a group's mean value from training in standard errors of both."""
    found, far = compared(case, offset), case.run.diagnose.group_offset
    places = [(phase, group) for phase, of in found.items() for group, value in of.items() if value > far]
    errors = {f"{phase}.{group}": _errors(case, phase, group) for phase, group in places}
    known = {place: value for place, value in errors.items() if value is not None}
    return _largest(case, known) if known or not found else Reading(0.0, f"{meta_of(case)}: statistics")


def split_offset_errors(case: Case) -> Reading | None:
    """Return how many standard errors all groups of the split with the largest common offset lie from training."""
    found = {phase: min(of.values()) for phase, of in compared(case, offset).items()}
    if not found:
        return None
    phase = max(found, key=lambda name: found[name])
    errors = [_errors(case, phase, group) for group in compared(case, offset)[phase]]
    known = [value for value in errors if value is not None]
    return Reading(min(known), f"{meta_of(case)}: statistics.{phase}") if len(known) == len(errors) else None


def _errors(case: Case, phase: str, group: str) -> float | None:
    """The offset of a group over its standard error: pictures of a page, a strip or a photo count as one.

    None where `mean_std` was not saved, or where there are too few pages, strips or photos to tell.
    """
    sides = [(_statistics(case)[name][group], case.clusters.get(name, {}).get(group, ())) for name in (TRAINED, phase)]
    if any("mean_std" not in values or len(clusters) < FEW for values, clusters in sides):
        return None
    variance = sum(values["mean_std"] ** 2 / len(clusters) for values, clusters in sides) + STEP**2 / 12
    return offset(sides[0][0], sides[1][0]) / sqrt(variance)


def group_brightness(case: Case) -> Reading | None:
    """Return by what factor the light of a group differs between training and another split, in the worst group."""
    return _of_groups(case, factor)


def split_brightness(case: Case) -> Reading | None:
    """Return by what factor the light of all groups differs between training and another split, in the worst split."""
    return _of_splits(case, factor)


def offset(one: Values, other: Values) -> float:
    """Return the difference of mean values."""
    return abs(one["mean"] - other["mean"])


def factor(one: Values, other: Values) -> float:
    """Return the factor between two kinds of pictures by which both mean and standard deviation differ; 1: neither.

    Other light multiplies both alike. Other things differ in one of them, or in both by little.
    """
    ratios = [one[key] / other[key] if other[key] > 0 else 1.0 for key in ("mean", "std")]
    least, largest = min(ratios), max(ratios)
    both = least if least > 1 else 1 / largest if 0 < largest < 1 else 1.0
    return both / (1 + (CHANCE / min(one["examples"], other["examples"])) ** 2)


def unlike_groups(case: Case) -> Reading | None:
    """Return by what factor the light of two groups of training differs, in the worst pair."""
    groups = _statistics(case).get(TRAINED, {})
    large = {name: values for name, values in groups.items() if values.get("examples", 0) >= ENOUGH}
    found = {f"{TRAINED}.{one} and {two}": factor(large[one], large[two]) for one, two in combinations(large, 2)}
    return _largest(case, found)


def _of_groups(case: Case, measure: Measure) -> Reading | None:
    found = compared(case, measure)
    return _largest(case, {f"{phase}.{group}": value for phase, of in found.items() for group, value in of.items()})


def _of_splits(case: Case, measure: Measure) -> Reading | None:
    return _largest(case, {phase: min(of.values()) for phase, of in compared(case, measure).items()})


def _largest(case: Case, found: Mapping[str, float]) -> Reading | None:
    """The largest of some numbers of the statistics, with its place."""
    if not found:
        return None
    place = max(found, key=lambda name: found[name])
    return Reading(found[place], f"{meta_of(case)}: statistics.{place}")


def range_used(case: Case) -> Reading | None:
    """Return the smallest share of [0, 1] between the least and the largest value of a split."""
    spans = {}
    for phase, groups in _statistics(case).items():
        values = [value for value in groups.values() if value.get("examples")]
        if values:
            spans[phase] = max(value["max"] for value in values) - min(value["min"] for value in values)
    if not spans:
        return None
    phase = min(spans, key=lambda name: spans[name])
    return Reading(spans[phase], f"{meta_of(case)}: statistics.{phase}")


def meta_of(case: Case) -> str:
    """Return where the report of preparation lies."""
    return f"{artifacts.prepared(case.run.data)}/meta.json"


GROUP_OFFSET = Sign("group_offset", "difference of a group's mean value between splits", "group_offset", "above",
                    group_offset)  # fmt: skip
SPLIT_OFFSET = Sign(
    "split_offset", "difference of mean value between a split and training", "split_offset", "above", split_offset
)
GROUP_OFFSET_ERRORS = Sign("group_offset_errors", "difference of a group's mean value between splits", 4, "above",
                           group_offset_errors, "standard errors")  # fmt: skip
MILD_OFFSET = Sign("split_offset_mild", "difference of mean value between a split and training", "group_offset",
                   "above", split_offset)  # fmt: skip
SPLIT_OFFSET_ERRORS = Sign("split_offset_errors", "the same in the nearest group", 3, "above", split_offset_errors,
                           "standard errors")  # fmt: skip
GROUP_LIGHT = Sign("group_brightness", "factor between the light of a group in training and in another split",
                   "brightness", "above", group_brightness)  # fmt: skip
SPLIT_LIGHT = Sign("split_brightness", "factor between the light of training and of another split", "brightness",
                   "above", split_brightness)  # fmt: skip
GROUPS_LIGHT = Sign("groups_brightness", "factor between the light of two groups of training", "groups_brightness",
                    "above", unlike_groups)  # fmt: skip
RANGE_USED = Sign("range_used", "share of the range that the values of a split fill", "range_used", "below", range_used)
