"""Scores of one group to values that compare between groups and kinds of score, fitted to val normals.

Every calibration is a rising function of the score: it never changes the order of the patches of one group.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from vaelab.errors import InputError

TINY = 1e-6  # times the mean score: what is added before the logarithm, so that a score of 0 has one
KNOTS = 4096  # of a quantile calibration at most
TAIL = 0.9  # quantile beyond which the mean excess says how fast the tail falls
LEAST_NORMALS = 2  # of val in a group: what a spread can be taken from

Calibration = Callable[[np.ndarray], np.ndarray]  # of values of any shape, to the same shape and type


def fit_none(normals: np.ndarray) -> Calibration:
    """Return the identity."""
    return _same


def _same(values: np.ndarray) -> np.ndarray:
    return values


def fit_log_z(normals: np.ndarray) -> Calibration:
    """Return z = (log(score + tiny) − mean) / standard deviation, both of the logarithms of the normals [n].

    Where all normals have one score the spread is undefined, and the logarithms are only shifted.
    """
    tiny = TINY * float(normals.mean(dtype=np.float64)) or 1.0
    logs = np.log(normals.astype(np.float64) + tiny)
    constant = logs.min() == logs.max()
    return partial(_log_z, tiny=tiny, mean=float(logs.mean()), std=1.0 if constant else float(logs.std()))


def _log_z(values: np.ndarray, tiny: float, mean: float, std: float) -> np.ndarray:
    scaled: np.ndarray = (np.log(values + tiny) - mean) / std
    return scaled


def fit_quantile(normals: np.ndarray) -> Calibration:
    """Return −ln(1 − rank), nats: how rare a score is among the normals [n].

    The rank of a normal is the share of the normals below it, and half of those equal to it; between normals −ln(1 −
    rank) is interpolated, from 0 at the score 0. Beyond the largest normal it goes on linearly, as for an exponential
    tail with the mean excess over the 90th percentile of the normals.
    """
    known, count = np.unique(normals.astype(np.float64), return_counts=True)
    surprise = -np.log1p(-(count.cumsum() - count / 2) / len(normals))
    if len(known) > KNOTS:
        even = np.linspace(surprise[0], surprise[-1], KNOTS)
        keep = np.unique(np.searchsorted(surprise, even).clip(max=len(known) - 1))
        known, surprise = known[keep], surprise[keep]
    if known[0] > 0:
        known, surprise = np.append(0.0, known), np.append(0.0, surprise)
    return partial(_surprise, known=known, surprise=surprise, excess=_mean_excess(normals))


def _mean_excess(normals: np.ndarray) -> float:
    limit = float(np.quantile(normals, TAIL))
    beyond = normals[normals > limit]
    return float(beyond.mean(dtype=np.float64)) - limit if len(beyond) else float(normals.max()) or 1.0


def _surprise(values: np.ndarray, known: np.ndarray, surprise: np.ndarray, excess: float) -> np.ndarray:
    beyond = np.maximum(values - known[-1], 0) / excess
    found: np.ndarray = np.interp(values, known, surprise) + beyond
    return found.astype(values.dtype)


FITS: dict[str, Callable[[np.ndarray], Calibration]] = {
    "none": fit_none,
    "log_z": fit_log_z,
    "quantile": fit_quantile,
}


def fit_groups(kind: str, normals: np.ndarray, group: np.ndarray) -> dict[int, Calibration]:
    """Return the calibration of each group that has normals of val: their scores [V, ...] and groups [V]."""
    return {int(number): FITS[kind](normals[group == number].reshape(-1)) for number in np.unique(group)}


def calibrate(fitted: Mapping[int, Calibration], values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return scores [N, ...] of groups [N], each calibrated as its group is; as it is, where none is fitted."""
    result = values.copy()
    for number in np.unique(group):
        here = group == number
        result[here] = fitted.get(int(number), _same)(values[here])
    return result


def check_groups(normals: np.ndarray, others: Mapping[str, np.ndarray], names: Sequence[str], where: str) -> None:
    """Do nothing where every group that occurs can be calibrated.

    Args:
        normals: groups of the normals of val [V].
        others: groups of the patches of other phases, by phase.
        names: of the groups.
        where: the file of val, for the message.

    Raises:
        InputError: a group has too few normals in val.
    """
    for number in np.unique(np.concatenate([normals, *others.values()])):
        count = int((normals == number).sum())
        if count < LEAST_NORMALS:
            elsewhere = ", ".join(f"{int((group == number).sum())} in {phase}" for phase, group in others.items())
            raise InputError(
                f"{where}: group {names[number]!r} has {count} normal patches in val ({elsewhere or 'no others'}); "
                f"calibration needs at least {LEAST_NORMALS}: give val a strip of it, leave it out, or use "
                "threshold.calibration: none"
            )
