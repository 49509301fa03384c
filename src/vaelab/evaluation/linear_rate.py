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
