"""What holds of a whole batch when each process has a share of it: sums, means and gathered rows, with gradient.

b examples of this process, B of the whole batch. What each process computes is the derivative of the sum of the losses
of all processes, as torch.nn.SyncBatchNorm has it.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed


class Share(NamedTuple):
    """Which examples of a batch a process has: every `world`-th, from number `rank` on."""

    rank: int
    world: int
    size: int  # B


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Sum.forward(ctx, gradients[0])


def summed(values: Tensor) -> Tensor:
    """Return the sum of `values`, of any shape, over all processes."""
    total: Tensor = _Sum.apply(values)
    return total


def batch_mean(values: Tensor, share: Share | None) -> Tensor:
    """Return the mean over the whole batch, [...], of values [b, ...]; without a share those are the whole batch."""
    return values.mean(0) if share is None else summed(values.sum(0)) / share.size


def gathered(values: Tensor, share: Share | None) -> Tensor:
    """Return the values [B, ...] of the whole batch, in its order, of the values [b, ...] of this process."""
    if share is None:
        return values
    whole = values.new_zeros(share.size, *values.shape[1:])
    whole[share.rank :: share.world] = values
    return summed(whole)
