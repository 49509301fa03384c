"""The objective: Σ weight · term + beta · KL, one value per example first, a scalar last."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.prepared import DataInfo
from vaelab.models.vae import Inference
from vaelab.objective import categorical
from vaelab.objective.categorical import Context
from vaelab.objective.class_weights import class_weights
from vaelab.objective.divergence import kl_per_dimension, with_capacity, with_free_bits
from vaelab.objective.schedules import value_at, value_reached
from vaelab.params.loss import Loss

Term = Callable[[Tensor, Inference, Context], Tensor]

TERMS: dict[str, Term] = {
    "cross_entropy": categorical.cross_entropy,
    "focal": categorical.focal,
    "extent": categorical.extent,
}
LIKELIHOODS = ("cross_entropy", "focal")  # terms of x itself, for the effective beta


class Losses(NamedTuple):
    """What the objective says of a batch, one value per example."""

    total: Tensor  # what is minimised [B]
    terms: dict[str, Tensor]  # unweighted, the KL divergence among them, each [B]
    weighted: dict[str, Tensor]  # what each adds to the total, after free bits and capacity, each [B]


class Objective:
    """Weighs the terms that a run asks for.

    Args:
        loss: the run's block `loss`.
        info: the data that it is trained on.
    """

    def __init__(self, loss: Loss, info: DataInfo, device: str | torch.device = "cpu") -> None:
        self.loss = loss
        self.mean_elements = info.mean_elements
        weights = class_weights(info.class_counts, loss).to(device)
        self.context = Context(loss.gamma, weights, loss.reduction)
        self.weights = {name: weight for name, weight in loss.terms if weight != 0}

    def __call__(self, x: Tensor, inference: Inference, epoch: float) -> Losses:
        """Return the losses of a batch at a point of training (epochs done, a fraction within an epoch)."""
        kl = kl_per_dimension(inference.mean, inference.log_var)
        terms = {name: TERMS[name](x, inference, self.context) for name in self.weights}
        weighted = self.weighted(kl, terms, epoch)
        return Losses(torch.stack(list(weighted.values())).sum(0), {**terms, "kl": kl.sum(1)}, weighted)

    def weighted(self, kl: Tensor, terms: Mapping[str, Tensor], epoch: float) -> dict[str, Tensor]:
        """Return the summands of the objective, each [B], from the KL per dimension [B, L] and the unweighted terms.

        Free bits and capacity look at the mean over these B examples: a batch in training, a whole split in evaluation.
        """
        weights = self.weights_at(epoch)
        penalty = with_free_bits(kl, self.loss.free_bits).sum(1)
        if self.loss.capacity is not None:
            penalty = with_capacity(penalty, value_at(self.loss.capacity, epoch))
        return {**{name: weights[name] * terms[name] for name in self.weights}, "kl": weights["kl"] * penalty}

    def weights_at(self, epoch: float) -> dict[str, float]:
        """Return the weight of each term, the KL divergence's among them, at a point of training."""
        weights = {name: value_at(weight, epoch) for name, weight in self.weights.items()}
        return {**weights, "kl": value_at(self.loss.beta, epoch)}

    def effective_beta(self, epoch: float) -> float:
        """Return the factor on KL once the reconstruction is in summed nats per example, at a point of training.

        Exact for cross-entropy without class weights. Focal loss and class weights rescale the reconstruction
        further, by an amount that depends on the model: evaluation measures it as `effective_beta_measured`.
        """
        weight = sum(value_reached(self.weights[name], epoch) for name in LIKELIHOODS if name in self.weights)
        elements = self.mean_elements if self.loss.reduction == "mean" else 1.0
        return value_reached(self.loss.beta, epoch) * elements / weight if weight else float("inf")
