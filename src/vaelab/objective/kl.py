"""The rate, KL(q(z|x) ‖ N(0, I)), and its options."""

import torch
from torch import Tensor

from vaelab.objective.share import Share, batch_mean


def kl_per_dimension(mean: Tensor, log_var: Tensor) -> Tensor:
    """Return KL(q(z_j|x) ‖ N(0, 1)) of each dimension, nats, analytic, [B, L].

    Source: Kingma & Welling 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_var.expm1() - log_var)


def with_free_bits(kl: Tensor, free_bits: float, share: Share | None = None) -> Tensor:
    """Return the KL per dimension [B, L] in which a dimension below `free_bits` nats in batch mean is held there.

    With a share of a batch its mean is that of the whole.

    The batch mean of the sum equals Σ_j max(free_bits, mean_b kl_bj). Source: Kingma et al. 2016, equation 15.
    """
    if free_bits <= 0:
        return kl
    return torch.where(batch_mean(kl.detach(), share) < free_bits, torch.full_like(kl, free_bits), kl)


def with_capacity(kl: Tensor, capacity: float, share: Share | None = None) -> Tensor:
    """Return one value per example [B] whose batch mean is |mean_b kl_b − capacity|, from the total KL [B].

    With a share of a batch its mean is that of the whole.

    Source: Burgess et al. 2018, equation 8.
    """
    excess = kl - capacity
    return excess * batch_mean(excess.detach(), share).sign()
