"""How far measures would move with other strips: whole strips are drawn with replacement, normal and defective apart.

Patches of one strip overlap and share their cloth, so that patches drawn one by one would give intervals that are far
too short. N patches, S strips, B resamplings.
"""

import numpy as np

from vaelab.anomaly.patch_measures import PATCH_MEASURES, Draws, Patches, patch_measures

MOST_VALUES = 2**21  # of a count by score and resampling, in memory at once
INTERVAL = (2.5, 97.5)  # per cent: an interval of 95 %

Replicates = dict[str, np.ndarray]  # each measure [B]


def replicates(patches: Patches, scores: np.ndarray, threshold: float, resamplings: int, seed: int) -> Replicates:
    """Return the measures of each resampling, all NaN where what they count comes from a single strip.

    Same patches, number and seed, same resamplings: differences between two scores are paired.
    """
    draws = draw(patches, resamplings, seed)
    step = max(1, MOST_VALUES // (1 + 2 * int(patches.label.sum())))
    parts = [
        patch_measures(patches, scores, threshold, Draws(draws.times[:, first : first + step], draws.place))
        for first in range(0, resamplings, step)
    ]
    lone = _from_single_strips(patches)
    return {
        name: np.concatenate([np.empty(0), *(part[name] for part in parts)]) + (np.nan if name in lone else 0)
        for name in PATCH_MEASURES
    }


def draw(patches: Patches, resamplings: int, seed: int) -> Draws:
    """Return how often each strip is drawn: as many normal and as many defective strips as there are."""
    rng = np.random.default_rng(seed)
    times: list[np.ndarray] = [np.empty((0, resamplings))]
    place, known = np.zeros(len(patches.strip), np.int64), 0
    for pool in (patches.normal, ~patches.normal):
        strips, place_in_pool = np.unique(patches.strip[pool], return_inverse=True)
        place[pool] = known + place_in_pool
        known += len(strips)
        if len(strips):
            drawn = rng.integers(len(strips), size=(len(strips), resamplings)) * resamplings + np.arange(resamplings)
            times.append(np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float))
    return Draws(np.concatenate(times), place)


def _from_single_strips(patches: Patches) -> set[str]:
    """Measures of which a pool is one strip: nothing tells how far it would move with another."""
    pools = {"recall": patches.label, "fpr_normal": patches.normal, "fpr_clean": ~patches.label & ~patches.normal}
    lone = {name for name, pool in pools.items() if len(np.unique(patches.strip[pool])) == 1}
    return set(PATCH_MEASURES) - pools.keys() | lone if lone else set()


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the middle 95 % of the resamplings in which a measure is defined; NaN where it never is."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, INTERVAL)
    return float(low), float(high)
