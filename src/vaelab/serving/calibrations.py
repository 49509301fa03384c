"""Calibrations (`vaelab.anomaly.calibration`) as numbers that are saved, and as operations that a graph can hold.

G groups, k knots of a quantile calibration. The formulas are those of stage threshold.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.anomaly.calibration import Calibration

Numbers = dict[str, np.ndarray]  # what a calibration is made of, by name, float64
PARTS = {"none": (), "log_z": ("tiny", "mean", "std"), "quantile": ("known", "surprise", "excess")}


def numbers(calibration: Calibration) -> Numbers:
    """Return what a fitted calibration is made of."""
    found: Mapping[str, Any] = calibration.keywords if isinstance(calibration, partial) else {}
    return {name: np.asarray(value, np.float64) for name, value in found.items()}


def restored(kind: str, values: Numbers) -> Calibration:
    """Return the calibration that is made of these numbers."""
    tensors = [torch.from_numpy(np.array(values[name])) for name in PARTS[kind]]

    def calibrated(scores: np.ndarray) -> np.ndarray:
        found = APPLIED[kind](torch.from_numpy(np.ascontiguousarray(scores)).double(), *tensors)
        return found.numpy().astype(scores.dtype)

    return calibrated


def _as_it_is(values: Tensor) -> Tensor:
    return values


def log_z(values: Tensor, tiny: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return (log(value + tiny) − mean) / std; all broadcast against each other."""
    return ((values + tiny).log() - mean) / std


def surprise(values: Tensor, known: Tensor, surprise: Tensor, excess: Tensor) -> Tensor:
    """Return −ln(1 − rank) between knots [..., k], linear beyond the last of them.

    Args:
        values: of the shape of `excess`, or of any where there is one calibration.
        known: scores at the knots, rising.
        surprise: nats there.
        excess: mean excess of the tail.
    """
    known, surprise = known.expand(*values.shape, -1), surprise.expand(*values.shape, -1)
    place = torch.zeros_like(values, dtype=torch.int64)
    step = 1 << max(0, known.shape[-1] - 1).bit_length()
    while step := step // 2:  # bisection, which graphs can hold
        probe = (place + step).clamp(max=known.shape[-1] - 1)
        reached = values >= known.gather(-1, probe.unsqueeze(-1)).squeeze(-1)
        place = torch.where(reached, probe, place)
    after = (place + 1).clamp(max=known.shape[-1] - 1)
    low, high, at, then = (
        each.gather(-1, index.unsqueeze(-1)).squeeze(-1) for each in (known, surprise) for index in (place, after)
    )
    part = ((values - low) / (high - low).clamp_min(torch.finfo(values.dtype).tiny)).clamp(0, 1)
    return at + part * (then - at) + (values - known[..., -1]).clamp_min(0) / excess


APPLIED: dict[str, Callable[..., Tensor]] = {"none": _as_it_is, "log_z": log_z, "quantile": surprise}
