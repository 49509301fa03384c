"""Weights of the classes from their counts in the training split."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vaelab.params.loss import Loss

METHODS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "none": lambda counts, _: torch.ones_like(counts),
    "inverse": lambda counts, _: 1 / counts,
    "sqrt_inverse": lambda counts, _: counts.rsqrt(),
    # Cui et al. 2019, equation 2: (1 − β) / (1 − β^n)
    "effective": lambda counts, beta: (1 - beta) / (1 - beta**counts),
}


def class_weights(counts: Sequence[int], loss: Loss) -> Tensor:
    """Return the weight of each class [K], scaled so that the mean weight of a training cell is 1.

    A class that does not occur gets the weight of the rarest one that does.
    """
    observed = torch.tensor(counts, dtype=torch.float64)
    filled = torch.where(observed > 0, observed, observed[observed > 0].min())
    weights = METHODS[loss.class_weights](filled, loss.class_beta)
    return (weights * observed.sum() / (weights * observed).sum()).float()
