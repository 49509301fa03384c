"""Everything that the threshold stage finds of a run: metrics, tables and curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.anomaly import curves
from vaelab.anomaly.aggregation import AGGREGATIONS
from vaelab.anomaly.measures import RANKING, Patches, everything_once, measure
from vaelab.anomaly.patch_table import example_rows, flagged_rows
from vaelab.anomaly.patches import PatchScores, final_patches, fit_percentiles, fit_thresholds, under_each
from vaelab.anomaly.percentiles import Percentiles
from vaelab.anomaly.preprocessing import COMBINED, treat
from vaelab.anomaly.report import Report, Row, read_pixels
from vaelab.anomaly.score_files import Scored
from vaelab.params.threshold import Threshold

UNLABELLED = ("threshold", "fpr_normal", "fpr_normal_low", "fpr_normal_high")  # what needs no label


class Names(NamedTuple):
    """What the numbers in the score files stand for."""

    groups: Sequence[str]
    strips: Sequence[str]
    defects: Sequence[str]


class Outcome(NamedTuple):
    """What is written of a run."""

    metrics: Row
    tables: Mapping[str, Sequence[Row]]
    plots: Mapping[str, Sequence[Row]]


def find(phases: Mapping[str, Scored], names: Names, shards: Sequence[Path], settings: Threshold) -> Outcome:
    """Return the threshold of a run and what it is worth.

    Args:
        phases: what is scored.
        names: of groups, strips and defects.
        shards: of the prepared phase of defects, which hold the masks.
        settings: how scores become a threshold.

    Raises:
        InputError: an option, a score or a mask is wrong.
    """
    phases = {phase: treat(scored, settings) for phase, scored in phases.items()}
    known = under_each(phases, names.groups, settings, tuple(AGGREGATIONS))
    scores = known[settings.aggregation]
    percentiles = fit_percentiles(phases, scores, settings)
    limits = fit_thresholds(phases, scores, percentiles, settings)
    patches, final = final_patches(phases, scores)
    labelled = bool(patches.label.any())
    pixels = read_pixels(phases, shards, settings) if labelled else None
    report = Report(patches, final, limits, pixels, settings)
    total = percentiles[COMBINED]

    of_scores, differences = report.of_scores()
    examples = example_rows(phases, scores, limits[COMBINED], names.groups, names.strips, names.defects)
    tables = {
        "examples": examples,
        "flagged": flagged_rows(examples),
        "scores": of_scores,
        "groups": list(report.of_groups(total, phases["val"].group, names.groups)),
        "defects": list(report.of_defects(names.defects)),
        "differences": differences if labelled else [],
        "aggregations": aggregations(phases, known) if labelled else [],
    }
    plots = {
        "roc": curves.roc(patches, final) if labelled else [],
        "pr": curves.precision_recall(patches, final) if labelled else [],
        "histogram": curves.histogram(_pools(patches, scores), limits[COMBINED]),
        "percentiles": curves.sweep(patches, final[COMBINED], total, settings.sweep),
    }
    return Outcome(_metrics(of_scores[0], patches, total, settings), tables, plots)


def aggregations(phases: Mapping[str, Scored], known: Mapping[str, PatchScores]) -> list[Row]:
    """Return what `threshold.scores` would reach under each aggregation: whether it is the maps that fail, or this."""
    rows = []
    for name, scores in known.items():
        patches, found = final_patches(phases, scores)
        measured = measure(patches, found[COMBINED], np.inf, everything_once(len(patches.label)))
        rows.append({"aggregation": name, **{key: float(measured[key][0]) for key in RANKING}})
    return rows


def _pools(patches: Patches, scores: PatchScores) -> dict[str, np.ndarray]:
    found = {phase: of[COMBINED] for phase, of in scores.items()}
    defects = found.get("defects", np.empty(0))
    label = patches.label[~patches.normal]
    return {
        "val normals": found["val"],
        "test normals": found.get("test", np.empty(0)),
        "clean patches of defective strips": defects[~label],
        "defects": defects[label],
    }


def _correction(percentiles: Percentiles, settings: Threshold) -> Row:
    """What leaving strips of val out says, where they were."""
    if settings.method != "percentile" or percentiles.ranks is None:
        return {}
    share = percentiles.left_out(settings.percentile)
    return {"fpr_left_out": share, "val_normals_left_out": len(percentiles.ranks)}


def _metrics(total: Row, patches: Patches, percentiles: Percentiles, settings: Threshold) -> Row:
    """What is known of the sum of scores."""
    above = float((percentiles.normals > total["threshold"]).mean())
    by_percentile = settings.method == "percentile"
    clean = ~patches.label & ~patches.normal
    labelled = bool(patches.label.any())
    return {
        "scored": True,
        "labelled": labelled,
        "val_normals": len(percentiles.normals),
        "test_normals": int(patches.normal.sum()),
        "clean_patches": int(clean.sum()),
        "defect_patches": int(patches.label.sum()),
        "normal_strips": len(np.unique(patches.strip[patches.normal])),
        "defect_strips": len(np.unique(patches.strip[~patches.normal])),
        "fpr_nominal": (100 - settings.percentile) / 100 if by_percentile else above,
        "percentile_used": percentiles.used(settings.percentile) if by_percentile else 100 * (1 - above),
        **_correction(percentiles, settings),
        **{name: total[name] for name in total if name != "score" and (labelled or name in UNLABELLED)},
    }
