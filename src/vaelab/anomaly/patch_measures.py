"""Measures of patches, exact, for many resamplings of their strips at once. Definitions: docs/metrics/defects.md.

N patches, S strips, B resamplings, U different scores of patches with a defect. Curves over falling thresholds bend
only at those U scores, so that it is enough to count at and above each of them. What is undefined is NaN.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

AT_THRESHOLD = ("precision", "recall", "f1", "fpr_normal", "fpr_clean")
RANKING = ("roc_auc", "average_precision", "f1_max")
PATCH_MEASURES = (*AT_THRESHOLD, *RANKING)


class Patches(NamedTuple):
    """The patches that are measured: normals of test, and what was cut from defective strips. All [N]."""

    label: np.ndarray  # bool: has a defect
    normal: np.ndarray  # bool: from a normal strip
    strip: np.ndarray
    group: np.ndarray
    defect: np.ndarray

    def only(self, chosen: np.ndarray) -> "Patches":
        """Return the chosen patches."""
        return Patches(*(array[chosen] for array in self))


class Draws(NamedTuple):
    """Which strips count how often."""

    times: np.ndarray  # float [S, B]
    place: np.ndarray  # int [N]: the row of each patch's strip


def unweighted(count: int) -> Draws:
    """Return the draws for a plain measure: all patches, once."""
    return Draws(np.ones((1, 1)), np.zeros(count, np.int64))


class CurveCounts(NamedTuple):
    """How many patches there are at falling scores of patches with a defect."""

    gain: np.ndarray  # with a defect, of just this score [U, B]
    at_least: np.ndarray  # without a defect, of this score or more [U, B]
    above: np.ndarray  # without a defect, of more than this score [U, B]
    free: np.ndarray  # without a defect [B]


def count(label: np.ndarray, scores: np.ndarray, draws: Draws) -> CurveCounts:
    """Return the counts of scores [N] of patches with and without a defect, bool [N]."""
    levels, level = np.unique(-scores[label], return_inverse=True)
    above, at = (np.searchsorted(levels, -scores[~label], side) for side in ("left", "right"))
    bins = above + at  # 2k: between scores k − 1 and k; 2k + 1: of score k
    gain = _sum(level.reshape(-1), draws.place[label], len(levels), draws)
    passed = _sum(bins, draws.place[~label], 2 * len(levels) + 1, draws).cumsum(0)
    return CurveCounts(gain, passed[1::2], passed[:-1:2], passed[-1])


def _sum(bins: np.ndarray, place: np.ndarray, size: int, draws: Draws) -> np.ndarray:
    """How often something in each bin is drawn [size, B]."""
    found = sparse.csr_array((np.ones(len(bins)), (bins, place)), (size, len(draws.times)))
    summed: np.ndarray = found @ draws.times
    return summed


def roc_auc(found: CurveCounts) -> np.ndarray:
    """Return how often a patch with a defect scores more than one without, equal scores counting half [B]."""
    below = found.free - (found.at_least + found.above) / 2
    return ratio((found.gain * below).sum(0), found.gain.sum(0) * found.free)


def average_precision(found: CurveCounts) -> np.ndarray:
    """Return Σ (R_n − R_{n−1}) P_n over falling scores [B]."""
    hits = found.gain.cumsum(0)
    return ratio((found.gain * hits / np.maximum(hits + found.at_least, 1)).sum(0), found.gain.sum(0))


def f1_max(found: CurveCounts) -> np.ndarray:
    """Return the largest F1 over all thresholds [B]."""
    values = _f1_by_score(found)
    return values.max(0, initial=0) if len(values) else np.full(values.shape[1], np.nan)


def _f1_by_score(found: CurveCounts) -> np.ndarray:
    hits = found.gain.cumsum(0)
    return f1(hits, hits + found.at_least, found.gain.sum(0))


def f1(hits: np.ndarray, flagged: np.ndarray, defects: np.ndarray) -> np.ndarray:
    """Return 2 · hits / (flagged + defects); NaN without defects."""
    return np.where(defects > 0, 2 * hits / np.maximum(flagged + defects, 1), np.nan)


def f1_max_threshold(label: np.ndarray, scores: np.ndarray) -> float:
    """Return the threshold of the largest F1, half way to the next lower score; of equal F1 the highest.

    What scores more than the threshold is flagged. NaN without defects.
    """
    if not label.any():
        return float("nan")
    best = int(_f1_by_score(count(label, scores, unweighted(len(label))))[:, 0].argmax())
    upper = np.unique(scores[label])[::-1][best]
    lower = scores[scores < upper].max(initial=-np.inf)
    middle = (upper + lower) / 2
    return float(middle if lower < middle < upper else np.nextafter(upper, -np.inf))


def patch_measures(patches: Patches, scores: np.ndarray, threshold: float, draws: Draws) -> dict[str, np.ndarray]:
    """Return each of PATCH_MEASURES [B] of scores [N]; what scores more than the threshold is flagged."""
    found = count(patches.label, scores, draws)
    ranked = {"roc_auc": roc_auc, "average_precision": average_precision, "f1_max": f1_max}
    return _at(patches, scores > threshold, draws) | {name: of(found) for name, of in ranked.items()}


def _at(patches: Patches, flagged: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
    pool = np.where(patches.label, 0, np.where(patches.normal, 1, 2))
    defects, normals, cleans = _sum(pool, draws.place, 3, draws)
    hits, false, false_clean = _sum(pool[flagged], draws.place[flagged], 3, draws)
    every = hits + false + false_clean
    return {
        "precision": ratio(hits, every),
        "recall": ratio(hits, defects),
        "f1": f1(hits, every, defects),
        "fpr_normal": ratio(false, normals),
        "fpr_clean": ratio(false_clean, cleans),
    }


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, NaN where below is 0; of equal shapes."""
    found: np.ndarray = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return found
