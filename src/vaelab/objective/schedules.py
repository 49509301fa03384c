"""Weights that change over training."""

import math
from collections.abc import Callable

from vaelab.params.base import Schedule

SHAPES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "linear": lambda progress: progress,
    "cosine": lambda progress: 0.5 - 0.5 * math.cos(math.pi * progress),
    # logistic from −6 to 6, stretched to reach 0 and 1
    "sigmoid": lambda progress: 0.5 + 0.5 * math.tanh(6 * progress - 3) / math.tanh(3),
}


def value_at(weight: float | Schedule, epoch: float) -> float:
    """Return the value of a weight at a point of training.

    Args:
        weight: a number, or a schedule.
        epoch: epochs done, a fraction within an epoch.
    """
    if not isinstance(weight, Schedule):
        return weight
    elapsed = max(0.0, epoch - weight.delay) / weight.epochs
    if weight.schedule == "cyclical":  # Fu et al. 2019: in each cycle a linear ramp, then constant
        shape = min(1.0, elapsed % 1.0 / weight.ramp)
    else:
        shape = SHAPES[weight.schedule](min(1.0, elapsed))
    return weight.start + (weight.end - weight.start) * shape


def value_reached(weight: float | Schedule, epoch: float) -> float:
    """Return the value of a weight at a point of training; of a cyclical one the top of its cycles."""
    cyclical = isinstance(weight, Schedule) and weight.schedule == "cyclical"
    return weight.end if isinstance(weight, Schedule) and cyclical else value_at(weight, epoch)
