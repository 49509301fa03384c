"""The rate, KL(q(z|x) ‖ N(0, I)), and its options."""

import torch
from torch import Tensor


def kl_per_dimension(mean: Tensor, log_var: Tensor) -> Tensor:
    """Return KL(q(z_j|x) ‖ N(0, 1)) of each dimension, nats, analytic, [B, L].

    Source: Kingma & Welling 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_var.expm1() - log_var)


def with_free_bits(kl: Tensor, free_bits: float) -> Tensor:
    """Return the KL per dimension [B, L] in which a dimension below `free_bits` nats in batch mean is held there.

    The batch mean of the sum equals Σ_j max(free_bits, mean_b kl_bj). Source: Kingma et al. 2016, equation 15.
    """
    return torch.where(kl.mean(0) < free_bits, torch.full_like(kl, free_bits), kl) if free_bits > 0 else kl


def with_capacity(kl: Tensor, capacity: float) -> Tensor:
    """Return one value per example [B] whose batch mean is |mean_b kl_b − capacity|, from the total KL [B].

    Source: Burgess et al. 2018, equation 8.
    """
    excess = kl - capacity
    return excess * excess.mean().sign()
