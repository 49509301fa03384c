"""Terms of the aggregate posterior, the latents of a whole batch. Each returns one value per example.

B batch, L latent dimensions. The value of an example depends on the batch that it is in; where a process has a share of
b examples of it, `context.share`, there are b values.
"""

import math

import torch
from torch import Tensor

from vaelab.models.vae import Inference
from vaelab.objective.context import Context
from vaelab.objective.share import gathered

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # in L; two draws from the prior are √(2 L) apart


def total_correlation(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return log q(z) − Σ_j log q(z_j), nats per example [B], sampled: z as it was decoded.

    q is estimated by minibatch-weighted sampling over `context.examples` training examples, which is biased:
    log q(z_i) ≈ logsumexp_k log q(z_i|x_k) − log(N B). Takes memory for B² · L values.
    Source: Chen et al. 2018, appendix C.1.
    """
    mean, log_var = (gathered(values, context.share) for values in (inference.mean, inference.log_var))  # [B, L]
    squares = (inference.z.unsqueeze(1) - mean).square() * (-log_var).exp()  # [b, B, L]
    log_density = -0.5 * (squares + log_var + math.log(2 * math.pi))
    log_draws = math.log(context.examples * len(mean))
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
    z, share = inference.z, context.share
    whole = gathered(z, share)
    if len(whole) == 1:
        return 0 * z.sum(1)
    norms, norms_of_whole = z.square().sum(1), whole.square().sum(1)
    distances = (norms[:, None] + norms_of_whole - 2 * z @ whole.T).clamp_min(0)  # [b, B]
    others = 1 - torch.eye(len(whole), dtype=z.dtype, device=z.device)
    others = others if share is None else others[share.rank :: share.world]
    return torch.stack([_values(norms, distances, others, z.shape[1], factor) for factor in BANDWIDTHS]).sum(0)


def _values(norms: Tensor, distances: Tensor, others: Tensor, dimensions: int, factor: float) -> Tensor:
    s = factor * dimensions
    pairs = ((-distances / (2 * s)).exp() * others).sum(1) / (distances.shape[1] - 1)
    scale: float = (s / (s + 1)) ** (dimensions / 2)
    to_prior = scale * (-norms / (2 * (s + 1))).exp()
    within_prior: float = (s / (s + 2)) ** (dimensions / 2)
    return pairs - 2 * to_prior + within_prior
