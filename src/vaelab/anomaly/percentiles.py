"""Thresholds that are percentiles of the normals of val, as they are or corrected strip by strip.

The patches of a strip are alike, and calibration knows the strips of val: of a strip that it does not know, more
patches than asked for lie above a percentile of those that it does. The correction leaves strips of val out in turn,
calibrates with the others, and raises the percentile until of those left out no more are flagged than asked for.
V patches of val.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vaelab.anomaly.score_files import Scores

MOST_FOLDS = 50  # of strips, those of a fold being left out together

Calibrate = Callable[[Scores, np.ndarray, Scores, np.ndarray], tuple[Scores, Scores]]


class Percentiles(NamedTuple):
    """Thresholds of one score."""

    normals: np.ndarray  # calibrated scores of val [V]
    ranks: np.ndarray | None = None  # of patches left out, among those that were not; none: no correction

    def used(self, asked: float) -> float:
        """Return the percentile of all normals that the threshold is: the one asked for, or above."""
        if self.ranks is None:
            return asked
        return max(asked, float(np.percentile(self.ranks.clip(max=100), asked)))

    def threshold(self, asked: float) -> float:
        """Return the threshold at a percentile; what scores more is flagged."""
        return float(np.percentile(self.normals, self.used(asked)))

    def left_out(self, asked: float) -> float:
        """Return the share of left-out patches that is flagged; NaN without correction.

        More than asked for only where so many score above all others: the threshold is then the largest of val.
        """
        return float("nan") if self.ranks is None else float((self.ranks > self.used(asked)).mean())


def left_out_ranks(
    raw: Scores, group: np.ndarray, strip: np.ndarray, least: int, calibrate: Calibrate
) -> dict[str, np.ndarray]:
    """Return the percentile, in [0, 100], of the others at which each left-out patch is just not flagged.

    Infinity for those that score more than all others. Patches whose group has no other strip, or too little in them to
    calibrate with, have no rank; where none has, nothing is returned. After Dunn, Wasserman, Ramdas (2022), who leave
    out groups where examples of a group are alike.

    Args:
        raw: scores of the normals of val, not calibrated [V].
        group: of those [V].
        strip: of those [V].
        least: patches of a group that calibration needs.
        calibrate: from raw scores and groups of normals, and of others, to calibrated scores of both.
    """
    places = np.unique(np.stack([group, strip]), axis=1, return_inverse=True)[1]  # strips of a group are neighbours
    fold = places.reshape(-1) % MOST_FOLDS
    found: dict[str, list[np.ndarray]] = {}
    for number in np.unique(fold):
        kept = fold != number
        groups, count = np.unique(group[kept], return_counts=True)
        out = ~kept & np.isin(group, groups[count >= least])
        if not out.any():
            continue
        parts = ({name: values[rows] for name, values in raw.items()} for rows in (kept, out))
        others, left = calibrate(next(parts), group[kept], next(parts), group[out])
        for name, values in others.items():
            found.setdefault(name, []).append(_ranks(left[name], np.sort(values)))
    return {name: np.concatenate(ranks) for name, ranks in found.items()}


def _ranks(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The lowest percentile of others, sorted, at which they are not above the threshold, as np.percentile has it."""
    above = np.searchsorted(others, scores, "left")  # the first of others that is not below
    upper = others[np.minimum(above, len(others) - 1)]
    lower = others[np.maximum(above - 1, 0)]
    part = np.divide(scores - lower, upper - lower, out=np.zeros(len(scores)), where=upper > lower)
    places = np.where(above > 0, above - 1 + part, 0) / max(1, len(others) - 1)
    found: np.ndarray = np.where(scores > others[-1], np.inf, 100 * places)
    return found
