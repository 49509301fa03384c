"""What each score of a run would reach under each aggregation: whether maps fail, or how they are used."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vaelab.anomaly.bootstrap import interval, replicates
from vaelab.anomaly.patch_measures import RANKING, Patches, patch_measures, unweighted
from vaelab.anomaly.preprocessing import AGGREGATIONS, COMBINED
from vaelab.anomaly.score import PhaseScores
from vaelab.anomaly.select import own_scores
from vaelab.params.threshold import Threshold

Reached = dict[str, dict[str, dict[str, float]]]  # by score, aggregation and measure


def by_aggregation(patches: Patches, phases: tuple[PhaseScores, ...], settings: Threshold, bootstrap: int) -> Reached:
    """Return the measures of rankings of COMBINED and of the run's own scores, baselines left out unless asked for.

    Of COMBINED with intervals, and with those of what it gains on the aggregation in use, paired by strip.

    Args:
        patches: of the phases, in their order.
        phases: whose scores are measured together.
        settings: which aggregation is in use.
        bootstrap: resamplings of strips; 0: no intervals.
    """
    names = own_scores(phases[0].scores, settings)
    found: Reached = {name: {} for name in names}
    for name in names:
        for how in AGGREGATIONS:
            scores = np.concatenate([phase.by_aggregation[how][name] for phase in phases])
            reached = patch_measures(patches, scores, np.inf, unweighted(len(scores)))
            found[name][how] = {key: float(reached[key][0]) for key in RANKING}
    if bootstrap:
        for how, ends in _intervals(patches, phases, settings, bootstrap).items():
            found[COMBINED][how] |= ends
    return found


def _intervals(
    patches: Patches, phases: tuple[PhaseScores, ...], settings: Threshold, bootstrap: int
) -> Mapping[str, dict[str, float]]:
    drawn = {}
    for how in AGGREGATIONS:
        scores = np.concatenate([phase.by_aggregation[how][COMBINED] for phase in phases])
        drawn[how] = replicates(patches, scores, np.inf, bootstrap, settings.seed)
    used, ends = drawn[settings.aggregation], dict[str, Any]()
    for how, values in drawn.items():
        ends[how] = {}
        for key in RANKING:
            for name, sampled in ((key, values[key]), (f"{key}_gain", values[key] - used[key])):
                ends[how][f"{name}_low"], ends[how][f"{name}_high"] = interval(sampled)
    return ends
