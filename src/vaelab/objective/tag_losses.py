"""Reconstruction terms for tags. Each returns nats per example, [B], unweighted.

B batch, D tags. x is float [B, D] of 0 and 1, the reconstruction logits l [B, D], and p = sigmoid(l).
With reduction "sum" a term is summed over the D tags of an example, with "mean" that sum is divided by D, whichever
tags the example has. No term takes the logarithm of p or of 1 − p, which rounds to 0 from logits of 17 on: all are
finite, and so are their gradients, however large a logit is.
"""

from torch import Tensor
from torch.nn import functional as F

from vaelab.models.vae import Inference
from vaelab.objective.context import Context

LEAST_BASE = 1e-12  # of a power: its gradient at 0 is infinite for exponents below 1


def bce(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return −w x log p − (1 − x) log(1 − p), nats per example [B]; w is the tag's weight in `context.pos_weight`."""
    logits = inference.reconstruction
    nats = F.binary_cross_entropy_with_logits(logits, x, pos_weight=context.pos_weight, reduction="none")
    return _reduce(nats, context)


def focal(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return −w x (1 − p)^γ log p − (1 − x) p^γ log(1 − p), nats per example [B]; w as in `bce`.

    Source: Lin et al. 2017, equation 4; γ = 0 is `bce`.
    """
    logits, gamma = inference.reconstruction, context.options.gamma
    present = (gamma * F.logsigmoid(-logits)).exp() * F.softplus(-logits)
    absent = (gamma * F.logsigmoid(logits)).exp() * F.softplus(logits)
    if context.pos_weight is not None:
        present = context.pos_weight * present
    return _reduce(x * present + (1 - x) * absent, context)


def asymmetric(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return −x (1 − p)^γ⁺ log p − (1 − x) p_m^γ⁻ log(1 − p_m), p_m = max(p − margin, 0), nats per example [B].

    An absent tag of a probability up to the margin costs nothing. γ⁺ = γ⁻ = margin = 0 is `bce` without weights.
    Source: Ridnik et al. 2021, equations 4, 5 and 7.
    """
    logits = inference.reconstruction
    present = (context.options.gamma_positive * F.logsigmoid(-logits)).exp() * F.softplus(-logits)
    # 1 − p_m = min(1 − p + margin, 1), as a logarithm: 1 − p itself is 0 for large logits
    log_margin = logits.new_full((), context.options.margin).log()  # −∞ without a margin
    log_rest = F.logsigmoid(-logits).logaddexp(log_margin).clamp_max(0)
    shifted = (logits.sigmoid() - context.options.margin).clamp_min(LEAST_BASE)
    absent = -(shifted**context.options.gamma_negative) * log_rest
    return _reduce(x * present + (1 - x) * absent, context)


def multinomial(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return −Σ_d x_d log π_d with π = softmax(l), nats per example [B]: a multinomial's, without its constant.

    Source: Liang et al. 2018, equation 2.
    """
    return _reduce(-x * inference.reconstruction.log_softmax(1), context)


def _reduce(nats: Tensor, context: Context) -> Tensor:
    return nats.sum(1) if context.options.reduction == "sum" else nats.mean(1)
