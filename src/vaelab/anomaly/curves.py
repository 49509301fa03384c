"""Points of the curves that `dvc plots` draws, as rows of tables."""

from collections.abc import Mapping, Sequence

import numpy as np

from vaelab.anomaly.patch_measures import Patches, patch_measures, ratio, unweighted
from vaelab.anomaly.percentiles import Percentiles
from vaelab.anomaly.tables import Row

POINTS = 200  # of a curve at most
BINS = 40
OUTERMOST = (0.5, 99.5)  # percentiles of all scores; what is beyond is in the outermost bins


def roc(patches: Patches, scores: Mapping[str, np.ndarray]) -> list[Row]:
    """Return false-positive and true-positive rates over falling thresholds, of every score."""
    rows = []
    for name, values in scores.items():
        hits, alarms = _counts(patches, values)
        points = zip(alarms / alarms[-1] if alarms[-1] else np.nan * alarms, hits / hits[-1], strict=True)
        rows += [{"score": name, "fpr": float(x), "tpr": float(y)} for x, y in _few(list(points))]
    return rows


def precision_recall(patches: Patches, scores: Mapping[str, np.ndarray]) -> list[Row]:
    """Return recall and precision over falling thresholds, of every score."""
    rows = []
    for name, values in scores.items():
        hits, alarms = (counted[1:] for counted in _counts(patches, values))
        points = zip(hits / hits[-1], ratio(hits, hits + alarms), strict=True)
        rows += [{"score": name, "recall": float(x), "precision": float(y)} for x, y in _few(list(points))]
    return rows


def _counts(patches: Patches, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Patches with and without a defect at or above each score, falling; the first of none."""
    values, place = np.unique(-scores, return_inverse=True)
    hits, alarms = (np.bincount(place[there], minlength=len(values)) for there in (patches.label, ~patches.label))
    return np.append(0, hits.cumsum()), np.append(0, alarms.cumsum())


def _few(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points at which a curve turns, of more than POINTS evenly chosen ones."""
    x, y = np.array(points).T
    turns = np.ones(len(x), bool)
    turns[1:-1] = np.diff(x[:-1]) * np.diff(y[1:]) != np.diff(x[1:]) * np.diff(y[:-1])
    chosen = np.flatnonzero(turns)
    if len(chosen) > POINTS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, POINTS).round().astype(int)]
    return [points[int(place)] for place in chosen]


def histogram(pools: Mapping[str, np.ndarray], threshold: float) -> list[Row]:
    """Return how the scores of each pool are distributed, with the threshold; no row of an empty pool.

    All pools have the same bins. `score` is the middle of a bin, `share` that of the pool's patches in it.
    """
    every = np.concatenate([np.empty(0), *pools.values()])
    if not len(every):
        return []
    low, high = np.percentile(every, OUTERMOST)
    low, high = min(low, threshold), max(high, threshold)
    edges = np.histogram_bin_edges(every, BINS, (low, high))
    rows = []
    for name, values in pools.items():
        if not len(values):
            continue
        count, _ = np.histogram(values.clip(edges[0], edges[-1]), edges)
        for middle, number in zip((edges[1:] + edges[:-1]) / 2, count, strict=True):
            share = float(number / len(values))
            rows.append({"pool": name, "score": float(middle), "count": int(number), "share": share})
    return [row | {"threshold": float(threshold)} for row in rows]


def sweep(patches: Patches, scores: np.ndarray, val: Percentiles, percentiles: Sequence[float]) -> list[Row]:
    """Return threshold, precision, recall, F1 and false-positive rates of scores [N] at percentiles of val."""
    rows = []
    for percentile in sorted(percentiles):
        threshold = val.threshold(percentile)
        found = patch_measures(patches, scores, threshold, unweighted(len(scores)))
        at = {name: float(found[name][0]) for name in ("precision", "recall", "f1", "fpr_normal", "fpr_clean")}
        rows.append({"percentile": percentile, "threshold": threshold, **at, "fpr_nominal": (100 - percentile) / 100})
    return rows
