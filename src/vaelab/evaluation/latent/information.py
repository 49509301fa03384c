"""Measures of the latent space, from the posteriors of a whole split. Definitions: docs/metrics/latent.md.

N examples, L latent dimensions. All on the CPU in float64.
"""

import math

import torch
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.measures.latents import active_units, signal_to_noise
from vaelab.objective.kl import kl_per_dimension


def effective_dimensions(kl: Tensor) -> float:
    """Return exp of the entropy of the dimensions' shares of the rate, from the mean KL per dimension [L].

    L when all dimensions carry the same, 1 when one carries everything, 0 when nothing is carried.
    """
    total = float(kl.sum())
    if total <= 0:
        return 0.0
    shares = (kl / total).clamp_min(1e-300)
    return float(torch.exp(-(shares * shares.log()).sum()))


def mutual_information(mean: Tensor, log_var: Tensor, seed: int) -> float:
    """Return I(x; z) under q(z|x) and the empirical distribution of these N examples, nats; sampled, one z each.

    mean_i [log q(z_i|x_i) − log (1/N) Σ_j q(z_i|x_j)]: never above ln N, so it is a lower bound for rich latents.
    Source: Hoffman & Johnson 2016, section 3.
    """
    mean, log_var = mean.double(), log_var.double()
    noise = torch.randn(mean.shape, generator=generator(seed, 0, stream=3), dtype=torch.float64)
    z = mean + (0.5 * log_var).exp() * noise
    precision = (-log_var).exp()
    constant = (mean.square() * precision + log_var).sum(1)  # [N]
    total = 0.0
    exact = (noise.square() + log_var).sum(1)  # of each z under its own posterior, without cancellation
    for start in range(0, len(z), 256):
        rows = z[start : start + 256]
        squares = rows.square() @ precision.T - 2 * rows @ (mean * precision).T + constant  # [rows, N]
        squares.diagonal(start).copy_(exact[start : start + 256])
        total += float(torch.logsumexp(-0.5 * squares, 1).sum())
    return max(0.0, -0.5 * float(exact.mean()) - total / len(z) + math.log(len(z)))


def latent_metrics(mean: Tensor, log_var: Tensor, variance: float, examples: int, seed: int) -> dict[str, float]:
    """Return the measures of a split's posteriors by name; at most `examples` of them for the mutual information."""
    kl = kl_per_dimension(mean.double(), log_var.double())
    active = active_units(mean, variance)
    chosen = torch.randperm(len(mean), generator=generator(seed, 0, stream=4))[:examples]
    information = mutual_information(mean[chosen], log_var[chosen], seed)
    return {
        "rate": float(kl.sum(1).mean()),
        "active_units": int(active.sum()),
        "snr_max": float(signal_to_noise(mean, log_var).max()),
        "pct_active_units": 100 * float(active.double().mean()),
        "effective_dimensions": effective_dimensions(kl.mean(0)),
        "mutual_information": information,
        "aggregate_kl": float(kl[chosen].sum(1).mean()) - information,
    }
