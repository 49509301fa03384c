"""Runs that differ in the seed alone: one configuration, its spread, and what differs beyond it."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from statistics import fmean, stdev
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from vaelab.comparison.cells import cell
from vaelab.comparison.collect import Result
from vaelab.metrics.tables import column

ALPHA = 0.05  # p below it: the difference is beyond the spread of the seeds


class Configuration(NamedTuple):
    """Runs that are equal but for their seed and their name."""

    name: str
    results: tuple[Result, ...]  # no seed twice


class Versus(NamedTuple):
    """Two configurations compared on one metric."""

    difference: float  # of the means, first − second; over the seeds that both have, where they have two or more
    pairs: int  # seeds that both have
    p: float | None  # two-sided; None where nothing can be tested
    test: Literal["paired t-test", "Welch's t-test", "none"]

    @property
    def within(self) -> bool | None:
        """Whether the difference is within the spread of the seeds; None where nothing can be tested."""
        return None if self.p is None else self.p >= ALPHA


def by_data(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return the results of each data set: runs on different data are never ranked against each other."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.run.data, []).append(result)
    return groups


def configurations(results: Sequence[Result]) -> list[Configuration]:
    """Return the runs grouped by what they are: equal data and options but for train.seed, whatever their names.

    A run that repeats a configuration and its seed is no further seed of it: it stands alone, under its own name.
    """
    groups: list[dict[int, Result]] = []
    alike: dict[str, list[dict[int, Result]]] = {}
    for result in results:
        known, seed = alike.setdefault(_content(result), []), result.run.train.seed
        group = next((group for group in known if seed not in group), None)
        if group is None:
            group = {}
            known.append(group)
            groups.append(group)
        group[seed] = result
    members = [tuple(group.values()) for group in groups]
    names = [_display_name([result.run.name for result in group]) for group in members]
    taken = {name for name, count in Counter(names).items() if count > 1} | {
        name for name, group in zip(names, members, strict=True) if len(group) > 1 and _is_another(name, group, results)
    }
    return [
        Configuration(group[0].run.name if name in taken else name, group)
        for name, group in zip(names, members, strict=True)
    ]


def by_seed(configuration: Configuration, metric: str, phase: str | None = None) -> dict[int, float]:
    """Return the values of a metric by seed, without the missing ones; phase None: the one that is reported."""
    found = {r.run.train.seed: r.flat[phase or r.phase].get(metric) for r in configuration.results}
    return {seed: value for seed, value in found.items() if value is not None and value == value}


def mean(values: Iterable[float]) -> float:
    """Return the mean; of values that are not all finite what is left of it: inf, or NaN."""
    listed = list(values)
    return fmean(listed) if all(map(isfinite, listed)) else sum(listed) / len(listed)


def versus(first: Mapping[int, float], second: Mapping[int, float]) -> Versus:
    """Return the comparison of two sets of values by seed.

    Paired t-test over the seeds that both have, from two pairs on: the seed decides initial weights and the order of
    the batches, which both then share. Without pairs Welch's t-test, if each side has two seeds. p is not corrected for
    the number of comparisons: to call one configuration the best, every one of its comparisons must hold, not any.
    """
    shared = sorted(first.keys() & second.keys())
    if not all(map(isfinite, [*first.values(), *second.values()])):
        return Versus(mean(first.values()) - mean(second.values()), len(shared), None, "none")
    if len(shared) > 1:
        a, b = [first[seed] for seed in shared], [second[seed] for seed in shared]
        return Versus(fmean(a) - fmean(b), len(shared), _paired(a, b), "paired t-test")
    a, b = list(first.values()), list(second.values())
    difference = fmean(a) - fmean(b)
    if len(a) < 2 or len(b) < 2:
        return Versus(difference, len(shared), None, "none")
    return Versus(difference, len(shared), _welch(a, b), "Welch's t-test")


def verdict_of(found: Versus) -> str:
    """Return in plain words what a comparison shows."""
    if not isfinite(found.difference):
        return "not tested: a value is not finite"
    if found.p is None:
        return "one seed: not tested, a small difference may be chance"
    how = f"{found.test} over {found.pairs} shared seeds" if found.test == "paired t-test" else found.test
    text = f"{how}, p = {found.p:.2g}" + (" (2 pairs can hardly show anything)" if found.pairs == 2 else "")
    if found.within:
        return f"within the spread of the seeds: no winner; {text}"
    return f"beyond the spread of the seeds; {text}"


def brief(found: Versus) -> str:
    """Return the same in a few words, for a table."""
    if not isfinite(found.difference):
        return "not tested (a value is not finite)"
    if found.p is None:
        return "not tested (one seed)"
    how = f"paired t-test, {found.pairs} seeds" if found.test == "paired t-test" else found.test
    return f"{'within' if found.within else 'beyond'} the spread of the seeds ({how}, p = {found.p:.2g})"


def with_spread(name: str, values: Sequence[float]) -> str:
    """Return the mean of a metric, with the unbiased standard deviation over its seeds where there are several.

    Both have two digits of the deviation: more is chance.
    """
    middle, spread = mean(values), deviation(values)
    if len(values) == 1:
        return cell(name, middle)
    return f"{cell(name, middle, spread=spread)} ± {cell(name, spread, [middle], spread)} ({len(values)} seeds)"


def deviation(values: Sequence[float]) -> float:
    """Return the unbiased standard deviation; NaN of a single value, and where one is not finite."""
    return stdev(values) if len(values) > 1 and all(map(isfinite, values)) else float("nan")


def seed_table(results: Sequence[Result]) -> pd.DataFrame:
    """Return one row per run and metric of the phase that is reported, with the metric's value.

    Columns: configuration, run, data, seed, phase, metric, value. Metrics are named as in comparison.csv; what was not
    measured has no row.
    """
    rows = [
        (group.name, result.run.name, result.run.data, result.run.train.seed, result.phase, column(name), float(value))
        for group in configurations(results)
        for result in group.results
        for name, value in result.final.items()
        if isinstance(value, int | float) and value == value
    ]
    return pd.DataFrame(rows, columns=["configuration", "run", "data", "seed", "phase", "metric", "value"])


def _content(result: Result) -> str:
    values = result.run.model_dump(mode="json", exclude={"name", "preset"})
    del values["train"]["seed"]
    return json.dumps(values, sort_keys=True)


def _display_name(names: Sequence[str]) -> str:
    """What the names begin with, without a part that says seed; the first name where they share nothing."""
    if len(names) == 1:
        return names[0]
    return re.sub(r"_(seed|s)?_?\d*$", "", _shared(names)) or names[0]


def _shared(names: Sequence[str]) -> str:
    """What all names begin with: what the first and the last of them in order share."""
    first, last = min(names), max(names)
    return first[: next((place for place, letter in enumerate(first) if last[place : place + 1] != letter), len(first))]


def _is_another(name: str, group: Sequence[Result], results: Sequence[Result]) -> bool:
    """Whether a name is that of a run outside of the group."""
    own = {result.run.name for result in group}
    return name not in own and any(result.run.name == name for result in results)


def _paired(a: Sequence[float], b: Sequence[float]) -> float:
    gaps, nothing = np.subtract(a, b), 1e-12 * np.abs([*a, *b]).max()
    if np.ptp(gaps) <= nothing:  # no spread at all: the statistic is 0 / 0 or infinite
        return float(np.abs(gaps).max() <= nothing)
    from scipy.stats import ttest_rel  # a second, which a comparison without repeated seeds need not wait for

    with np.errstate(over="ignore"):  # of squares of losses that have gone out of bounds
        return float(ttest_rel(a, b).pvalue)


def _welch(a: Sequence[float], b: Sequence[float]) -> float:
    nothing = 1e-12 * np.abs([*a, *b]).max()
    if max(np.ptp(a), np.ptp(b)) <= nothing:
        return float(abs(fmean(a) - fmean(b)) <= nothing)
    from scipy.stats import ttest_ind

    with np.errstate(over="ignore"):
        return float(ttest_ind(a, b, equal_var=False).pvalue)
