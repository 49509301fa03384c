"""Calibrated score maps and their sum, a few patches at a time. n patches, h cells to a side."""

from collections.abc import Iterator, Mapping

import numpy as np

from vaelab.anomaly.calibration import Calibration, calibrate, fit_groups
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.anomaly.regions import cell_of
from vaelab.anomaly.score_files import MOST_CELLS, Maps, Scored
from vaelab.params.threshold import Threshold

Fitted = Mapping[str, Mapping[int, Calibration]]  # by score and group


def fit_maps(val: Scored, kind: str) -> Fitted:
    """Return the calibration of the cells of each score and group, fitted to those of the normals of val.

    Of a group with more than 2²² cells, to evenly spread patches with as many.
    """
    return {name: _fit(val, name, kind) for name in val.sides}


def _fit(val: Scored, name: str, kind: str) -> Mapping[int, Calibration]:
    chosen = np.zeros(len(val), bool)
    for number in np.unique(val.group):
        rows = np.flatnonzero(val.group == number)
        chosen[rows[:: -(-len(rows) * val.sides[name] ** 2 // MOST_CELLS)]] = True
    cells = np.concatenate([maps[name][chosen[rows]] for rows, maps in val.chunks([name])])
    return fit_groups(kind, cells, val.group[chosen])


def sides_of(scored: Scored, settings: Threshold) -> dict[str, int]:
    """Return the cells to a side of each score, and of the sum: those of its finest map."""
    return {COMBINED: max(scored.sides[name] for name in settings.scores), **scored.sides}


def calibrated(
    scored: Scored, fitted: Fitted, settings: Threshold, chosen: np.ndarray
) -> Iterator[tuple[np.ndarray, Maps]]:
    """Yield numbers of the chosen patches, bool [N], and their calibrated maps [n, h, h] of every score and the sum."""
    side = sides_of(scored, settings)[COMBINED]
    for rows, maps in scored.chunks(list(scored.sides)):
        patches = rows.start + np.flatnonzero(chosen[rows])
        if not len(patches):
            continue
        group, here = scored.group[patches], chosen[rows]
        values = {name: calibrate(fitted[name], part[here], group) for name, part in maps.items()}
        if COMBINED not in values:  # but the sum of what was calibrated
            values[COMBINED] = np.zeros((len(patches), side, side), np.float32)
            for name, weight in settings.weight.items():
                of = cell_of(side, scored.sides[name])
                values[COMBINED] += weight * values[name][:, of][:, :, of]
        yield patches, values
