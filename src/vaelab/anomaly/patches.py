"""Calibrated scores of patches, of every phase, and the thresholds that val gives. N patches of a phase."""

from collections.abc import Mapping, Sequence

import numpy as np

from vaelab.anomaly.aggregation import aggregate
from vaelab.anomaly.calibration import LEAST_NORMALS, calibrate, check_groups, fit_groups
from vaelab.anomaly.measures import Patches, f1_max_threshold
from vaelab.anomaly.percentiles import Percentiles, Scores, left_out_ranks
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.anomaly.score_files import Scored
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold

PatchScores = Mapping[str, Mapping[str, np.ndarray]]  # float64 [N], by phase and score


def patch_scores(phases: Mapping[str, Scored], groups: Sequence[str], settings: Threshold) -> PatchScores:
    """Return the calibrated score of each patch, for every score and for what they make together.

    Args:
        phases: what is scored, treated; calibration is fitted to val alone.
        groups: their names.
        settings: how scores are put together, aggregation and calibration.

    Raises:
        InputError: a score is not finite, or a group has too few normals in val.
    """
    return under_each(phases, groups, settings, (settings.aggregation,))[settings.aggregation]


def under_each(
    phases: Mapping[str, Scored], groups: Sequence[str], settings: Threshold, aggregations: Sequence[str]
) -> dict[str, PatchScores]:
    """Return the same under several aggregations, in one pass over the maps."""
    _check_normals(phases, groups, settings)
    raw = {phase: _aggregated(scored, settings, aggregations) for phase, scored in phases.items()}
    found: dict[str, PatchScores] = {}
    for number, name in enumerate(aggregations):
        of_phases = {phase: {score: values[number] for score, values in of.items()} for phase, of in raw.items()}
        found[name] = _calibrated(of_phases, {phase: scored.group for phase, scored in phases.items()}, settings)
    return found


def _calibrated(raw: PatchScores, groups: Mapping[str, np.ndarray], settings: Threshold) -> PatchScores:
    fitted = {name: fit_groups(settings.calibration, values, groups["val"]) for name, values in raw["val"].items()}
    scores: dict[str, dict[str, np.ndarray]] = {}
    for phase, group in groups.items():
        alone = {name: calibrate(fitted[name], values, group) for name, values in raw[phase].items()}
        if COMBINED not in alone:
            total = sum((weight * alone[name] for name, weight in settings.weight.items()), np.zeros(len(group)))
            alone = {COMBINED: total, **alone}
        scores[phase] = alone
    return scores


def _check_normals(phases: Mapping[str, Scored], groups: Sequence[str], settings: Threshold) -> None:
    val = phases["val"]
    if len(val) < 2:
        text = f"normal patches in val: {len(val)}; a threshold needs at least 2, and hundreds to be worth something"
        raise InputError(f"{val.path}: {text}")
    if settings.calibration != "none":
        others = {phase: scored.group for phase, scored in phases.items() if phase != "val"}
        check_groups(val.group, others, groups, str(val.path))


def _aggregated(scored: Scored, settings: Threshold, aggregations: Sequence[str]) -> dict[str, np.ndarray]:
    """Scores of patches [aggregations, N], by score."""
    parts: dict[str, list[np.ndarray]] = {name: [np.empty((len(aggregations), 0))] for name in scored.sides}
    for _, maps in scored.chunks(list(scored.sides)):
        for name, part in maps.items():
            parts[name].append(np.stack([aggregate(part, settings, how) for how in aggregations]))
    return {name: np.concatenate(values, axis=1) for name, values in parts.items()}


def fit_percentiles(phases: Mapping[str, Scored], scores: PatchScores, settings: Threshold) -> dict[str, Percentiles]:
    """Return what the percentiles of every score and of the sum are thresholds of. Of val alone.

    Without correction where that leaves strips out, and no group has another one in val.
    """
    if settings.percentile_by == "patches":
        return {name: Percentiles(values) for name, values in scores["val"].items()}

    def calibrated(normals: Scores, group: np.ndarray, others: Scores, other: np.ndarray) -> tuple[Scores, Scores]:
        found = _calibrated({"val": normals, "others": others}, {"val": group, "others": other}, settings)
        return found["val"], found["others"]

    val = phases["val"]
    raw = {name: values[0] for name, values in _aggregated(val, settings, (settings.aggregation,)).items()}
    least = 1 if settings.calibration == "none" else LEAST_NORMALS
    ranks = left_out_ranks(raw, val.group, val.strip, least, calibrated)
    return {name: Percentiles(values, ranks.get(name)) for name, values in scores["val"].items()}


def fit_thresholds(
    phases: Mapping[str, Scored], scores: PatchScores, percentiles: Mapping[str, Percentiles], settings: Threshold
) -> dict[str, float]:
    """Return the threshold of every score and of the sum; what scores more is flagged. Of val and val_defects alone.

    Raises:
        InputError: max_f1 is asked for, and val has no labelled defects.
    """
    if settings.method == "percentile":
        return {name: found.threshold(settings.percentile) for name, found in percentiles.items()}
    labelled = phases.get("val_defects")
    if labelled is None or not labelled.label.any():
        where = phases["val"].path.with_name("anomaly-val_defects.safetensors")
        raise InputError(
            f"threshold.method: max_f1 chooses by labelled defects of val, and there are none ({where}); "
            "give the data set validation defects, or use percentile"
        )
    label = np.concatenate([phases["val"].label, labelled.label]) != 0
    return {
        name: f1_max_threshold(label, np.concatenate([values, scores["val_defects"][name]]))
        for name, values in scores["val"].items()
    }


def final_patches(phases: Mapping[str, Scored], scores: PatchScores) -> tuple[Patches, dict[str, np.ndarray]]:
    """Return the patches that measures are taken on, test then defects, and every score of theirs."""
    names = [phase for phase in ("test", "defects") if phase in phases]
    found = [phases[phase] for phase in names]
    patches = Patches(
        _joined([scored.label for scored in found]) != 0,
        np.repeat([name == "test" for name in names], [len(scored) for scored in found]).astype(bool),
        *(_joined([getattr(scored, field) for scored in found]) for field in ("strip", "group", "defect")),
    )
    return patches, {score: _joined([scores[name][score] for name in names]) for score in scores["val"]}


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts])
