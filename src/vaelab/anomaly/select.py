"""Which score, aggregation and percentile find the labelled defects of val best: `threshold.select: val_defects`.

Never by test. Candidates are every saved score of the model alone, and what `threshold.scores` give together, under
each aggregation; and the percentiles of `threshold.sweep`.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vaelab.anomaly.curves import sweep
from vaelab.anomaly.fit import fit, fit_patches
from vaelab.anomaly.patch_measures import Patches, patch_measures, unweighted
from vaelab.anomaly.preprocessing import AGGREGATIONS, COMBINED, Preprocessed
from vaelab.anomaly.score import PhaseScores, score
from vaelab.params.threshold import Threshold

# chosen only if asked for
BASELINES = {"pca_mahalanobis", "pca_standardised", "pca_residual", "local_statistics", "feature_mahalanobis"}
LEAST_DEFECTS = 10  # patches with a defect: fewer choose by chance

Phases = Mapping[str, Preprocessed]


def selected(phases: Phases) -> tuple[Phases, dict[str, Any]]:
    """Return the phases under the settings that are chosen, and what summary.json says of the choice.

    With fewer than LEAST_DEFECTS labelled patches the settings stay, and that is said.
    """
    settings, val, defects = phases["val"].settings, phases["val"], phases.get("val_defects")
    if settings.select == "none":
        return phases, {}
    count = int((defects.file.label != 0).sum()) if defects else 0
    if defects is None or count < LEAST_DEFECTS:
        text = f"{count} patches with a defect in val_defects, and a choice needs {LEAST_DEFECTS}"
        print(f"warning: threshold.select: val_defects: {text}: the options stay as they are", file=sys.stderr)
        return phases, {"selected_on_defects": 0}
    chosen = _score(settings, val, defects)
    val, defects = (replace(phase, settings=chosen) for phase in (val, defects))
    if settings.method == "percentile":
        chosen = chosen.model_copy(update={"percentile": _percentile(chosen, val, defects)})
    facts = {"scores": " + ".join(chosen.scores), "aggregation": chosen.aggregation, "percentile": chosen.percentile}
    told = {f"selected_{name}": value for name, value in facts.items()}
    return {name: replace(phase, settings=chosen) for name, phase in phases.items()}, {
        "selected_on_defects": count,
        **told,
    }


def _score(settings: Threshold, val: Preprocessed, defects: Preprocessed) -> Threshold:
    """The settings with the score and aggregation of the highest average precision; of equal ones those asked for."""
    fitted = fit_patches(val)
    both = [score(phase, fitted) for phase in (val, defects)]
    patches = validation_patches(both)
    order = sorted(AGGREGATIONS, key=lambda how: how != settings.aggregation)
    names = own_scores(both[0].scores, settings)
    reached = {
        (name, how): _average_precision(patches, np.concatenate([each.by_aggregation[how][name] for each in both]))
        for how in order
        for name in names
    }
    name, how = max(reached, key=lambda choice: reached[choice])
    scores = {} if name == COMBINED else {"scores": (name,), "weights": ()}
    return settings.model_copy(update={"aggregation": how, **scores})


def _average_precision(patches: Patches, scores: np.ndarray) -> float:
    return float(patch_measures(patches, scores, np.inf, unweighted(len(scores)))["average_precision"][0])


def _percentile(settings: Threshold, val: Preprocessed, defects: Preprocessed) -> float:
    """The percentile of the sweep with the best F1; of equal ones the nearest to that asked for."""
    fitted = fit(val, None)
    both = [score(phase, fitted.patches) for phase in (val, defects)]
    scores = np.concatenate([each.scores[COMBINED] for each in both])
    rows = sweep(validation_patches(both), scores, fitted.percentiles[COMBINED], settings.sweep)
    best = max(rows, key=lambda row: (row["f1"], -abs(row["percentile"] - settings.percentile)))
    return float(best["percentile"])


def own_scores(names: Iterable[str], settings: Threshold) -> list[str]:
    """Return the scores of the model: all but the baselines that are not asked for."""
    return [name for name in names if name not in BASELINES or name in settings.scores]


def validation_patches(both: Sequence[PhaseScores]) -> Patches:
    """Return the normals of val, and what was cut from its defective strips."""
    files = [each.phase.file for each in both]
    return Patches(
        np.concatenate([file.label for file in files]) != 0,
        np.repeat([True, False], [len(file) for file in files]),
        *(np.concatenate([getattr(file, name) for file in files]) for name in ("strip", "group", "defect")),
    )
