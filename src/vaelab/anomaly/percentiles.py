"""Thresholds that are percentiles of the normals of val, as they are or corrected strip by strip.

The patches of a strip are alike, and calibration knows the strips of val: of a strip that it does not know, more
patches than asked for lie above a percentile of those that it does. The correction leaves strips of val out in turn,
calibrates with the others, and asks for the percentile that leaves out the share that was asked for. V patches of val.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

MOST_FOLDS = 50  # of strips that are left out together

Scores = Mapping[str, np.ndarray]  # by score, one number for each patch
Calibrate = Callable[[Scores, np.ndarray, Scores, np.ndarray], tuple[Scores, Scores]]


class Percentiles(NamedTuple):
    """Thresholds of one score."""

    normals: np.ndarray  # calibrated scores of val [V]
    ranks: np.ndarray | None  # of patches left out, among those that were not; none: no correction

    def used(self, asked: float) -> float:
        """Return the percentile of all normals that a percentile stands for: itself without correction."""
        return asked if self.ranks is None else float(np.percentile(self.ranks, asked))

    def threshold(self, asked: float) -> float:
        """Return the threshold at a percentile; what scores more is flagged."""
        return float(np.percentile(self.normals, self.used(asked)))


def left_out_ranks(
    raw: Scores, group: np.ndarray, strip: np.ndarray, least: int, calibrate: Calibrate
) -> dict[str, np.ndarray]:
    """Return the percentile, in [0, 100], at which each left-out patch stands among those that were not left out.

    Those beyond all others stand at 100. Patches whose group is not left, or too small to calibrate, have no rank.
    After Dunn, Wasserman, Ramdas (2022), who leave out groups where examples of a group are alike.

    Args:
        raw: scores of the normals of val, not calibrated [V].
        group: of those [V].
        strip: of those [V].
        least: patches of a group that calibration needs.
        calibrate: from raw scores and groups of normals, and of others, to calibrated scores of both.
    """
    fold = np.unique(strip, return_inverse=True)[1] % MOST_FOLDS
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
            places = np.linspace(0, 100, len(values))
            found.setdefault(name, []).append(np.interp(left[name], np.sort(values), places))
    return {name: np.concatenate(ranks) for name, ranks in found.items()}
