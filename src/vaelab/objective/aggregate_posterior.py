"""Terms of the aggregate posterior, the latents of a whole batch. Each returns one value per example, [B].

B batch, L latent dimensions. The value of an example depends on the batch that it is in.
"""

import math

import torch
from torch import Tensor

from vaelab.models.vae import Inference
from vaelab.objective.context import Context

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # in L; two draws from the prior are √(2 L) apart


def total_correlation(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return log q(z) − Σ_j log q(z_j), nats per example [B], sampled: z as it was decoded.

    q is estimated by minibatch-weighted sampling over `context.examples` training examples, which is biased:
    log q(z_i) ≈ logsumexp_k log q(z_i|x_k) − log(N B). Takes memory for B² · L values.
    Source: Chen et al. 2018, appendix C.1.
    """
    squares = (inference.z.unsqueeze(1) - inference.mean).square() * (-inference.log_var).exp()  # [B, B, L]
    log_density = -0.5 * (squares + inference.log_var + math.log(2 * math.pi))
    log_draws = math.log(context.examples * len(inference.z))
    joint = log_density.sum(2).logsumexp(1) - log_draws
    return joint - (log_density.logsumexp(1) - log_draws).sum(1)


def mmd(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return values [B] whose mean estimates MMD² of z and N(0, I), without bias and without draws from the prior.

    The sum over the kernels k(a, b) = exp(−|a − b|² / 2s), s = L · (¼, ½, 1, 2, 4), of the U-statistic
    mean_{i≠j} k(z_i, z_j) − 2 mean_i E_p k(z_i, p) + E_pp' k(p, p'), the expectations over the prior in closed form:
    E_p k(z, p) = (s / (s + 1))^(L/2) exp(−|z|² / 2(s + 1)) and E_pp' k(p, p') = (s / (s + 2))^(L/2). Without bias it
    can be below 0. A batch of one example, which has no pairs, gives 0.
    Source: Gretton et al. 2012, equation 3; Zhao et al. 2019, section 4.
    """
    z = inference.z
    if len(z) == 1:
        return 0 * z.sum(1)
    norms = z.square().sum(1)
    distances = (norms[:, None] + norms - 2 * z @ z.T).clamp_min(0)
    others = 1 - torch.eye(len(z), dtype=z.dtype, device=z.device)
    return torch.stack([_values(norms, distances, others, z.shape[1], factor) for factor in BANDWIDTHS]).sum(0)


def _values(norms: Tensor, distances: Tensor, others: Tensor, dimensions: int, factor: float) -> Tensor:
    s = factor * dimensions
    pairs = ((-distances / (2 * s)).exp() * others).sum(1) / (len(norms) - 1)
    scale: float = (s / (s + 1)) ** (dimensions / 2)
    to_prior = scale * (-norms / (2 * (s + 1))).exp()
    within_prior: float = (s / (s + 2)) ** (dimensions / 2)
    return pairs - 2 * to_prior + within_prior
