"""Terms of single values of an image: errors and negative log-likelihoods. Each returns one value per example, [B].

B batch, C H W image. x and the reconstruction are float [B, C, H, W], x in [0, 1]; e = x − reconstruction.
Every term weighs its values with `context.pixel_weights` and sums or averages them as `loss.reduction` says.
"""

import math

from torch import Tensor

from vaelab.models.vae import Inference
from vaelab.objective.context import Context
from vaelab.objective.share import batch_mean

LOG_SIGMA_FLOOR = -6.0  # σ = 0.0025, under one step of 8 bits: a perfect reconstruction has no infinite likelihood
BCE_MARGIN = 1e-6


def reduced(values: Tensor, context: Context) -> Tensor:
    """Return the weighted sum or mean over the values of each example, [B], of values [B, C, H, W]."""
    flat = _weighted(values, context)
    return flat.sum(1) if context.options.reduction == "sum" else flat.mean(1)


def _weighted(values: Tensor, context: Context) -> Tensor:
    return (values if context.pixel_weights is None else values * context.pixel_weights).flatten(1)


def mse(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return e², per example [B]."""
    return reduced((x - inference.reconstruction).square(), context)


def l1(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return |e|, per example [B]."""
    return reduced((x - inference.reconstruction).abs(), context)


def charbonnier(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return √(e² + ε²) − ε, per example [B]. Source: Charbonnier et al. 1994."""
    squares = (x - inference.reconstruction).square()
    return reduced((squares + context.options.epsilon**2).sqrt() - context.options.epsilon, context)


def focal_error(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return |e|^γ · e², per example [B]: large errors count more. γ = 0 is mse."""
    return reduced((x - inference.reconstruction).abs() ** (context.options.gamma + 2), context)


def bce(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return −x log p − (1 − x) log(1 − p) of a reconstruction p, nats per example [B].

    p is held 1e-6 away from 0 and 1; beyond that it has no gradient. The least value is the entropy of x, not 0.
    """
    p = inference.reconstruction.clamp(BCE_MARGIN, 1 - BCE_MARGIN)
    return reduced(-(x * p.log() + (1 - x) * (-p).log1p()), context)


def gaussian(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return −log N(x; reconstruction, σ²) with its constant, nats per example [B].

    σ is the decoder's own, else `loss.sigma`, else the best one of this batch: σ² = the weighted mean of e² over
    all its values, with gradient. log σ is not below −6, except where `loss.sigma` is.
    Source: Rybkin et al. 2021, the optimal σ-VAE.
    """
    squares = (x - inference.reconstruction).square()
    log_sigma = _log_sigma(_batch_mean(squares, context), inference, context)
    return reduced(0.5 * math.log(2 * math.pi) + log_sigma + 0.5 * squares * (-2 * log_sigma).exp(), context)


def laplace(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return −log Laplace(x; reconstruction, b) of scale b = σ / √2 with its constant, nats per example [B].

    The standard deviation σ comes as in `gaussian`; the best one of a batch has b = the weighted mean of |e|.
    """
    errors = (x - inference.reconstruction).abs()
    log_sigma = _log_sigma(2 * _batch_mean(errors, context).square(), inference, context)
    log_b = log_sigma - 0.5 * math.log(2)
    return reduced(math.log(2) + log_b + errors * (-log_b).exp(), context)


def _batch_mean(values: Tensor, context: Context) -> Tensor:
    return batch_mean(_weighted(values, context).mean(1), context.share)


def _log_sigma(best_variance: Tensor, inference: Inference, context: Context) -> Tensor:
    if inference.log_sigma is not None:
        return inference.log_sigma.clamp_min(LOG_SIGMA_FLOOR)
    if context.options.sigma != "optimal":
        return best_variance.new_full((), math.log(context.options.sigma))
    return 0.5 * best_variance.clamp_min(math.exp(2 * LOG_SIGMA_FLOOR)).log()
