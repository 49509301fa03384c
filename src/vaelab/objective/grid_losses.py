"""Reconstruction terms for grids of classes. Each returns nats per example, [B], unweighted.

B batch, K classes, H W grid. x is int64 [B, H, W] with K outside the grid; those cells do not count.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.models.vae import Inference
from vaelab.objective.context import Context


def cross_entropy(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return the class-weighted cross-entropy of the cells, w_x · (−log p_x), in nats per example [B]."""
    return _reduce(_cell_nats(x, inference, context.class_weights), x, inference, context)


def focal(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return the class-weighted focal loss of the cells, w_x · (1 − p_x)^γ · (−log p_x), in nats per example [B].

    Source: Lin et al. 2017, equation 5; γ = 0 is cross-entropy.
    """
    nats = _cell_nats(x, inference, None)
    assert context.class_weights is not None
    weights = F.pad(context.class_weights, (0, 1))[x]
    return _reduce(
        weights * (-torch.expm1(-nats)).clamp_min(1e-12) ** context.options.gamma * nats, x, inference, context
    )


def extent(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return the cross-entropy of the grid's height and width, in nats per example [B]."""
    assert inference.extent is not None
    target = extents(x, inference.reconstruction.shape[1]) - 1
    nats = F.cross_entropy(inference.extent.flatten(0, 1), target.flatten(), reduction="none").view_as(target)
    return nats.sum(1) if context.options.reduction == "sum" else nats.mean(1)


def extents(x: Tensor, classes: int) -> Tensor:
    """Return height and width of each grid in cells, [B, 2]."""
    valid = x != classes
    return torch.stack([valid.any(2).sum(1), valid.any(1).sum(1)], dim=1)


def _cell_nats(x: Tensor, inference: Inference, weights: Tensor | None) -> Tensor:
    classes = inference.reconstruction.shape[1]
    return F.cross_entropy(inference.reconstruction, x, weights, reduction="none", ignore_index=classes)  # [B, H, W]


def _reduce(nats: Tensor, x: Tensor, inference: Inference, context: Context) -> Tensor:
    total = nats.flatten(1).sum(1)
    if context.options.reduction == "sum":
        return total
    return total / (x != inference.reconstruction.shape[1]).flatten(1).sum(1).clamp_min(1)
