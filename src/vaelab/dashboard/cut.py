"""What a threshold of anomaly scores is worth, by the functions of stage threshold. N patches, V normals of val."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from vaelab.anomaly.measure import MEASURED_PHASES
from vaelab.anomaly.patch_measures import Patches, patch_measures, unweighted

VAL, TEST, CLEAN, DEFECTS = "val normals", "test normals", "clean patches of defective strips", "defects"


class Scored(NamedTuple):
    """The patches of a run and one score of theirs."""

    table: pd.DataFrame  # of the patches that are measured, test then defects
    patches: Patches
    scores: np.ndarray  # calibrated [N]
    normals: np.ndarray  # of val, calibrated [V]
    left_out: int = 0  # patches whose score is no finite number


class Worth(NamedTuple):
    """What a threshold is worth."""

    measures: dict[str, float]
    missed: pd.DataFrame  # defects that are not flagged, the least anomalous first
    alarms: pd.DataFrame  # patches without a defect that are, the most anomalous first


def scored(table: pd.DataFrame, score: str) -> Scored:
    """Return the patches of data/thresholds/<run>/examples.csv with one of their scores."""
    finite = table[np.isfinite(table[score].to_numpy(np.float64))]
    measured = pd.concat([finite[finite["phase"] == phase] for phase in MEASURED_PHASES], ignore_index=True)
    codes = (pd.factorize(measured[name])[0] for name in ("strip", "group", "defect"))
    patches = Patches((measured["label"] != 0).to_numpy(), (measured["phase"] == "test").to_numpy(), *codes)
    normals = finite.loc[finite["phase"] == "val", score].to_numpy(np.float64)
    return Scored(measured, patches, measured[score].to_numpy(np.float64), normals, len(table) - len(finite))


def worth(found: Scored, threshold: float) -> Worth:
    """Return what is flagged above a threshold, and its measures."""
    measures = patch_measures(found.patches, found.scores, threshold, unweighted(len(found.scores)))
    flagged, order = found.scores > threshold, np.argsort(found.scores, kind="stable")
    missed = order[(found.patches.label & ~flagged)[order]]
    alarms = order[(~found.patches.label & flagged)[order]][::-1]
    numbers = {name: float(values[0]) for name, values in measures.items()}
    return Worth(numbers, found.table.iloc[missed], found.table.iloc[alarms])


def pools(found: Scored) -> dict[str, np.ndarray]:
    """Return the scores of normals and defects, without empty pools."""
    label, normal = found.patches.label, found.patches.normal
    every = {
        VAL: found.normals,
        TEST: found.scores[normal],
        CLEAN: found.scores[~label & ~normal],
        DEFECTS: found.scores[label],
    }
    return {name: values for name, values in every.items() if len(values)}


def percentile_of(normals: np.ndarray, threshold: float) -> float:
    """Return the percentile of the normals of val (there are some) at which a threshold lies, as np.percentile."""
    places = np.linspace(0, 100, len(normals))
    return float(np.interp(threshold, np.sort(normals), places))
