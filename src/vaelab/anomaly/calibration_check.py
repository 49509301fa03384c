"""Whether normals of test score as those of val do, which the threshold is fitted to.

Both samples have an error, and patches of a strip are alike: n of them are worth fewer, n / design effect.
"""

import math
from typing import Any, Literal

import numpy as np
from scipy import special

from vaelab.anomaly.bootstrap import INTERVAL

DRAWS = 20_000
Sample = tuple[np.ndarray, np.ndarray]  # scores of patches, and their strips
LEVEL = INTERVAL[1] / 100
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
HIGHEST = (0.05, 0.1, 0.2)  # of the strips of val and test


def calibration_check(val: Sample, test: Sample, threshold: float, nominal: float, seed: int) -> dict[str, Any]:
    """Return `fpr_interval`, `calibration_ks_p`, `val_above_p`, NaN where a sample is one strip, and `test_higher`.

    Args:
        val: calibrated scores of the normals and their strips.
        test: the same.
        threshold: what scores more is flagged.
        nominal: share of normals that is to be flagged.
        seed: of the draws.
    """
    flagged = [(scores > threshold).astype(float) for scores, _ in (val, test)]
    sizes = [worth(values, strip) for values, (_, strip) in zip(flagged, (val, test), strict=True)]
    ends = fpr_interval(sizes[0], sizes[1], float(flagged[1].mean()), nominal, seed)
    alike = {"calibration_ks_p": ks_p(val, test), "val_above_p": above_p(val, test)}
    return {"fpr_interval": list(ends), **alike, "test_higher": test_higher(val, test)}


def design_effect(values: np.ndarray, strip: np.ndarray) -> float:
    """Return how much larger the variance of a mean is than that of as many independent values; 1 at least.

    NaN for a single strip. Source: Kish 1965; the variance over strips is that of a ratio, Cochran 1977, section 11.8.
    """
    strips, place = np.unique(strip, return_inverse=True)
    if len(strips) < 2:
        return math.nan
    left = values - values.mean()
    alone = float((left**2).sum())
    between = float((np.bincount(place, left) ** 2).sum()) * len(strips) / (len(strips) - 1)
    return max(1.0, between / alone) if alone else 1.0


def worth(values: np.ndarray, strip: np.ndarray) -> float:
    """Return as how many independent values these count, fewer still for few strips. Source: Korn & Graubard 1998."""
    if len(np.unique(strip)) < 2:
        return math.nan
    wide = special.stdtrit(len(values) - 1, LEVEL) / special.stdtrit(len(np.unique(strip)) - 1, LEVEL)
    return float(len(values) / design_effect(values, strip) * wide**2)


def fpr_interval(val: float, test: float, rate: float, nominal: float, seed: int) -> tuple[float, float]:
    """Return a 95 % interval for the false-positive rate at the percentile that val has in the population.

    It is p′ with logit p′ = logit p − logit u + logit nominal: p the rate of test at the threshold, u that of val, each
    as sure as its sample (beta distributions, Jeffreys prior). A nominal rate outside is a shift from val to test.

    Args:
        val: worth of the normals of val.
        test: worth of those of test.
        rate: flagged share of those of test.
        nominal: share that is to be flagged.
        seed: of the draws.
    """
    if not (math.isfinite(val + test + rate) and 0 < nominal < 1):
        return math.nan, math.nan
    random = np.random.default_rng(seed)
    drawn = [
        np.clip(random.beta(share * size + 0.5, (1 - share) * size + 0.5, DRAWS), 1e-12, 1 - 1e-12)
        for share, size in ((rate, test), (nominal, val))
    ]
    moved = special.expit(special.logit(drawn[0]) - special.logit(drawn[1]) + special.logit(nominal))
    low, high = np.percentile(moved, INTERVAL)
    return float(low), float(high)


def ks_p(val: Sample, test: Sample) -> float:
    """Return the p-value of the two-sample Kolmogorov-Smirnov test, asymptotic, with what the samples are worth.

    The design effect is that of the ranks among both.
    """
    both = np.sort(np.concatenate([val[0], test[0]]))
    reached = [np.searchsorted(np.sort(scores), both, "right") / max(1, len(scores)) for scores, _ in (val, test)]
    sizes = [len(scores) / design_effect(np.searchsorted(both, scores) + 0.0, strip) for scores, strip in (val, test)]
    if not all(map(math.isfinite, sizes)):
        return math.nan
    root = math.sqrt(sizes[0] * sizes[1] / sum(sizes))
    farthest = float(np.abs(reached[0] - reached[1]).max())
    return float(special.kolmogorov((root + 0.12 + 0.11 / root) * farthest))  # Stephens 1970


def test_higher(val: Sample, test: Sample) -> float:
    """Return how often a normal of test scores higher than one of val, of all pairs; equal ones count half.

    Source: Mann & Whitney 1947, U over the number of pairs.
    """
    known = np.sort(val[0])
    below, upto = (np.searchsorted(known, test[0], side).mean() if len(test[0]) else math.nan for side in SIDES)
    return float((below + upto) / (2 * len(known))) if len(known) else math.nan


def above_p(val: Sample, test: Sample) -> float:
    """Return how likely val would have so many of the highest strips of both, if all were alike.

    Small where val holds defects: they are few, and high. The least p of the highest 5, 10 and 20 %, times three; each
    is exact (hypergeometric). A strip counts as its largest score; NaN where a sample is a single strip.
    """
    from scipy import stats  # .3 CPU s to import

    tops = [_largest(scores, strip) for scores, strip in (val, test)]
    if min(map(len, tops)) < 2:
        return math.nan
    both = np.concatenate(tops)
    of_val = np.argsort(-both, kind="stable") < len(tops[0])
    counts = {max(1, round(share * len(both))) for share in HIGHEST}
    found = [stats.hypergeom.sf(of_val[:count].sum() - 1, len(both), len(tops[0]), count) for count in counts]
    return min(1.0, len(HIGHEST) * float(min(found)))


def _largest(scores: np.ndarray, strip: np.ndarray) -> np.ndarray:
    """The largest score of each strip."""
    strips, place = np.unique(strip, return_inverse=True)
    largest = np.full(len(strips), -np.inf)
    np.maximum.at(largest, place, scores)
    return largest
