"""Step 3 of stage threshold: metrics, tables and curves of the patches of test and of defective strips."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.anomaly import curves
from vaelab.anomaly.by_aggregation import by_aggregation
from vaelab.anomaly.calibration_check import Sample, calibration_check, ks_p, test_higher
from vaelab.anomaly.fit import Fitted
from vaelab.anomaly.mask_alignment import mask_alignment
from vaelab.anomaly.patch_measures import RANKING, Patches, patch_measures, unweighted
from vaelab.anomaly.percentiles import Percentiles
from vaelab.anomaly.pixel_measures import read_pixels
from vaelab.anomaly.preprocessing import AGGREGATIONS, COMBINED
from vaelab.anomaly.score import PhaseScores
from vaelab.anomaly.select import own_scores, validation_patches
from vaelab.anomaly.tables import MeasureTables, Names, Row, flagged_rows, patch_rows
from vaelab.params.threshold import Threshold

MEASURED_PHASES = ("test", "defects")
UNLABELLED = ("threshold", "fpr_normal", "fpr_normal_low", "fpr_normal_high")  # what needs no label


class ThresholdResults(NamedTuple):
    """What is written of a run."""

    metrics: Row
    tables: Mapping[str, Sequence[Row]]
    plots: Mapping[str, Sequence[Row]]


def measure(
    scored: Mapping[str, PhaseScores], fitted: Fitted, names: Names, shards: Sequence[Path]
) -> ThresholdResults:
    """Return what a threshold is worth.

    Args:
        scored: every phase; maps are read again where there are labels.
        fitted: what is learned from val.
        names: of groups, strips and defects.
        shards: of the prepared phase of defects, which hold the masks.

    Raises:
        InputError: a mask is wrong.
    """
    settings, threshold, val = fitted.val.settings, fitted.thresholds[COMBINED], fitted.percentiles[COMBINED]
    patches, scores = measured_patches(scored), measured_scores(scored, settings.aggregation)
    labelled = bool(patches.label.any())
    pixels = read_pixels({name: of.phase for name, of in scored.items()}, shards, fitted.cells) if labelled else None
    measured = MeasureTables(patches, scores, fitted.thresholds, pixels, settings)
    of_scores, differences = measured.of_scores()
    examples = patch_rows(scored, threshold, names)
    tables = {
        "examples": examples,
        "flagged": flagged_rows(examples),
        "scores": of_scores,
        "groups": list(measured.of_groups(val, fitted.val.file.group, names.groups)),
        "defects": list(measured.of_defects(names.defects)),
        "differences": differences if labelled else [],
        "aggregations": _aggregations(patches, scored) if labelled else [],
    }
    plots = {
        "roc": curves.roc(patches, scores) if labelled else [],
        "pr": curves.precision_recall(patches, scores) if labelled else [],
        "histogram": curves.histogram(_pools(patches, scored), threshold),
        "percentiles": curves.sweep(patches, scores[COMBINED], val, settings.sweep),
    }
    metrics = _metrics(of_scores[0], patches, val, settings)
    metrics |= _calibration(scored, fitted, threshold, metrics["fpr_nominal"])
    if pixels is not None:
        metrics |= mask_alignment(scored["defects"].phase, fitted.cells, pixels.regions[COMBINED])
        metrics |= _by_aggregation(patches, scored, settings)
    return ThresholdResults(metrics, tables, plots)


def measured_patches(scored: Mapping[str, PhaseScores]) -> Patches:
    """Return the patches that measures are taken on, test then defects."""
    files = {name: scored[name].phase.file for name in MEASURED_PHASES if name in scored}
    return Patches(
        _joined([file.label for file in files.values()]) != 0,
        np.repeat([name == "test" for name in files], [len(file) for file in files.values()]).astype(bool),
        *(_joined([getattr(file, field) for file in files.values()]) for field in ("strip", "group", "defect")),
    )


def measured_scores(scored: Mapping[str, PhaseScores], aggregation: str) -> dict[str, np.ndarray]:
    """Return every score of the same patches under an aggregation."""
    found = [scored[name].by_aggregation[aggregation] for name in MEASURED_PHASES if name in scored]
    return {score: _joined([scores[score] for scores in found]) for score in scored["val"].scores}


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _aggregations(patches: Patches, scored: Mapping[str, PhaseScores]) -> list[Row]:
    """What COMBINED would reach under each aggregation: whether it is the maps that fail, or this."""
    rows = []
    for name in AGGREGATIONS:
        scores = measured_scores(scored, name)[COMBINED]
        found = patch_measures(patches, scores, np.inf, unweighted(len(scores)))
        rows.append({"aggregation": name, **{key: float(found[key][0]) for key in RANKING}})
    return rows


def _by_aggregation(patches: Patches, scored: Mapping[str, PhaseScores], settings: Threshold) -> Row:
    """Of what is measured, and of val where it has labels, by which a choice is no choice by test."""
    measured = tuple(scored[name] for name in MEASURED_PHASES if name in scored)
    found: Row = {"by_aggregation": by_aggregation(patches, measured, settings, settings.bootstrap)}
    if "val_defects" in scored and scored["val_defects"].phase.file.label.any():
        both = scored["val"], scored["val_defects"]
        found["by_aggregation_val"] = by_aggregation(validation_patches(both), both, settings, settings.bootstrap)
    return found


def _calibration(scored: Mapping[str, PhaseScores], fitted: Fitted, threshold: float, nominal: float) -> Row:
    """Whether normals of test score as those of val do; nothing without a test split."""
    if "test" not in scored:
        return {}
    val, test = scored["val"], scored["test"]

    def pair(name: str) -> tuple[Sample, Sample]:
        return (val.scores[name], val.phase.file.strip), (test.scores[name], test.phase.file.strip)

    found = calibration_check(*pair(COMBINED), threshold, nominal, fitted.val.settings.seed)
    names = own_scores(val.scores, fitted.val.settings)
    by_score = {"calibration_ks_p_by_score": ks_p, "test_higher_by_score": test_higher}
    return found | {key: {name: measure(*pair(name)) for name in names} for key, measure in by_score.items()}


def _pools(patches: Patches, scored: Mapping[str, PhaseScores]) -> dict[str, np.ndarray]:
    found = {phase: of.scores[COMBINED] for phase, of in scored.items()}
    defects = found.get("defects", np.empty(0))
    label = patches.label[~patches.normal]
    return {
        "val normals": found["val"],
        "test normals": found.get("test", np.empty(0)),
        "clean patches of defective strips": defects[~label],
        "defects": defects[label],
    }


def _metrics(combined: Row, patches: Patches, val: Percentiles, settings: Threshold) -> Row:
    """What is known of COMBINED, whose row of the table of scores is given."""
    above = float((val.normals > combined["threshold"]).mean())
    by_percentile = settings.method == "percentile"
    clean = ~patches.label & ~patches.normal
    labelled = bool(patches.label.any())
    return {
        "scored": True,
        "labelled": labelled,
        "val_normals": len(val.normals),
        "test_normals": int(patches.normal.sum()),
        "clean_patches": int(clean.sum()),
        "defect_patches": int(patches.label.sum()),
        "normal_strips": len(np.unique(patches.strip[patches.normal])),
        "defect_strips": len(np.unique(patches.strip[~patches.normal])),
        "fpr_nominal": (100 - settings.percentile) / 100 if by_percentile else above,
        "percentile_used": val.used(settings.percentile) if by_percentile else 100 * (1 - above),
        **_correction(val, settings),
        **{name: combined[name] for name in combined if name != "score" and (labelled or name in UNLABELLED)},
    }


def _correction(val: Percentiles, settings: Threshold) -> Row:
    """What leaving strips of val out says, where they were."""
    if settings.method != "percentile" or val.ranks is None:
        return {}
    return {"fpr_left_out": val.left_out(settings.percentile), "val_normals_left_out": len(val.ranks)}
