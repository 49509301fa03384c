"""Step 1 of stage threshold: everything that is learned from the normals of val, and of nothing else.

With `max_f1` also from the labelled patches of val_defects. V patches of val.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vaelab.anomaly.calibration import LEAST_NORMALS, Calibration, check_groups, fit_groups
from vaelab.anomaly.patch_measures import f1_max_threshold
from vaelab.anomaly.percentiles import Percentiles, left_out_ranks
from vaelab.anomaly.preprocessing import Preprocessed
from vaelab.anomaly.score import Calibrations, PhaseScores, calibrated_scores, score
from vaelab.anomaly.score_files import MOST_CELLS, ScoreFile, Scores
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold


@dataclass(frozen=True)
class Fitted:
    """What val says of all other patches."""

    val: Preprocessed
    patches: Mapping[str, Calibrations]  # of the scores of patches, by aggregation
    percentiles: Mapping[str, Percentiles]  # of the normals, by score
    thresholds: Mapping[str, float]  # by score; what scores more is flagged

    @cached_property
    def cells(self) -> Calibrations:
        """Calibration of the cells of maps; fitted when first asked for, since only labelled data need it."""
        return fit_cells(self.val)


def check_normals(files: Mapping[str, ScoreFile], groups: Sequence[str], settings: Threshold) -> None:
    """Do nothing where val has what calibration and a threshold need.

    Args:
        files: of all phases that will be scored.
        groups: their names.
        settings: which calibration.

    Raises:
        InputError: there are too few normals in val, or in a group of it.
    """
    val = files["val"]
    if len(val) < 2:
        text = f"normal patches in val: {len(val)}; a threshold needs at least 2, and hundreds to be worth something"
        raise InputError(f"{val.path}: {text}")
    if settings.calibration != "none":
        others = {phase: file.group for phase, file in files.items() if phase != "val"}
        check_groups(val.group, others, groups, str(val.path))


def fit(val: Preprocessed, val_defects: Preprocessed | None) -> Fitted:
    """Return calibrations, percentiles and thresholds.

    Args:
        val: the normals.
        val_defects: what was cut from defective strips of val; read with `max_f1` alone.

    Raises:
        InputError: a score is not finite, or max_f1 is asked for and there are no labelled defects.
    """
    patches = fit_patches(val)
    normals = score(val, patches)
    percentiles = _percentiles(val, normals.scores)
    if val.settings.method == "percentile":
        thresholds = {name: found.threshold(val.settings.percentile) for name, found in percentiles.items()}
    else:
        thresholds = _f1_thresholds(normals, score(_labelled(val, val_defects), patches))
    return Fitted(val, patches, percentiles, thresholds)


def fit_patches(val: Preprocessed) -> dict[str, Calibrations]:
    """Return the calibration of the scores of patches under each aggregation."""
    return {how: _fit_scores(raw, val.file.group, val.settings) for how, raw in val.patch_scores.items()}


def _fit_scores(raw: Scores, group: np.ndarray, settings: Threshold) -> Calibrations:
    return {name: fit_groups(settings.calibration, values, group) for name, values in raw.items()}


def fit_cells(val: Preprocessed) -> Calibrations:
    """Return the calibration of the cells of each score's maps.

    Of a group with more than 2²² cells, fitted to evenly spread patches with as many.
    """
    return {name: _fit_cells(val, name) for name in val.sides}


def _fit_cells(val: Preprocessed, name: str) -> dict[int, Calibration]:
    group, chosen = val.file.group, np.zeros(len(val), bool)
    for number in np.unique(group):
        rows = np.flatnonzero(group == number)
        chosen[rows[:: -(-len(rows) * val.sides[name] ** 2 // MOST_CELLS)]] = True
    cells = np.concatenate([maps[name][chosen[rows]] for rows, maps in val.chunks([name])])
    return fit_groups(val.settings.calibration, cells, group[chosen])


def _percentiles(val: Preprocessed, scores: Scores) -> dict[str, Percentiles]:
    """What the percentiles of every score are thresholds of.

    Without correction where that leaves strips out, and no group has another one in val.
    """
    settings, file = val.settings, val.file
    if settings.percentile_by == "patches":
        return {name: Percentiles(values) for name, values in scores.items()}

    def recalibrated(normals: Scores, group: np.ndarray, others: Scores, other: np.ndarray) -> tuple[Scores, Scores]:
        fitted = _fit_scores(normals, group, settings)
        return (
            calibrated_scores(normals, group, fitted, settings.weight),
            calibrated_scores(others, other, fitted, settings.weight),
        )

    least = 1 if settings.calibration == "none" else LEAST_NORMALS
    ranks = left_out_ranks(val.patch_scores[settings.aggregation], file.group, file.strip, least, recalibrated)
    return {name: Percentiles(values, ranks.get(name)) for name, values in scores.items()}


def _labelled(val: Preprocessed, val_defects: Preprocessed | None) -> Preprocessed:
    if val_defects is None or not val_defects.file.label.any():
        where = val.file.path.with_name("anomaly-val_defects.safetensors")
        raise InputError(
            f"threshold.method: max_f1 chooses by labelled defects of val, and there are none ({where}); "
            "give the data set validation defects, or use percentile"
        )
    return val_defects


def _f1_thresholds(normals: PhaseScores, defects: PhaseScores) -> dict[str, float]:
    label = np.concatenate([normals.phase.file.label, defects.phase.file.label]) != 0
    return {
        name: f1_max_threshold(label, np.concatenate([values, defects.scores[name]]))
        for name, values in normals.scores.items()
    }
