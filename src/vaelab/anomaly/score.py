"""Step 2 of stage threshold: the calibrated scores of a phase's patches, and its calibrated maps.

N patches of a phase, n at a time, h cells to a side.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from vaelab.anomaly.calibration import Calibration, calibrate
from vaelab.anomaly.preprocessing import COMBINED, Preprocessed
from vaelab.anomaly.score_files import ScoreMaps, Scores, enlarged

Calibrations = Mapping[str, Mapping[int, Calibration]]  # by score and group


class PhaseScores(NamedTuple):
    """The calibrated scores of all patches of a phase, COMBINED first."""

    phase: Preprocessed
    scores: Scores  # under the aggregation that is asked for
    by_aggregation: Mapping[str, Scores]  # and under each


def score(phase: Preprocessed, fitted: Mapping[str, Calibrations]) -> PhaseScores:
    """Return the calibrated scores of a phase's patches, for every score and for the combined one.

    Args:
        phase: of which each map is read once.
        fitted: calibration of the scores of patches, under each aggregation: `Fitted.patches`.

    Raises:
        InputError: a score is not finite.
    """
    settings, group = phase.settings, phase.file.group
    found = {
        how: calibrated_scores(raw, group, fitted[how], settings.weight) for how, raw in phase.patch_scores.items()
    }
    return PhaseScores(phase, found[settings.aggregation], found)


def calibrated_scores(raw: Scores, group: np.ndarray, fitted: Calibrations, weights: Mapping[str, float]) -> Scores:
    """Return the calibrated scores of patches of some groups [N], and the weighted sum, where COMBINED is none yet."""
    found = {name: calibrate(fitted[name], values, group) for name, values in raw.items()}
    if COMBINED in found:
        return found
    combined = sum((weight * found[name] for name, weight in weights.items()), np.zeros(len(group)))
    return {COMBINED: combined, **found}


def calibrated_maps(
    phase: Preprocessed, fitted: Calibrations, chosen: np.ndarray
) -> Iterator[tuple[np.ndarray, ScoreMaps]]:
    """Yield numbers of the chosen patches, bool [N], and their calibrated maps [n, h, h] of all scores and COMBINED.

    Args:
        phase: whose maps are read, a few at a time.
        fitted: calibration of the cells: `Fitted.cells`.
        chosen: which patches.
    """
    for rows, maps in phase.chunks(list(phase.sides)):
        patches = rows.start + np.flatnonzero(chosen[rows])
        if not len(patches):
            continue
        group, here = phase.file.group[patches], chosen[rows]
        found = {name: calibrate(fitted[name], part[here], group) for name, part in maps.items()}
        if COMBINED not in found:
            found[COMBINED] = _weighted_sum(found, phase)
        yield patches, found


def _weighted_sum(maps: ScoreMaps, phase: Preprocessed) -> np.ndarray:
    """The sum of calibrated maps, on the finest grid."""
    side = phase.combined_side
    found = np.zeros((len(next(iter(maps.values()))), side, side), np.float32)
    for name, weight in phase.settings.weight.items():
        found += weight * enlarged(maps[name], side)
    return found
