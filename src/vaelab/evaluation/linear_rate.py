"""What a linear VAE would spend: a yardstick for the rate. Derivation: docs/metrics/objective.md."""

import torch
from torch import Tensor


def linear_rate(eigenvalues: Tensor, noise: float) -> float:
    """Return Σ_j ½ ln⁺(λ_j / noise), nats per example: the rate of a linear VAE at its optimum; analytic.

    Args:
        eigenvalues: of the covariance of the training data, the L largest [L].
        noise: variance per value that is not worth coding, β · σ².

    Source: Tipping & Bishop 1999, equation 8; Lucas et al. 2019, section 4; Cover & Thomas 2006, theorem 10.3.3.
    """
    size = eigenvalues.double().clamp_min(1e-300) / max(noise, 1e-300)
    return 0.5 * float(torch.log(size).clamp_min(0).sum())


def without_sampling_noise(eigenvalues: Tensor, rows: int, values: int) -> Tensor:
    """Return what eigenvalues of a sample's correlation matrix are in the population, where all but few are 1.

    In a sample of few rows the largest are too large; those that noise alone would reach become 1.

    Args:
        eigenvalues: the largest ones [L].
        rows: of the sample.
        values: of a row.

    Source: Donoho, Gavish & Johnstone 2018, equation 1.10 (the limit of rows and values growing alike).
    """
    share, found = values / rows, eigenvalues.double()
    middle = found + 1 - share
    spikes = (middle + (middle.square() - 4 * found).clamp_min(0).sqrt()) / 2
    return torch.where(found > (1 + share**0.5) ** 2, spikes, found.clamp_max(1)).to(eigenvalues.dtype)
